"""The quality of a customer's golden record in words: its dimensions and what to mend."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy as _

from mdm import attribute_words, postcodes
from mdm.lineage import ExplainedValue, Loser
from mdm.models import ATTRIBUTES, GoldenRecord, SourceRecord
from mdm.quality import Evidence, Finding, assess
from mdm.standardise.issues import ISSUES
from mdm.standardise.keys import says_the_same
from mdm.standardise.postcodes import NO_TABLE
from mdm.standardise.record import Issue
from mdm.standardise.suggestions import OF_POSTCODES, suggest
from mdm.survivorship import ADDRESS, GROUPS

DIMENSION_WORDS: Mapping[str, Any] = {
    "completeness": _("Completeness"),
    "validity": _("Validity"),
    "plausibility": _("Plausibility"),
    "consistency": _("Consistency"),
    "uniqueness": _("Uniqueness"),
    "freshness": _("Freshness"),
}
_OUR_WORDS: Mapping[str, Any] = {
    "missing": _("No source gives it."),
    "disputed": _("Sources say different things."),
    "shared": _("Other customers carry it too, so it does not tell people apart."),
    "old": _("No source has confirmed the record for more than a year."),
}
# What the standardiser notes about a composed column concerns what was taken out of it.
_PART_OF = {"full_name": "family_name", "address_line": "street", "full_address": "street"}


@dataclass(frozen=True, slots=True)
class ToMend:
    """One line of the list: the attribute, what is wrong, and what may have been meant."""

    severity: str
    label: str
    sentence: str
    suggestion: str


@dataclass(frozen=True, slots=True)
class QualityInWords:
    """The dimensions as (label, figure or None), and what to mend, the worst first."""

    dimensions: list[tuple[str, int | None]]
    to_mend: list[ToMend]


def quality_in_words(
    golden: GoldenRecord,
    records: Sequence[SourceRecord],
    explained: Sequence[ExplainedValue],
    *,
    today: date,
) -> QualityInWords:
    """Return what the page of a customer says about the quality of her golden record.

    `records` are her active ones, `explained` her golden values.
    """
    values = {name: getattr(golden, name) for name in ATTRIBUTES}
    issues = _winning_issues(golden, records)
    found = assess(values, _evidence(records, explained, issues), today=today)
    needs_table = any(finding.code in OF_POSTCODES for finding in found.findings)
    table = postcodes.table() if needs_table else NO_TABLE
    return QualityInWords(
        [(str(DIMENSION_WORDS[name]), figure) for name, figure in found.dimensions.items()],
        [_to_mend(finding, suggest(finding.code, values, table)) for finding in found.findings],
    )


def _evidence(
    records: Sequence[SourceRecord], explained: Sequence[ExplainedValue], issues: list[Issue]
) -> Evidence:
    dates = [record.source_updated_at for record in records if record.source_updated_at]
    return Evidence(
        issues=issues,
        disputed=[
            "street" if value.group == ADDRESS else value.group
            for value in explained
            if any(_contradicts(loser, value) for loser in value.losers)
        ],
        shared={
            value.group: value.contact_point.shared_by
            for value in explained
            if value.contact_point
        },
        last_change=max(dates).date() if dates else None,
    )


def _contradicts(loser: Loser, value: ExplainedValue) -> bool:
    """Tell whether a record says something else, and not the same in another spelling."""
    one, other = (", ".join(lines) for lines in (loser.lines, value.lines))
    return not says_the_same(value.group, one, other)


def _winning_issues(golden: GoldenRecord, records: Sequence[SourceRecord]) -> list[Issue]:
    """Return the issues of the values that stand in the golden record; a pin has none."""
    by_key = {record.pk: record for record in records}
    found: list[Issue] = []
    for group, (record_id, _pin, _strategy) in golden.lineage.items():
        if record := by_key.get(record_id):
            found += [
                (attribute, code)
                for attribute, code in record.issues
                if _PART_OF.get(attribute, attribute) in GROUPS[group]
            ]
    return found


def _to_mend(finding: Finding, suggestion: str) -> ToMend:
    kind = ISSUES.get(finding.code)
    sentence = kind.sentence if kind else _OUR_WORDS[finding.code]
    label = attribute_words.label(finding.attribute) if finding.attribute else ""
    return ToMend(finding.severity, label, str(sentence), suggestion)
