"""Counts by rule as rows of the charts: a label in words, the number, the share, the law."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.models import Campaign
from campaigns.waterfall import Waterfall, words
from consent.models import Channel
from consent.rules import RULES, law_in_words

Row = dict[str, Any]


def waterfall_rows(waterfall: Waterfall) -> list[Row]:
    """Return the segment, what each rule takes off it, and who is left."""
    start = {"label": _("In the segment"), "value": waterfall.start, "tone": "gold"}
    allowed = {
        "label": _("May be contacted"),
        "value": waterfall.allowed,
        "tone": "gold",
        "note": _("%(share)s of the segment")
        % {"share": _share(waterfall.allowed, waterfall.start)},
    }
    steps = [
        {
            "label": words(step.rule),
            "value": step.count,
            "tone": "conflict" if step.rule in _REFUSALS else "5",
            "note": _note(step.rule, step.count, waterfall.start),
        }
        for step in waterfall.exclusions
    ]
    return [start, *steps, allowed]


# The person said no; everything else is something that is missing.
_REFUSALS = frozenset({"G2", "G4", "G5", "G6", "G11"})


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
    return law_in_words(rule) if rule in RULES else ""


def _share(part: int, whole: int) -> str:
    # A few people are never shown as none.
    share = max(100 * part / whole, 0.1) if whole and part else 0
    shown = number_format(share, decimal_pos=1 if 0 < share < 10 else 0)
    return _("%(share)s%%") % {"share": shown}


def hints(waterfall: Waterfall, campaign: Campaign) -> list[str]:
    """Return lawful ways to reach more people; never a way round somebody's refusal."""
    rules = {step.rule for step in waterfall.exclusions}
    advice = [str(words) for rule, words in _HINTS.items() if rule in rules]
    may_be_similar = campaign.channel in _SIMILAR and not campaign.product_family
    if may_be_similar and rules & {"E1_none", "E1_proof"}:
        advice.insert(0, str(_SIMILAR[campaign.channel]))
    if campaign.channel == Channel.PHONE and "P1_none" in rules and not campaign.product_family:
        advice.insert(0, str(_CONTRACT))
    return advice


_PROOF = gettext_lazy(
    "A consent counts on this channel once its source tells which form and notice the person saw:"
    " map these columns when the file is loaded."
)
_DOUBLE_OPT_IN = gettext_lazy("Ask people who never confirmed to confirm their consent.")
_HINTS = {
    "G3": gettext_lazy("Some cannot be reached on this channel but may be on another."),
    "E1_proof": _PROOF,
    "P1_proof": _PROOF,
    "E1_doi": _DOUBLE_OPT_IN,
    "P1_doi": _DOUBLE_OPT_IN,
    "G10": gettext_lazy("A purchase or another contact from the person starts the years anew."),
    "L1_notice": gettext_lazy("Inform people and let them object; after that you may write."),
}
_FAMILY = gettext_lazy(
    "A campaign that names its product family may also reach customers who bought something"
    " similar and did not object."
)
_SIMILAR: dict[str, str | Promise] = {Channel.EMAIL: _FAMILY, Channel.SMS: _FAMILY}
_CONTRACT = gettext_lazy(
    "A campaign that names its product family may also reach people whose running contract it"
    " concerns."
)
