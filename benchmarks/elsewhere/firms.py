"""Organisations: legal forms and abbreviations, branches, namesakes, hardly any number."""

from collections.abc import Iterator
from random import Random

from benchmarks.elsewhere.slips import typo, without
from benchmarks.elsewhere.words import Frequent, Line, Values, of_faker

_TRADES = (
    "Boulangerie Garage Menuiserie Pharmacie Transports Imprimerie Plomberie Optique Maçonnerie "
    "Électricité Librairie Taxis Couverture Peinture Restaurant Hôtel Brasserie Coiffure "
    "Chauffage Carrelage Paysages Immobilier Assurances Informatique Conseil Nettoyage"
).split()
_HEADS = (
    "Alpha Nova Atlan Euro Rhône Loire Sud Nord Litto Médi Techno Agri Bio Aéro Cyber Inter "
    "Multi Archi Hydro Thermo Éco Géo Opti Pro Sol"
).split()
_TAILS = (
    "tec plus services pro bat log net form med co line ware lab concept industrie distribution "
    "solutions systèmes énergie habitat"
).split()
_FORMS = ("SARL", "S.A.R.L.", "SAS", "SASU", "EURL", "SA", "", "", "")
_SHORT = {
    "Établissements": "Ets", "Société": "Sté", "Compagnie": "Cie", "Électricité": "Elec",
    "Transports": "Transp.", "Menuiserie": "Menuis.", "Services": "Serv.", "Frères": "Frs",
    "distribution": "distrib", "industrie": "ind.", "et": "&", "Boulangerie": "Boul.",
}  # fmt: skip
_WAYS = ("rue", "avenue", "zone artisanale")
_BRANCHES = ("Agence", "Dépôt", "Établissement de")


def lines(chance: Random) -> Iterator[Line]:
    """Yield customers and suppliers of a firm: one in ten has branches, each a line or two."""
    families = Frequent.ranked(list(of_faker("fr_FR").last_names))
    number = 0
    while number < 3000:
        name, number = _name(chance, families), number + 1
        site = name.lower().replace(" ", "-").replace("é", "e").replace("è", "e").replace("ç", "c")
        firm = {
            "siren": _siren(chance),
            "site web": f"www.{''.join(filter(str.isalnum, site))}{number}.example.com",
        }
        count = chance.choices([1, 2, 3], [90, 7, 3])[0]
        for branch in range(count):
            home = _address(chance, families)
            for _ in range(chance.choices([1, 2, 3], [55, 35, 10])[0]):
                yield Line(
                    chance.choice(["erp", "crm", "crm"]),
                    str(number),
                    _spelt(chance, name, {**firm, **home}, is_branch=branch > 0),
                )


def _name(chance: Random, families: Frequent) -> str:
    if chance.random() < 0.45:
        return f"{chance.choice(_TRADES)} {families.draw(chance)}"
    if chance.random() < 0.3:
        words = chance.choice(["Établissements {0}", "{0} et Fils", "{0} Frères", "Compagnie {0}"])
        return words.format(families.draw(chance))
    made = chance.choice(_HEADS) + chance.choice(_TAILS)
    return made if chance.random() < 0.5 else f"{made} {chance.choice(_TRADES)}"


def _siren(chance: Random) -> str:
    """Return nine digits whose check digit is right."""
    digits = [chance.randint(1, 9), *(chance.randint(0, 9) for _ in range(7))]
    doubled = [sum(divmod(2 * d, 10)) if n % 2 else d for n, d in enumerate(digits)]
    return "".join(map(str, [*digits, -sum(doubled) % 10]))


def _address(chance: Random, families: Frequent) -> Values:
    area = chance.randint(1, 90)
    return {
        "adresse": f"{chance.randint(1, 150)} {chance.choice(_WAYS)} {families.draw(chance)}",
        "code postal": f"{area:02}{chance.choice([0, 100, 200, 300, 500]):03}",
        "ville": f"{chance.choice(['Saint-', 'Mont', 'Ville', 'Beau', 'Château'])}"
        f"{families.words[area * 3]}",
        "téléphone": f"01 99 {chance.randint(0, 99):02} {chance.randint(0, 99):02} "
        f"{chance.randint(0, 99):02}",
    }


def _spelt(chance: Random, name: str, cells: Values, *, is_branch: bool) -> Values:
    if chance.random() < 0.25:
        name = " ".join(_SHORT.get(word, word) for word in name.split())
    if chance.random() < 0.06:
        name = typo(chance, name)
    form = chance.choice(_FORMS)
    name = f"{form} {name}" if chance.random() < 0.2 else f"{name} {form}"
    if is_branch and chance.random() < 0.3:
        name = f"{name.strip()} {chance.choice(_BRANCHES)} {cells['ville']}"
    if chance.random() < 0.4:
        name = name.upper()
    if chance.random() < 0.08:
        cells = {
            **cells,
            "téléphone": f"01 99 {chance.randint(10, 99)} {chance.randint(10, 99)} 00",
        }
    if chance.random() < 0.1:
        cells = {**cells, "adresse": typo(chance, cells["adresse"])}
    return without(
        chance,
        {"raison sociale": name.strip(), **cells},
        {"siren": 0.8, "site web": 0.7, "téléphone": 0.3, "adresse": 0.15},
    )
