"""What the values of a column look like, whatever its name is."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache

import phonenumbers

from mdm.mapping import NO, YES
from mdm.standardise import months
from mdm.standardise.counted_dates import COUNTED
from mdm.standardise.dates import names_year, parse_date, parse_moment
from mdm.standardise.fillers import is_filler
from mdm.standardise.text import clean, fold
from mdm.standardise.whole_addresses import split_address

MOST = 0.8  # Of the values that are not blank: some are always wrong.
NEARLY_ALL = 0.95
_TRIED = 200

# ISO 8601 needs no format and comes first. Day before month, then month before day.
DATE_FORMATS = (
    "",
    "%d/%m/%Y", "%m/%d/%Y", "%d/%m/%y", "%m/%d/%y", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%Y",
    "%d %m %Y", "%d-%m-%y", "%d.%m.%y", "%Y/%m/%d", "%Y%m%d", "%d%m%Y",
    "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S",
    "%d/%m/%y %H:%M", "%m/%d/%y %H:%M", "%d-%m-%Y %H:%M", "%d-%m-%Y %H:%M:%S",
    "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S", "%Y/%m/%d %H:%M", "%Y/%m/%d %H:%M:%S", "%Y%m%d%H%M%S",
    "%m/%d/%Y %I:%M %p", "%m/%d/%y %I:%M %p", "%m/%d/%Y %I:%M:%S %p",
    "%d %B %Y", "%d %b %y", "%B %d %Y", "%d %B %Y %H:%M", "%d %B %Y %H:%M:%S",
)  # fmt: skip
MONTH_FIRST = frozenset(["US", "PH", "CA"])
_YEARS = range(1500, 2101)
"""Registers go back as far as birth dates are kept."""

_YEARS_OF_NUMBERS = range(1850, 2101)
"""Eight digits in a row are a date less often than a number."""

_EMAIL = re.compile(r"[^@\s;,]+@[^@\s;,]+\.[A-Za-z]{2,}")
_CIVILITIES = frozenset(
    "m mr mme mlle monsieur madame mademoiselle mrs ms miss mister dr docteur me maitre m mme "
    "m et mme herr frau sr sra".split()
) | {"m et mme", "mr et mme", "m mme"}
_STREET = re.compile(
    r"\b(?:rue|avenue|av|ave|boulevard|bd|blvd|chemin|impasse|allee|place|route|quai|square|cours|"
    r"street|st|road|rd|drive|dr|lane|ln|court|way|strasse|via|calle)\b"
)
_LEGAL_FORM = re.compile(
    r"\b(?:sarl|sas|sasu|eurl|sa|sci|snc|scop|gmbh|ag|ltd|llc|inc|corp|plc|bv|srl|spa)\b"
)
_TOWN = re.compile(r"\d{5}\s+[^\W\d][^\d]*(?:CEDEX(?:\s+\d+)?)?", re.IGNORECASE)
_POSTCODE = re.compile(r"(?:0?[1-9]|[1-9]\d)\d{3}")
_YEAR_ALONE = re.compile(r"(?:1[89]|20)\d\d")
_DIGITS = re.compile(r"\d+")
_HALF_OF_DAY = re.compile(r"\b[ap]m$", re.IGNORECASE)


def share(values: Sequence[str], is_one: "re.Pattern[str] | frozenset[str]") -> float:
    """Return how many of the values match the whole pattern or are of the set, from 0 to 1."""
    if not values:
        return 0.0
    if isinstance(is_one, frozenset):
        return sum(fold(value) in is_one for value in values) / len(values)
    return sum(bool(is_one.fullmatch(value.strip())) for value in values) / len(values)


def look_of(values: Sequence[str], region: str) -> str:
    """Return the attribute that values which are not blank look like, or ""."""
    tried = [value for value in values[:_TRIED] if not is_filler(clean(value))]
    if not tried:
        return ""
    if share(tried, _EMAIL) >= MOST:
        return "email"
    if _are_most(tried, lambda value: _is_phone(value, region)):
        return "phone"
    if region == "FR" and share(tried, _TOWN) >= MOST:
        return "city"  # Its postcode is taken out of it.
    if share(tried, _CIVILITIES) >= NEARLY_ALL:
        return "civility"
    folded = [fold(value) for value in tried]
    if _found(folded, _LEGAL_FORM) >= 0.5:
        return "organisation"
    if _found(folded, _STREET) >= 0.6 and not looks_yes_no(tried):
        return "address_line"
    is_repeated = len(set(tried)) < len(tried) or len(tried) < 10
    if share(tried, _YEAR_ALONE) >= NEARLY_ALL:
        return ""  # 1964 is a year more often than 01964.
    if region == "FR" and is_repeated and share(tried, _POSTCODE) >= NEARLY_ALL:
        return "postcode" if all(len(value.strip()) >= 4 for value in tried) else ""
    return ""


def looks_yes_no(values: Sequence[str], least: float = NEARLY_ALL) -> bool:
    """Tell whether nearly all values, or such a share of them, are a yes or a no."""
    return share(values[:_TRIED], YES | NO) >= least


def are_words(values: Sequence[str]) -> bool:
    """Tell whether no value holds a digit, as answers in words of their own do not."""
    return not any(letter.isdigit() for value in values for letter in value)


def are_whole_addresses(values: Sequence[str], least: float) -> bool:
    """Tell whether such a share of the values is street, postcode and town in one cell."""
    tried = [value for value in values[:_TRIED] if not is_filler(clean(value))]
    return _are_most(tried, lambda value: "postcode" in split_address(value).values, least)


def looks_unique(values: Sequence[str], row_count: int) -> bool:
    """Tell whether every row has a value and no two rows the same."""
    return len(values) == row_count == len(set(values)) > 0


def has_several_words(values: Sequence[str]) -> bool:
    """Tell whether most values are two words or more, as a whole name is."""
    tried = values[:_TRIED]
    several = sum(len(clean(value).replace(",", " ").split()) >= 2 for value in tried)
    return several >= MOST * len(tried) > 0


def fitting_formats(values: Sequence[str], region: str) -> list[str]:
    """Return the date formats that read nearly all values, the likeliest first; "" is ISO.

    Two formats that differ in the order of day and month both stay when no value tells them
    apart: only a person can.
    """
    fits = _fits(values[:_TRIED])
    good = [form for form in DATE_FORMATS if fits.get(form, 0.0) >= NEARLY_ALL]
    if not good and max(fits.values(), default=0.0) >= MOST:
        good = [max(DATE_FORMATS, key=lambda form: fits.get(form, 0.0))]
    if len(good) > 1:  # One day above the twelfth, however late, tells the two apart.
        fits = _fits(values)
        good = [form for form in good if fits.get(form) == 1.0] or good
    if region in MONTH_FIRST:
        good.sort(key=lambda form: not form.startswith("%m"))
    # What reads every value comes before what some typing errors happen to fit.
    good.sort(key=lambda form: -fits.get(form, 0.0))
    return good[:1] if good[:1] == [""] else [form for form in good if form]


def prevailing_format(values: Sequence[str], region: str) -> str | None:
    """Return the date format of most values where nearly all are dates, each in its own way.

    None when they are no dates.
    """
    tried = [value for text in values[:_TRIED] if not is_filler(value := clean(text))]
    read = {value for value in tried if _YEAR_ALONE.fullmatch(value) or _formats_of(value)}
    if not tried or sum(value in read for value in tried) < MOST * len(tried):
        return None
    fits = _fits(tried)
    order = sorted(DATE_FORMATS, key=lambda form: form.startswith("%m") != (region in MONTH_FIRST))
    return max(order, key=lambda form: fits.get(form, 0.0))  # In doubt ISO 8601, the first.


def unread_count(values: Sequence[str], form: str) -> int:
    """Return how many of the values are no dates in this format, in ISO 8601, years or fillers."""

    def is_read(value: str) -> bool:
        is_known = is_filler(value) or bool(_YEAR_ALONE.fullmatch(value))
        return is_known or _reads(value, "") or (bool(form) and _reads(value, form))

    return sum(not is_read(clean(value)) for value in values)


def _fits(values: Sequence[str]) -> dict[str, float]:
    """Return which share of the values each format reads; formats that read none are left out.

    ISO 8601 is read whatever format is declared.
    """
    if not _are_most(values, _is_digital):
        return {}
    counts: Counter[str] = Counter()
    for value, number in Counter(map(clean, values)).items():
        for form in _formats_of(value):
            counts[form] += number
    iso = counts[""]
    return {form: (number + iso * bool(form)) / len(values) for form, number in counts.items()}


def _is_digital(value: str) -> bool:
    """Tell whether a value may be a date at all: most columns hold nothing of the kind."""
    digits = sum(letter.isdigit() for letter in value)
    return digits >= 4 or (digits == 3 and bool(months.plain(value)))  # 3-Jan-85


@lru_cache(maxsize=1 << 14)
def _formats_of(value: str) -> tuple[str, ...]:
    """Return the formats that read a value; only those of its shape are tried."""
    forms = _OF_SHAPE.get(_shape(value), ())
    return tuple(form for form in ("", *forms) if _reads(value, form))


def _shape(text: str) -> str:
    """Return what stands between the digits; of digits alone, how many there are."""
    if text.isdigit():
        return str(len(text))
    if plain := months.plain(text):
        return "M" + _DIGITS.sub("0", plain)
    return _HALF_OF_DAY.sub("PM", _DIGITS.sub("0", text))


def _shapes() -> dict[str, list[str]]:
    moment = datetime(2031, 12, 31, 23, 59, 58)  # noqa: DTZ001  (an example)
    found: dict[str, list[str]] = {}
    for form in filter(None, DATE_FORMATS):
        found.setdefault(_shape(moment.strftime(form)), []).append(form)
    return found


_OF_SHAPE = _shapes()


def _reads(value: str, form: str) -> bool:
    if form:
        try:
            if form not in COUNTED and not names_year(form):
                return False
            if form in COUNTED or months.names_month(form):
                moment = parse_moment(value, form)
                return moment is not None and moment.year in _YEARS
            found = datetime.strptime(value, form)  # noqa: DTZ007  (a trial)
        except (ValueError, re.error):  # The latter for %d twice, half typed.
            return False
        return found.year in (_YEARS_OF_NUMBERS if value.isdigit() else _YEARS)
    if len(value) < 8 or value.isdigit():
        return False
    found_day = parse_date(value)
    return found_day is not None or parse_moment(value) is not None


def _are_most(values: Sequence[str], is_one: Callable[[str], bool], least: float = MOST) -> bool:
    """Tell whether at least such a share of the values is one; ends once too many are not."""
    left = len(values) * (1 - least) + 1e-9
    for value in values:
        if not is_one(value):
            left -= 1
            if left < 0:
                return False
    return bool(values)


def _is_phone(value: str, region: str) -> bool:
    text = value.strip()
    digits = sum(letter.isdigit() for letter in text)
    if not 8 <= digits <= 17 or sum(letter.isalpha() for letter in text) > 3:
        return False
    # Digits alone may as well be a number of a customer or a date.
    if text.isdigit() and text[0] != "0":
        return False
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(text, region))
    except phonenumbers.NumberParseException:
        return False


def _found(folded: Sequence[str], pattern: "re.Pattern[str]") -> float:
    return sum(bool(pattern.search(value)) for value in folded) / len(folded)
