"""The golden row of a customer's records, or of one that is not stored yet: pure."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

from mdm.folding import fold
from mdm.json_text import JsonText
from mdm.quality import WEIGHTS, quality
from mdm.standardise.issues import is_doubtful
from mdm.standardise.record import ATTRIBUTES, Issue
from mdm.survivorship import GROUPS, Candidate, Lineage, PinnedValue, Rule, Survivors, survive


class Member(NamedTuple):
    """One active source record of a customer."""

    customer_id: int
    source_key: str
    candidate: Candidate


class GoldenRow(NamedTuple):
    """What is derived of a customer and stored, but for its version."""

    values: tuple[Any, ...]  # In the order of ATTRIBUTES.
    lineage: JsonText
    record_count: int
    quality: int
    search_text: str


class Outline(NamedTuple):
    """The golden row of a customer with one record, but for what hangs on the record's key.

    `values` are in the order of ATTRIBUTES, `groups` those that say something, `words` the text
    to search in without the customer's id (`searched_text`).
    """

    values: tuple[Any, ...]
    groups: tuple[str, ...]
    quality: int
    words: str


def outline(source_key: str, issues: Sequence[Issue], values: Sequence[Any]) -> Outline:
    """Return the outline of a record that nobody knew."""
    return outline_of(source_key, faulty_attributes(issues), tuple(values))


def outline_of(source_key: str, faulty: Collection[str], values: tuple[Any, ...]) -> Outline:
    """Return the outline of a customer's only record; its trust, date and source decide nothing.

    Args:
        source_key: the record's.
        faulty: its attributes with an issue.
        values: in the order of ATTRIBUTES.
    """
    shape = _shape(tuple(map(bool, values)))
    if shape.is_country_alone:
        values = (*values[:-1], "")
    figure = quality(dict(zip(ATTRIBUTES, values, strict=True)), faulty) if faulty else None
    words = searched_text([(source_key, searched_values(values))])
    return Outline(values, shape.groups, shape.quality if figure is None else figure, words)


class _Shape(NamedTuple):
    """What follows for a lone record from which attributes it states, whatever they say."""

    groups: tuple[str, ...]
    quality: int  # Without a doubt.
    is_country_alone: bool


@lru_cache(maxsize=4096)
def _shape(is_there: tuple[bool, ...]) -> _Shape:
    """Let those attributes survive that are there, in the order of ATTRIBUTES."""
    survivors = survive([Candidate(0, 0, 0, 0.0, frozenset(), is_there)])
    figure = quality(survivors.values)
    return _Shape(tuple(survivors.lineage), figure, is_there[-1] and not survivors.row[-1])


def born_row(key: int, public_id: str, born: Outline) -> GoldenRow:
    """Return the golden row of a customer born with one record."""
    lineage = JsonText(_born_lineage(born.groups).replace("0", str(key)))
    return GoldenRow(born.values, lineage, 1, born.quality, f"{born.words} {public_id.lower()}")


@lru_cache(maxsize=4096)
def _born_lineage(groups: tuple[str, ...]) -> str:
    """Return the lineage of a record whose key is 0: no other digit stands in it."""
    return lineage_text({group: [0, None, "only"] for group in groups})


def golden_row(
    members: Sequence[Member],
    pins: Sequence[PinnedValue],
    rules: Mapping[str, Rule],
    public_id: str,
) -> GoldenRow:
    """Return the golden row of a customer's active records."""
    if len(members) == 1 and not pins:  # Most customers: as she was born.
        lone = members[0].candidate
        born = outline_of(members[0].source_key, lone.faulty, lone.values)
        return born_row(lone.record_id, public_id, born)
    survivors = survive([member.candidate for member in members], pins, rules)
    words = searched_text([(m.source_key, searched_values(m.candidate.values)) for m in members])
    return GoldenRow(
        survivors.row,
        lineage_text(survivors.lineage),
        len(members),
        _quality(survivors, members),
        f"{words} {public_id.lower()}",
    )


