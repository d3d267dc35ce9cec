"""Customers of four countries, as they write their names, streets and dates."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from random import Random

from anyascii import anyascii

from benchmarks.elsewhere.slips import born, misread_date, typo, varied, without
from benchmarks.elsewhere.words import Frequent, Line, Values, names_of, of_faker


@dataclass(frozen=True, slots=True)
class Country:
    """How people of a country are called, live, and fill in forms."""

    locale: str
    seed: int
    headings: Mapping[str, str]
    """Our names -> those of its files."""
    streets: tuple[str, ...]
    """What stands before a name to make a street, or behind it where it begins with a blank."""
    phone: str
    spellings: tuple[tuple[str, str], ...]
    digits: int = 5
    families: int = 1
    number_first: bool = False
    particles: tuple[str, ...] = ()
    towns: tuple[str, ...] = ()


_GERMANY = Country(
    "de_DE", 51,
    {"given_name": "Vorname", "family_name": "Nachname",
     "birth_date": "Geburtsdatum", "street": "Straße", "postcode": "PLZ", "city": "Ort",
     "phone": "Telefon", "email": "E-Mail"},
    ("straße", "straße", "weg", "gasse", "allee"),
    "+49 89 {:07}",
    (("ü", "ue"), ("ö", "oe"), ("ä", "ae"), ("ß", "ss"), ("ü", "u"), ("ph", "f"), ("th", "t"),
     ("straße", "str."), ("dt", "d"), ("ei", "ai"), ("ck", "k")),
)  # fmt: skip
_SPAIN = Country(
    "es_ES", 61,
    {"given_name": "Nombre", "family_name": "Apellidos",
     "birth_date": "Fecha de nacimiento", "street": "Dirección", "postcode": "Código postal",
     "city": "Población", "phone": "Teléfono", "email": "Correo electrónico"},
    ("Calle ", "Calle ", "Avenida ", "Plaza ", "Calle de "),
    "+34 91 {:07}",
    (("calle ", "c/ "), ("avenida ", "avda. "), ("plaza ", "pza. "), ("é", "e"), ("á", "a"),
     ("í", "i"), ("ñ", "n"), ("v", "b"), ("z", "s"), ("maría", "m.")),
    families=2,
    towns=("Madrid", "Getafe", "Móstoles", "Alcalá de Henares", "Leganés", "Toledo", "Segovia",
           "Ávila", "Guadalajara", "Cuenca", "Parla", "Pinto"),
)  # fmt: skip
_ITALY = Country(
    "it_IT", 71,
    {"given_name": "Nome", "family_name": "Cognome",
     "birth_date": "Data di nascita", "street": "Indirizzo", "postcode": "CAP", "city": "Comune",
     "phone": "Telefono", "email": "E-mail"},
    ("Via ", "Via ", "Viale ", "Piazza ", "Corso "),
    "+39 02 {:07}",
    (("via ", "v. "), ("viale ", "v.le "), ("piazza ", "p.zza "), ("cc", "c"), ("tt", "t"),
     ("ll", "l"), ("gh", "g"), ("ò", "o'"), ("nn", "n")),
    towns=("Milano", "Monza", "Bergamo", "Brescia", "Como", "Lecco", "Lodi", "Cremona", "Pavia",
           "Sesto San Giovanni", "Cinisello Balsamo", "Rho", "Legnano", "Busto Arsizio"),
)  # fmt: skip
_NETHERLANDS = Country(
    "nl_NL", 81,
    {"given_name": "Voornaam", "family_name": "Achternaam",
     "birth_date": "Geboortedatum", "street": "Adres", "postcode": "Postcode",
     "city": "Woonplaats", "phone": "Telefoonnummer", "email": "E-mailadres"},
    ("straat", "straat", "weg", "laan", "plein"),
    "+31 20 {:07}",
    (("ij", "y"), ("y", "ij"), ("straat", "str."), ("aa", "a"), ("ck", "k"), ("ee", "e"),
     ("dt", "d"), ("van der ", "v.d. "), ("van de ", "vd "), ("van der ", ""), ("de ", "")),
    digits=4,
    particles=("van ", "van der ", "de ", "van den ", "van de ", "ten "),
)  # fmt: skip


def _customers_of(country: Country) -> Callable[[Random], Iterator[Line]]:
    """Return what yields customers in households, some of them in both systems of a firm."""

    def lines(chance: Random) -> Iterator[Line]:
        men, women, families = names_of(country.locale, country.seed)
        places = of_faker(country.locale, "address")
        towns = country.towns or tuple(str(town) for town in places.cities[:300])
        postcodes = [(town, _postcode(chance, country)) for town in towns for _ in range(2)]
        number = 0
        for _ in range(1700):
            home = _home(chance, country, families, postcodes)
            surname = [_family(chance, country, families) for _ in range(country.families)]
            size = chance.choices([1, 2, 3, 4], [45, 30, 15, 10])[0]
            for place in range(size):
                number += 1
                sex = chance.choice("MF") if place > 1 else "MF"[place % 2]
                years = (1940, 1985) if place < 2 else (1986, 2006)
                given = (men if sex == "M" else women).draw(chance)
                if place == 2 and chance.random() < 0.05:
                    years = (1986, 2006)
                family = list(surname)
                if country.families == 2 and place < 2:
                    family = [_family(chance, country, families) for _ in range(2)]
                elif place == 1 and chance.random() < 0.3:
                    family = [_family(chance, country, families)]
                values = {
                    **home,
                    "given_name": given,
                    "family_name": " ".join(family),
                    "birth_date": born(chance, *years),
                    "email": _mailbox(chance, given, family[0]),
                }
                if chance.random() < 0.5:
                    values["phone"] = country.phone.format(chance.randrange(10**7))
                copies = chance.choices([1, 2, 3], [60, 30, 10])[0]
                for copy in range(copies):
                    source = "crm" if copy == 0 else chance.choice(["crm", "shop", "shop"])
                    yield Line(
                        source,
                        str(number),
                        _filled_in(
                            chance,
                            country,
                            values,
                            towns=postcodes,
                            families=families,
                            is_first=not copy,
                        ),
                    )

    return lines


def _family(chance: Random, country: Country, families: Frequent) -> str:
    name = families.draw(chance)
    if country.particles and " " not in name and chance.random() < 0.35:
        return chance.choice(country.particles) + name
    return name


def _postcode(chance: Random, country: Country) -> str:
    digits = f"{chance.randrange(10 ** (country.digits - 1), 10**country.digits)}"
    return digits + (
        f" {chance.choice('ABCDEFGH')}{chance.choice('ABCDEFGH')}" if country.digits == 4 else ""
    )


def _home(
    chance: Random, country: Country, families: Frequent, postcodes: list[tuple[str, str]]
) -> Values:
    town, postcode = chance.choice(postcodes)
    way, name = chance.choice(country.streets), families.draw(chance)
    street = f"{way}{name}" if way.endswith(" ") else f"{name}{way}"
    return {
        "street": f"{street}{', ' if way.endswith(' ') else ' '}{chance.randint(1, 120)}",
        "postcode": postcode, "city": town,
        "phone": country.phone.format(chance.randrange(10**7)),
    }  # fmt: skip


def _mailbox(chance: Random, given: str, family: str) -> str:
    local = chance.choice(["{0}.{1}", "{0}{1}", "{0}_{1}{2}", "{3}.{1}{2}"]).format(
        given, family, chance.randint(1, 99), given[0]
    )
    host = chance.choice(["example.com", "example.org", "mail.test"])
    return f"{anyascii(local.lower()).replace(' ', '').replace(chr(39), '')}@{host}"


def _filled_in(
    chance: Random,
    country: Country,
    values: Values,
    *,
    towns: list[tuple[str, str]],
    families: Frequent,
    is_first: bool,
) -> Values:
    cells = dict(values)
    if not is_first:
        if chance.random() < 0.12:
            cells |= _home(chance, country, families, towns) | {"phone": cells["phone"]}
        if chance.random() < 0.2:
            cells["phone"] = country.phone.format(chance.randrange(10**7))
        if chance.random() < 0.3:
            cells["email"] = _mailbox(chance, cells["given_name"], cells["family_name"])
        if country.families == 2 and chance.random() < 0.3:
            cells["family_name"] = cells["family_name"].split()[0]
        if chance.random() < 0.04:
            cells["given_name"] = cells["given_name"][0] + "."
        if chance.random() < 0.03:
            cells["given_name"], cells["family_name"] = cells["family_name"], cells["given_name"]
    for name in ("given_name", "family_name", "street", "city"):
        if chance.random() < 0.25:
            cells[name] = varied(chance, cells[name], country.spellings)
        if chance.random() < 0.04:
            cells[name] = typo(chance, cells[name])
    if chance.random() < 0.05:
        cells["birth_date"] = misread_date(chance, cells["birth_date"])
    if chance.random() < 0.2:
        cells |= {name: cells[name].upper() for name in ("given_name", "family_name", "city")}
    cells = without(
        chance, cells, {"birth_date": 0.35, "email": 0.35, "phone": 0.3, "street": 0.15}
    )
    if cells["birth_date"]:
        cells["birth_date"] = ".".join(reversed(cells["birth_date"].split("-")))
    return {country.headings[name]: value for name, value in cells.items()}


GERMAN, SPANISH, ITALIAN, DUTCH = map(_customers_of, (_GERMANY, _SPAIN, _ITALY, _NETHERLANDS))
