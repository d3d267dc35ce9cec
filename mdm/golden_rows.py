"""The golden row of a customer's records, or of one that is not stored yet: pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

from mdm.bulk import JsonText
from mdm.folding import fold
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
    to search in without the customer's id.
    """

    values: tuple[Any, ...]
    groups: tuple[str, ...]
    quality: int
    words: str


def outline(source_key: str, issues: Sequence[Issue], values: Sequence[Any]) -> Outline:
    """Return the outline of a record that nobody knew."""
    # Trust, date and source only compare a record with others.
    return _outline(Member(0, source_key, candidate_of(0, 0, 0, None, issues, tuple(values))))


def _outline(member: Member) -> Outline:
    survivors = survive([member.candidate])
    figure = _quality(survivors, [member])
    return Outline(survivors.row, tuple(survivors.lineage), figure, " ".join(_words([member])))


def born_row(key: int, public_id: str, born: Outline) -> GoldenRow:
    """Return the golden row of a customer born with one record."""
    lineage = JsonText(_born_lineage(born.groups).replace("0", str(key)))
    words = f"{born.words} {public_id.lower()}"
    return GoldenRow(born.values, lineage, 1, born.quality, words)


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
        return born_row(members[0].candidate.record_id, public_id, _outline(members[0]))
    survivors = survive([member.candidate for member in members], pins, rules)
    words = _words(members)
    words[public_id.lower()] = None
    return GoldenRow(
        survivors.row,
        lineage_text(survivors.lineage),
        len(members),
        _quality(survivors, members),
        " ".join(words),
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


_searched = itemgetter(
    *(
        ATTRIBUTES.index(name)
        for name in (
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
    )
)


def _words(members: Sequence[Member]) -> dict[str, None]:
    """Return every word any member carries, folded, once: old names and numbers find her too."""
    words: dict[str, None] = {}
    for member in members:
        said = " ".join([fold(value) for value in _searched(member.candidate.values) if value])
        words.update(dict.fromkeys(said.split()))
        words[fold(member.source_key)] = None
    return words
