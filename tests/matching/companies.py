"""Invented organisations in two sources, with their branches, namesakes and people."""

import random
from collections.abc import Iterator, Mapping

from tests.matching.people import FAMILY, GIVEN

Row = Mapping[str, str]

_TRADES = (
    "Menuiserie Boulangerie Garage Pharmacie Transports Imprimerie Plomberie Optique Fleurs "
    "Maçonnerie Électricité Librairie Taxis Horlogerie Couverture Peinture"
).split()
_FORMS = ("SARL", "SAS", "S.A.R.L.", "EURL", "SA", "")
_TOWNS = ("Nantes", "Rennes", "Angers", "Tours", "Brest", "Laval", "Vannes", "Niort")


def siren(chance: random.Random) -> str:
    """Return nine digits whose check digit is right."""
    digits = [chance.randint(1, 9), *(chance.randint(0, 9) for _ in range(7))]
    doubled = [sum(divmod(2 * d, 10)) if n % 2 else d for n, d in enumerate(digits)]
    return "".join(map(str, [*digits, -sum(doubled) % 10]))


def vat(number: str) -> str:
    """Return the French VAT number of a SIREN."""
    return f"FR{(12 + 3 * int(number)) % 97:02}{number}"


def companies(count: int, seed: int = 1) -> Iterator[tuple[str, str, Row]]:
    """Yield (source, entity, values): organisations, half of them twice, and their people.

    Every tenth is the namesake of the one before, in another town with a number of its own.
    """
    chance = random.Random(seed)
    name = ""
    for number in range(count):
        if number % 10 or not name:
            name = f"{chance.choice(_TRADES)} {chance.choice(FAMILY)}"
        firm = _firm(chance, name, number)
        yield "erp", f"o{number}", _spelt(chance, firm, sparse=0.1)
        if chance.random() < 0.5:
            yield "crm", f"o{number}", _spelt(chance, _as_crm(chance, firm), sparse=0.3)
        if chance.random() < 0.3:
            given, family = chance.choice(GIVEN), chance.choice(FAMILY)
            person = {"given_name": given, "family_name": family}
            yield "crm", f"p{number}", {**firm, **person, "identifier": ""}


def _firm(chance: random.Random, name: str, number: int) -> dict[str, str]:
    town = chance.randrange(len(_TOWNS))
    host = f"{name.split()[0][:5]}-{name.split()[1]}{number}.example.com".lower()
    return {
        "organisation": name,
        "identifier": siren(chance),
        "email": f"contact@{host}".replace("é", "e").replace("ç", "c"),
        "website": f"https://www.{host}/".replace("é", "e").replace("ç", "c"),
        "phone": f"+3319900{number:04}",
        "street_number": str(chance.randint(1, 90)),
        "street": f"rue {chance.choice(FAMILY)}",
        "postcode": f"{44 + town}000",
        "city": _TOWNS[town],
    }


def _as_crm(chance: random.Random, firm: dict[str, str]) -> dict[str, str]:
    """Return what another service knows: the VAT number, other mailboxes, now and then a move."""
    host = firm["email"].partition("@")[2]
    changed = {
        "identifier": vat(firm["identifier"]),
        "email": f"{chance.choice(GIVEN).lower()}@{host}".replace("é", "e").replace("ç", "c"),
    }
    if chance.random() < 0.2:
        changed |= {"phone": f"+33198{chance.randint(0, 999999):06}"}
    return {**firm, **changed}


def _spelt(chance: random.Random, firm: dict[str, str], sparse: float) -> Row:
    name = f"{firm['organisation']} {chance.choice(_FORMS)}".strip()
    if chance.random() < 0.2:
        name = name[:4] + name[5:]
    row = {**firm, "organisation": name.upper() if chance.random() < 0.5 else name}
    kept = ("organisation", "city")
    return {k: v for k, v in row.items() if k in kept or chance.random() >= sparse}
