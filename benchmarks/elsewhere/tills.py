"""Cards of a till (name, postcode, phone), and an English list of names and addresses only."""

from collections.abc import Iterator
from random import Random

from benchmarks.elsewhere.slips import typo, varied, without
from benchmarks.elsewhere.words import Frequent, Line, Values, names_of
from mdm.demo.names import NICKNAMES, draw_family_name, draw_given_name

_MISHEARD = (
    ("eau", "o"), ("ault", "aud"), ("ph", "f"), ("ou", "oo"), ("tt", "t"), ("nn", "n"),
    ("y", "i"), ("er", "é"), ("é", "e"), ("ll", "l"), ("in", "ain"), ("ss", "s"),
)  # fmt: skip


def lines(chance: Random) -> Iterator[Line]:
    """Yield cards of the shops of one county: families give one phone, cards are lost."""
    postcodes = [f"44{chance.randint(0, 99) * 10:03}" for _ in range(60)]
    number = 0
    for _ in range(3600):
        family, shared = draw_family_name(chance), _phone(chance)
        postcode = chance.choice(postcodes)
        for place in range(chance.choices([1, 2, 3, 4], [45, 33, 14, 8])[0]):
            number += 1
            birth = chance.randint(1945, 1985) if place < 2 else chance.randint(1985, 2005)
            sex = "MF"[place % 2] if place < 2 else chance.choice("MF")
            values = {
                "prénom": draw_given_name(chance, "M" if sex == "M" else "F", birth),
                "nom": draw_family_name(chance)
                if place == 1 and chance.random() < 0.2
                else family,
                "code postal": postcode,
                "téléphone": shared if chance.random() < 0.6 else _phone(chance),
            }
            for copy in range(chance.choices([1, 2, 3], [62, 28, 10])[0]):
                source = chance.choice(["nantes", "reze", "ancenis"])
                yield Line(source, str(number), _at_the_till(chance, values, postcodes, copy))


def _phone(chance: Random) -> str:
    return f"{chance.choice(['06', '06', '07', '02'])}{chance.randrange(10**8):08}"


def _at_the_till(chance: Random, values: Values, postcodes: list[str], copy: int) -> Values:
    cells = dict(values)
    if copy and chance.random() < 0.15:
        cells["téléphone"] = _phone(chance)
    if copy and chance.random() < 0.1:
        cells["code postal"] = chance.choice(postcodes)
    if chance.random() < 0.05:
        cells["prénom"] = NICKNAMES.get(cells["prénom"], cells["prénom"])
    if chance.random() < 0.03:
        cells["prénom"] = cells["prénom"][0]
    for name in ("prénom", "nom"):
        if chance.random() < 0.05:
            cells[name] = varied(chance, cells[name], _MISHEARD)
        if chance.random() < 0.03:
            cells[name] = typo(chance, cells[name])
    if chance.random() < 0.02:
        cells["prénom"], cells["nom"] = cells["nom"], cells["prénom"]
    if chance.random() < 0.02:
        cells["téléphone"] = typo(chance, cells["téléphone"])
    if chance.random() < 0.5:
        cells |= {name: cells[name].upper() for name in ("prénom", "nom")}
    missing = {"téléphone": 0.15, "prénom": 0.03, "code postal": 0.05}
    return without(chance, cells, missing)


_SHORT = {
    "Christopher": "Chris", "Thomas": "Tom", "Stephen": "Steve", "Rebecca": "Becky",
    "Susan": "Sue", "Michael": "Mike", "Matthew": "Matt", "Katherine": "Kate", "Andrew": "Andy",
    "Robert": "Bob", "Joanne": "Jo", "Deborah": "Debbie", "Anthony": "Tony", "Nicholas": "Nick",
    "Samantha": "Sam", "Jennifer": "Jenny", "Daniel": "Dan", "William": "Bill", "David": "Dave",
}  # fmt: skip
_WAYS = {"Road": "Rd", "Street": "St", "Avenue": "Ave", "Lane": "Ln", "Close": "Cl", "Drive": "Dr"}
_TOWNS = (
    ("Leeds", "LS"), ("Bradford", "BD"), ("York", "YO"), ("Hull", "HU"), ("Sheffield", "S"),
    ("Wakefield", "WF"), ("Huddersfield", "HD"), ("Halifax", "HX"),
)  # fmt: skip


def letters(chance: Random) -> Iterator[Line]:
    """Yield an address list of two charities: no birth date, phone or e-mail."""
    men, women, families = names_of("en_GB", 91)
    number = 0
    for _ in range(2600):
        home, family = _english_home(chance, families), families.draw(chance)
        for place in range(chance.choices([1, 2, 3], [50, 38, 12])[0]):
            number += 1
            given = (men if place % 2 else women).draw(chance)
            for copy in range(chance.choices([1, 2, 3], [55, 33, 12])[0]):
                there = _english_home(chance, families) if copy and chance.random() < 0.1 else home
                values = {"first name": given, "surname": family, **there}
                source = chance.choice(["mailing", "donors"])
                yield Line(source, str(number), _on_a_letter(chance, values))


def _english_home(chance: Random, families: Frequent) -> Values:
    town, area = chance.choice(_TOWNS)
    street = chance.choice([families.draw(chance), *"Church Park High Mill Station Green".split()])
    return {
        "address": f"{chance.randint(1, 160)} {street} {chance.choice(list(_WAYS))}",
        "town": town,
        "postcode": f"{area}{chance.randint(1, 18)} {chance.randint(1, 9)}"
        f"{chance.choice('ABDEHJLNPQRSTUWXYZ')}{chance.choice('ABDEHJLNPQRSTUWXYZ')}",
    }


def _on_a_letter(chance: Random, values: Values) -> Values:
    cells = dict(values)
    if chance.random() < 0.12:
        cells["first name"] = _SHORT.get(cells["first name"], cells["first name"])
    if chance.random() < 0.1:
        cells["first name"] = cells["first name"][0]
    for name in ("first name", "surname", "address", "town", "postcode"):
        if chance.random() < 0.04:
            cells[name] = typo(chance, cells[name])
    if chance.random() < 0.3:
        for long, short in _WAYS.items():
            cells["address"] = cells["address"].replace(f" {long}", f" {short}")
    if chance.random() < 0.15:
        cells |= {name: cells[name].upper() for name in ("first name", "surname", "town")}
    return without(
        chance, cells, {"first name": 0.04, "address": 0.06, "postcode": 0.1, "town": 0.05}
    )