def candidate_of(
    record_id: int,
    source_id: int,
    trust: int,
    updated_at: datetime | None,
    issues: Sequence[Issue],
    values: tuple[Any, ...],
) -> Candidate:
    """Return a source record as survivorship sees it."""
    moment = updated_at.timestamp() if updated_at else 0.0
    return Candidate(record_id, source_id, trust, moment, faulty_attributes(issues), values)


def faulty_attributes(issues: Sequence[Issue]) -> frozenset[str]:
    """Return the attributes that a valid value of another record should replace."""
    return frozenset([name for name, code in issues if is_doubtful(code)])


# PostgreSQL stores the names of a JSON object in this order, and gives them back so. Written the
# same way everywhere, a lineage is compared with a stored one without being read.
_AS_STORED = sorted(GROUPS, key=lambda group: (len(group), group))


def lineage_text(lineage: Lineage) -> JsonText:
    """Return a lineage as JSON, letter by letter as it comes back from the database."""
    parts = [
        f'"{group}": [{_number(said[0])}, {_number(said[1])}, "{said[2]}"]'
        for group in _AS_STORED
        if (said := lineage.get(group))
    ]
    return JsonText("{" + ", ".join(parts) + "}")


def _number(key: int | None) -> int | str:
    return "null" if key is None else key


def _quality(survivors: Survivors, members: Sequence[Member]) -> int:
    doubts = {m.candidate.record_id: m.candidate.faulty for m in members if m.candidate.faulty}
    if not doubts:  # Most customers.
        return _quality_without_doubt(tuple(map(bool, _weighed(survivors.row))))
    faulty = {
        name
        for group, (record_id, _pin, _strategy) in survivors.lineage.items()
        for name in doubts.get(record_id, frozenset()).intersection(GROUPS[group])
    }
    return quality(survivors.values, faulty)


_weighed = itemgetter(*map(ATTRIBUTES.index, WEIGHTS))


@lru_cache(maxsize=1 << len(WEIGHTS))
def _quality_without_doubt(is_there: tuple[bool, ...]) -> int:
    """Return the quality of values that are there or not, in the order of WEIGHTS."""
    return quality(dict(zip(WEIGHTS, is_there, strict=True)))


SEARCHED = (
    "given_name",
    "family_name",
    "birth_name",
    "organisation",
    "email",
    "phone",
    "other_phone",
    "postcode",
    "city",
)
"""Attributes whose words are searched."""

searched_values: Callable[[Sequence[Any]], Sequence[str]] = itemgetter(
    *map(ATTRIBUTES.index, SEARCHED)
)
"""Returns those of a row in the order of ATTRIBUTES."""


def searched_text(members: Sequence[tuple[str, Sequence[str]]]) -> str:
    """Return what the search box reads of records, each given as source key and searched values.

    Every word any of them carries comes first, folded, once: old names find her too. Of an e-mail
    address it is what stands before the @. Behind two blanks stand e-mail addresses, numbers,
    postcodes and keys, to which her id is added. PostgreSQL indexes what comes before
    (`mdm.search`).
    """
    if len(members) == 1:  # Most customers.
        [(key, values)] = members
        words, exact = _said(values)
        return f"{' '.join(dict.fromkeys(words))}  {' '.join([*exact, fold(key)])}"
    said = [_said(values) for _key, values in members]
    all_words = dict.fromkeys(word for words, _exact in said for word in words)
    all_exact = dict.fromkeys(text for _words, exact in said for text in exact)
    keys = dict.fromkeys(fold(key) for key, _values in members)
    return f"{' '.join(all_words)}  {' '.join(all_exact | keys)}"


def _said(values: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the words of a record's values, and what is looked for letter by letter, folded."""
    *names, email, phone, other_phone, postcode, city = values
    words = _folded([*names, email.partition("@")[0], city])
    return words, _folded([email, phone, other_phone, postcode])


def _folded(values: Sequence[str]) -> list[str]:
    """Return the words of some values, folded."""
    stated = [value for value in values if value]
    text = " ".join(stated)
    if text.isascii():  # Folded in one go: most records have an accent nowhere.
        return text.lower().split()
    return " ".join([fold(value) for value in stated]).split()
