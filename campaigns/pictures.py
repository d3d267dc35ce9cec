"""Counts by rule as rows of the charts: a label in words, the number, the share, the law."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from campaigns.waterfall import Waterfall, words
from consent.rules import RULES

Row = dict[str, Any]


def waterfall_rows(waterfall: Waterfall) -> list[Row]:
    """Return the segment, what each rule takes off it, and who is left."""
    start = {"label": _("In the segment"), "value": waterfall.start, "tone": "gold"}
    allowed = {
        "label": _("May be contacted"),
        "value": waterfall.allowed,
        "tone": "gold",
        "note": _share(waterfall.allowed, waterfall.start),
    }
    steps = [
        {
            "label": words(step.rule),
            "value": step.count,
            "tone": "conflict" if step.rule in _REFUSALS else "missing",
            "note": _note(step.rule, step.count, waterfall.start),
        }
        for step in waterfall.exclusions
    ]
    return [start, *steps, allowed]


# The person said no; everything else is something that is missing.
_REFUSALS = frozenset({"G2", "G4", "G5", "G6"})


def exclusion_rows(counts: Iterable[tuple[str, int]]) -> list[Row]:
    """Return counts by rule as rows of bars, with the law each rests on."""
    return [
        {"label": words(rule), "value": count, "note": f"{rule} · {_law(rule)}"}
        for rule, count in counts
    ]


def removal_rows(removed: Mapping[str, int]) -> list[Row]:
    """Return who a re-check removed, the most frequent reason first."""
    ordered = sorted(removed.items(), key=lambda item: -item[1])
    return [{"label": words(rule), "value": count} for rule, count in ordered]


def _note(rule: str, count: int, whole: int) -> str:
    return f"{_share(count, whole)} · {rule} · {_law(rule)}"


def _law(rule: str) -> str:
    return RULES[rule].law if rule in RULES else ""


def _share(part: int, whole: int) -> str:
    if not whole:
        return ""
    share = 100 * part / whole
    shown = number_format(share, decimal_pos=1 if 0 < share < 10 else 0)
    return _("%(share)s%% of the segment") % {"share": shown}
