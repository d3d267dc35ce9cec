"""The customer system: filled in at tills and by phone, exported as in another age."""

from datetime import date, timedelta
from random import Random

from mdm.demo import dirt
from mdm.demo.handwriting import Writing, write_down
from mdm.demo.names import Sex
from mdm.demo.registrations import Registration

COLUMNS = (
    "id_client", "civilite", "nom", "nom_naissance", "prenom", "naissance", "adresse",
    "complement", "cp", "ville", "tel", "portable", "email", "date_creation", "date_maj",
    "accord_email", "accord_sms", "accord_tel", "accord_courrier", "date_accord",
    "contrat_famille", "contrat_debut", "contrat_fin",
)  # fmt: skip
CONTRACT_FAMILIES = ("maison", "jardin", "électroménager")
_CIVILITIES: dict[Sex, tuple[str, ...]] = {
    "F": ("Mme", "Mme", "MME", "Madame", "Mlle", ""),
    "M": ("M.", "M.", "M", "Mr", "Monsieur", ""),
}
_BIRTH_DATE_RATE = 0.72
_CONTRACT_RATE = 0.15


def crm_row(rng: Random, number: int, registration: Registration) -> list[str]:
    """Give one line of the export, in the order of `COLUMNS`."""
    person = registration.person
    updated_on = registration.updated_at.date()
    writing = write_down(rng, person, updated_on)
    given_name, family_name, birth_name = _styled_names(rng, writing)
    line, complement, city = _styled_address(rng, writing)
    return [
        crm_key(number),
        rng.choice(_CIVILITIES[person.sex]),
        family_name,
        birth_name,
        given_name,
        _french(writing.born_on) if rng.random() < _BIRTH_DATE_RATE else "",
        line,
        complement,
        writing.postcode,
        city,
        dirt.format_phone(rng, writing.landline),
        dirt.format_phone(rng, writing.mobile),
        writing.email if rng.random() < 0.8 else "",
        _french(registration.created_at.date()),
        _french(updated_on),
        *_answers(rng, person.goodwill, updated_on),
        *_contract(rng, registration.created_at.date(), updated_on),
    ]


def crm_key(number: int) -> str:
    """Give the customer number of the n-th line."""
    return f"C{100_000 + number}"


def _styled_names(rng: Random, writing: Writing) -> tuple[str, str, str]:
    names = (writing.given_name, writing.family_name, _stated_birth_name(rng, writing))
    style = rng.random()
    if style < 0.30:  # a till: everything in capitals
        given, family, birth = (dirt.shout(name) for name in names)
    elif style < 0.75:  # a call centre: the family name in capitals
        given, family, birth = names[0], dirt.lose_accents(names[1]).upper(), names[2]
    else:
        given, family, birth = names
    if rng.random() < 0.04:
        family = dirt.stray_blanks(rng, family)
    return given, family, birth


def _stated_birth_name(rng: Random, writing: Writing) -> str:
    differs = writing.birth_name != writing.family_name
    return writing.birth_name if differs and rng.random() < 0.4 else ""


def _styled_address(rng: Random, writing: Writing) -> tuple[str, str, str]:
    style = rng.random()
    line, complement, city = writing.line, writing.complement, writing.city
    if rng.random() < 0.35:
        line = dirt.abbreviate(rng, line)
    if rng.random() < 0.2:
        line = line.replace(" ", ", ", 1)
    if style < 0.45:
        line, city = dirt.shout(line), dirt.shout(city)
    elif style < 0.6:
        city = dirt.lose_accents(city).replace("-", " ")
    if rng.random() < 0.08:
        line = ""
    return line, complement, city


def _answers(rng: Random, goodwill: float, asked_on: date) -> list[str]:
    answers = [_answer(rng, goodwill) for _ in range(4)]
    return [*answers, _french(asked_on) if any(answers) else ""]


def _answer(rng: Random, goodwill: float) -> str:
    if rng.random() < 0.35:
        return ""  # never asked: neither a yes nor a no
    return "O" if rng.random() < 0.15 + 0.7 * goodwill else "N"


def _contract(rng: Random, created_on: date, updated_on: date) -> list[str]:
    if rng.random() >= _CONTRACT_RATE:
        return ["", "", ""]
    start = created_on + (updated_on - created_on) * rng.random()
    end = start + timedelta(days=365 * rng.choice((1, 2, 3, 5)))
    return [
        rng.choice(CONTRACT_FAMILIES),
        _french(start),
        _french(end) if rng.random() < 0.7 else "",
    ]


def _french(day: date) -> str:
    return f"{day:%d/%m/%Y}"
