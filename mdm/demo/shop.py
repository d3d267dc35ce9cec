"""The web shop: typed by its customers, exported as a workbook that turned text into numbers."""

from datetime import date, datetime, time
from random import Random

from mdm.demo import dirt
from mdm.demo.handwriting import write_down
from mdm.demo.registrations import Registration

Cell = str | int | float | datetime | None

SHEET = "Clients"
COLUMNS = (
    "customer_id", "gender", "firstname", "lastname", "email", "birthday", "address1", "address2",
    "postcode", "city", "country", "phone", "phone_mobile", "newsletter", "date_add", "date_upd",
    "last_order", "last_order_amount", "last_order_family",
)  # fmt: skip
SALE_FAMILIES = ("maison", "maison", "jardin", "électroménager", "mode", "enfant", "loisirs")
_GENDER_CODES = {"M": 1, "F": 2}
_BIRTH_DATE_RATE = 0.4
_NUMBER_CELL_RATE = 0.45
_ORDER_RATE = 0.75
_STYLES = (str, str, str, str, str.lower, str.upper, dirt.lose_accents, dirt.lose_accents)


def shop_row(rng: Random, number: int, registration: Registration) -> list[Cell]:
    """Give one line of the sheet, in the order of `COLUMNS`."""
    person = registration.person
    writing = write_down(rng, person, registration.updated_at.date())
    line = dirt.abbreviate(rng, writing.line) if rng.random() < 0.2 else writing.line
    return [
        shop_key(number),
        _GENDER_CODES[person.sex] if rng.random() < 0.85 else 0,
        dirt.restyle(rng, writing.given_name, _STYLES) or None,
        dirt.restyle(rng, writing.family_name, _STYLES) or None,
        (writing.email if rng.random() < 0.97 else "") or None,
        _midnight(writing.born_on) if rng.random() < _BIRTH_DATE_RATE else None,
        dirt.restyle(rng, line, _STYLES),
        writing.complement or None,
        _maybe_number(rng, writing.postcode),
        dirt.restyle(rng, writing.city, _STYLES),
        rng.choice(("FR", "France", None)),
        _phone(rng, writing.landline),
        _phone(rng, writing.mobile),
        _newsletter(rng, person.goodwill),
        registration.created_at,
        registration.updated_at,
        *_last_order(rng, registration),
    ]


def shop_key(number: int) -> int:
    """Give the customer number of the n-th line."""
    return 5_000 + number


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min)


def _maybe_number(rng: Random, digits: str) -> Cell:
    # What a spreadsheet makes of 06400: 6400.
    return int(digits) if digits.isdigit() and rng.random() < _NUMBER_CELL_RATE else digits


def _phone(rng: Random, number: str) -> Cell:
    if not number:
        return None
    written = dirt.format_phone(rng, number)
    return _maybe_number(rng, written) if written == number else written


def _newsletter(rng: Random, goodwill: float) -> Cell:
    if rng.random() < 0.35:
        return None  # ordered as a guest: the box was never shown
    return int(rng.random() < 0.1 + 0.8 * goodwill)


def _last_order(rng: Random, registration: Registration) -> list[Cell]:
    if rng.random() >= _ORDER_RATE:
        return [None, None, None]
    amount = round(rng.lognormvariate(4.0, 0.8), 2)
    return [registration.updated_at, amount, rng.choice(SALE_FAMILIES)]
