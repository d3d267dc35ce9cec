"""The newsletter tool: an e-mail address, often nothing else, and what became of it."""

from datetime import datetime, timedelta
from random import Random

from anyascii import anyascii

from mdm.demo import dirt
from mdm.demo.handwriting import Writing, write_down
from mdm.demo.registrations import Registration

COLUMNS = (
    "CONTACT_ID", "EMAIL", "PRENOM", "NOM", "SMS", "CODE_POSTAL", "OPT_IN", "DOUBLE_OPT-IN",
    "BLACKLIST", "UNSUBSCRIBED_AT", "ADDED_TIME", "MODIFIED_TIME",
)  # fmt: skip
_EMAIL_ONLY_RATE = 0.35
_STYLES = (str, str, str, str.lower, str.upper, anyascii)


def newsletter_row(rng: Random, number: int, registration: Registration) -> list[str]:
    """Give one line of the export, in the order of `COLUMNS`."""
    person = registration.person
    writing = write_down(rng, person, registration.updated_at.date())
    email = writing.email or person.email.latest
    return [
        newsletter_key(number),
        email.title() if rng.random() < 0.04 else email,
        *_optional_fields(rng, writing),
        *_permission(rng, person.goodwill, registration),
    ]


def newsletter_key(number: int) -> str:
    """Give the contact number of the n-th line."""
    return f"N{number}"


def _optional_fields(rng: Random, writing: Writing) -> list[str]:
    if rng.random() < _EMAIL_ONLY_RATE:
        return ["", "", "", ""]
    has_family_name, has_mobile, has_postcode = (rng.random() < rate for rate in (0.85, 0.3, 0.35))
    return [
        dirt.restyle(rng, writing.given_name, _STYLES),
        dirt.restyle(rng, writing.family_name, _STYLES) if has_family_name else "",
        f"33{writing.mobile[1:]}" if has_mobile and writing.mobile else "",
        writing.postcode if has_postcode else "",
    ]


def _permission(rng: Random, goodwill: float, registration: Registration) -> list[str]:
    added_at, modified_at = registration.created_at, registration.updated_at
    opted_in = rng.random() < 0.5 + 0.5 * goodwill
    confirmed = opted_in and rng.random() < 0.6
    blacklisted = rng.random() < 0.15 * (1 - goodwill)
    if blacklisted:
        modified_at = max(modified_at, added_at + timedelta(hours=rng.randrange(1, 48)))
    return [
        _yes(opted_in),
        _yes(confirmed),
        _yes(blacklisted),
        _utc(modified_at) if blacklisted else "",
        _utc(added_at),
        _utc(modified_at),
    ]


def _yes(answer: bool) -> str:  # noqa: FBT001 - the cell of a yes-or-no column
    return "Yes" if answer else "No"


def _utc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}Z"
