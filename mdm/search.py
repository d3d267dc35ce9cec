"""One box that finds a customer by whatever one knows: name, contact point, id, source key.

Exact things are looked up by their index first; words are then looked for in the folded text of
golden records, which holds every value of every member, so old names and numbers find her too.
PostgreSQL has an index of the words there, but none of the addresses, numbers, keys and ids behind
them: whole ones have indexes of their own, and to take each apart into three letters was more than
half of what words cost a load. A part of one is looked for in every row: what has digits always,
beside words that the index finds, and anything else where words alone find nobody.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db import connection
from django.db.models import F, Func, Q, TextField, Value
from django.db.models.lookups import Contains
from django.utils.translation import gettext as _

from mdm.birth_ids import birth_number, display
from mdm.folding import fold
from mdm.models import ContactPoint, Customer, GoldenRecord, SourceRecord, SourceSystem
from mdm.standardise.phones import standardise_phones

MOST_HITS = 50
# Names too common to be told apart are ranked among so many, not among all.
_MOST_RANKED = 500
_WORDS_APART = re.compile(r"[\s'’,;-]+")
# As the index has it, letter by letter (`golden_record_search`).
_INDEXED = Func(
    F("search_text"), Value("  "), Value(1), function="split_part", output_field=TextField()
)
_ONLY_A_NUMBER = re.compile(r"[+\d][\d\s./()-]{4,}")


@dataclass(frozen=True, slots=True)
class Hit:
    """One customer found, and by what."""

    customer_id: int
    public_id: str
    display_id: str
    name: str
    birth_date: date | None
    city: str
    email: str
    phone: str
    record_count: int
    reason: str = ""


def find(text: str) -> list[Hit]:
    """Return at most MOST_HITS + 1 customers, exact finds first; the one too many says "more"."""
    text = text.strip()
    if not text:
        return []
    reasons = {**_by_id(text), **_by_contact_point(text), **_by_source_key(text)}
    found = list(reasons)
    if not reasons or _is_word(text):
        found += [key for key in _by_words(text) if key not in reasons]
    return _hits(found[: MOST_HITS + 1], reasons, _words_of(text))


def _by_id(text: str) -> dict[int, str]:
    number = birth_number(text)
    customer = number and Customer.objects.filter(pk=number).first()
    if not customer:
        return {}
    if customer.merged_into_id:
        return {
            customer.merged_into_id: _("%(id)s was merged into this customer") % {"id": customer}
        }
    return {customer.pk: _("this customer id")}


def _by_contact_point(text: str) -> dict[int, str]:
    wanted = Q()
    if "@" in text:
        wanted |= Q(kind=ContactPoint.Kind.EMAIL, value=text.casefold())
    if _ONLY_A_NUMBER.fullmatch(text):
        numbers = [phone.value for phone in standardise_phones(text, "FR")]
        wanted |= Q(kind=ContactPoint.Kind.PHONE, value__in=numbers)
    if not wanted:
        return {}
    points = ContactPoint.objects.filter(wanted).values_list("pk", flat=True)
    carriers = (
        SourceRecord.objects.active()
        .filter(carried__contact_point__in=list(points))
        .order_by("customer_id")
        .values_list("customer_id", flat=True)
        .distinct()
    )
    return dict.fromkeys(carriers[: MOST_HITS + 1], _("this contact point"))


def _by_source_key(text: str) -> dict[int, str]:
    # Naming every source lets the index on (source, key) be used.
    sources = dict(SourceSystem.objects.values_list("pk", "label"))
    source_code, _dot, key = text.rpartition("·")
    records = SourceRecord.objects.filter(source__in=list(sources), source_key=key or text)
    if source_code:
        records = records.filter(source__code=source_code)
    return {
        customer: _("key in %(source)s") % {"source": sources[source]}
        for customer, source in records.values_list("customer_id", "source_id")[:MOST_HITS]
    }


def _is_word(text: str) -> bool:
    """False for what only an exact look-up can mean; a word may look like an id or a key."""
    return "@" not in text and not _has_digit(text)


def _has_digit(text: str) -> bool:
    return any(letter.isdigit() for letter in text)


def _by_words(text: str) -> Iterable[int]:
    words = _words_of(text)
    if not words:
        return []
    return [pk for pk, *names in sorted(_with_words(words), key=lambda row: _rank(words, row))]


def _words_of(text: str) -> list[str]:
    if _ONLY_A_NUMBER.fullmatch(text):
        return [re.sub(r"\D", "", text).removeprefix("00").lstrip("0")]
    return [word for word in _WORDS_APART.split(fold(text)) if len(word) > 1]


def _with_words(words: list[str]) -> list[tuple[int, str, str]]:
    """Return key and names of golden records whose text holds all of these words."""
    if connection.vendor != "postgresql":
        return _rows(words, [])
    numbers = [word for word in words if _has_digit(word)]
    others = [word for word in words if not _has_digit(word)]
    return (others and _rows(numbers, others)) or _rows(words, [])


def _rows(anywhere: list[str], indexed: list[str]) -> list[tuple[int, str, str]]:
    golden = GoldenRecord.objects.all()
    for word in anywhere:
        golden = golden.filter(search_text__contains=word)
    for word in indexed:
        golden = golden.filter(Contains(_INDEXED, word))
    return list(golden.values_list("pk", "given_name", "family_name")[:_MOST_RANKED])


def _rank(words: list[str], row: tuple[int, str, str]) -> tuple[int, str, int]:
    """Order by how many words are names in full; a town or the middle of a word comes later."""
    pk, given_name, family_name = row
    name = fold(f"{family_name} {given_name}")
    in_full = set(words).intersection(_WORDS_APART.split(name))
    return -len(in_full), name, pk


def _hits(customer_ids: list[int], reasons: dict[int, str], words: list[str]) -> list[Hit]:
    customers = Customer.objects.select_related("golden").in_bulk(customer_ids)
    found = [customers[key] for key in customer_ids]
    return [_hit(one, reasons.get(one.pk) or _where(words, one)) for one in found]


def _where(words: list[str], customer: Customer) -> str:
    """Return what of a customer holds the words: `name, town`; nothing when her name does."""
    golden = getattr(customer, "golden", None)
    if golden is None:
        return ""
    name = _("name")
    values = {
        name: " ".join(
            (golden.given_name, golden.family_name, golden.birth_name, golden.organisation)
        ),
        _("town"): f"{golden.postcode} {golden.city}",
        _("e-mail"): golden.email,
        _("phone"): f"{golden.phone} {golden.other_phone}",
    }
    texts = {label: fold(value) for label, value in values.items()}
    where = {next((at for at, text in texts.items() if word in text), "") for word in words}
    told = [label for label in texts if label in where]
    if "" in where:
        told.append(_("what one of her records says"))
    return "" if told in ([], [name]) else _("found by: %(what)s") % {"what": ", ".join(told)}


def _hit(customer: Customer, reason: str) -> Hit:
    golden = getattr(customer, "golden", None)
    return Hit(
        customer_id=customer.pk,
        public_id=customer.public_id,
        display_id=display(customer.public_id),
        name=str(golden) if golden else "",
        birth_date=golden.birth_date if golden else None,
        city=golden.city if golden else "",
        email=golden.email if golden else "",
        phone=golden.phone if golden else "",
        record_count=golden.record_count if golden else 0,
        reason=reason,
    )
