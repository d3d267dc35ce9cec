"""What a person's details look like once written into a form: the slips that every source shares.

The rates are per line. Each source then adds its own dirt: capitals and abbreviations at the till,
numbers that were text in the spreadsheet, half-empty lines in the newsletter tool.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import TypeVar

from mdm.demo import dirt
from mdm.demo.people import Appearance, Person

_FAMILY_NAME_TYPO = 0.03
_GIVEN_NAME_TYPO = 0.025
_SHORT_GIVEN_NAME = 0.05
_SWAPPED_NAMES = 0.02
_BIRTH_NAME_INSTEAD = 0.08
_WRONG_BIRTH_DATE = 0.05
_STREET_TYPO = 0.03
_TOWN_TYPO = 0.03
_EMAIL_TYPO = 0.015
_PHONE_TYPO = 0.02
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Writing:
    """The fields of a form as text, before the source's own style; "" is a field left blank."""

    given_name: str
    family_name: str
    birth_name: str
    born_on: date
    line: str
    complement: str
    postcode: str
    city: str
    email: str
    mobile: str
    landline: str


def write_down(rng: Random, person: Person, day: date) -> Writing:
    """Write the person's details of the day with the slips of one hand."""
    appearance = person.on(day)
    address = appearance.address
    given_name, family_name = _names(rng, appearance)
    return Writing(
        given_name=given_name,
        family_name=family_name,
        birth_name=appearance.birth_name,
        born_on=_sometimes(rng, _WRONG_BIRTH_DATE, dirt.misremember_date, person.born_on),
        line=_sometimes(rng, _STREET_TYPO, dirt.mistype, address.line),
        complement=address.complement,
        postcode=address.postcode,
        city=_sometimes(rng, _TOWN_TYPO, dirt.mistype, address.city),
        email=_sometimes(rng, _EMAIL_TYPO, _mistype_mailbox, appearance.email),
        mobile=_sometimes(rng, _PHONE_TYPO, dirt.misdial, appearance.mobile),
        landline=appearance.landline,
    )


def _names(rng: Random, appearance: Appearance) -> tuple[str, str]:
    given = _sometimes(rng, _SHORT_GIVEN_NAME, dirt.shorten_given_name, appearance.given_name)
    given = _sometimes(rng, _GIVEN_NAME_TYPO, dirt.mistype, given)
    uses_birth_name = rng.random() < _BIRTH_NAME_INSTEAD
    family = appearance.birth_name if uses_birth_name else appearance.family_name
    family = _sometimes(rng, _FAMILY_NAME_TYPO, dirt.mistype, family)
    return (family, given) if rng.random() < _SWAPPED_NAMES else (given, family)


def _mistype_mailbox(rng: Random, email: str) -> str:
    local, at, domain = email.partition("@")
    return dirt.mistype(rng, local) + at + domain


def _sometimes(rng: Random, rate: float, change: Callable[[Random, T], T], value: T) -> T:
    return change(rng, value) if value and rng.random() < rate else value
