"""How good a golden record is: a figure, its dimensions, and the list of what could be mended.

The figure is stored, so it depends on her own records alone: what is there counts in full, what is
doubtful for half. Dimensions are worked out where they are shown, because freshness falls with
every day and uniqueness with what other customers carry.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from mdm.standardise.issues import ISSUES
from mdm.standardise.record import Issue

# What a complete customer has, and how much each part weighs (sums to 100).
WEIGHTS: dict[str, int] = {
    "family_name": 15,
    "given_name": 15,
    "birth_date": 15,
    "email": 20,
    "phone": 15,
    "street": 10,
    "postcode": 5,
    "city": 5,
}
DIMENSIONS = (
    "completeness", "validity", "plausibility", "consistency", "uniqueness", "freshness",
)  # fmt: skip
# A value that is there but doubtful counts for half.
_DOUBTFUL = 0.5
_FRESH_DAYS, _STALE_DAYS = 365, 5 * 365
_CONTACT = ("email", "phone")
_RANKS = {"error": 0, "warning": 1, "note": 2}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known about the values of one golden record.

    `issues` are those of the records whose values won; `disputed` the attributes in which another
    record says something else; `shared` how many customers carry the e-mail or the phone;
    `last_change` the youngest date that a source gives.
    """

    issues: Sequence[Issue] = ()
    disputed: Collection[str] = ()
    shared: Mapping[str, int] | None = None
    last_change: date | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to mend: an attribute and a code, of `ISSUES` or one of ours.

    Ours are `missing`, `disputed`, `shared` and `old`.
    """

    attribute: str
    code: str
    dimension: str
    severity: str


@dataclass(frozen=True, slots=True)
class Assessment:
    """Each dimension from 0 to 100, None where nothing is known; what to mend, the worst first."""

    dimensions: dict[str, int | None]
    findings: tuple[Finding, ...]


def quality(values: Mapping[str, Any], faulty: Collection[str] = ()) -> int:
    """Return completeness and freedom from doubt as a figure from 0 to 100."""
    points = 0.0
    for attribute, weight in WEIGHTS.items():
        if values.get(attribute):
            points += weight * (_DOUBTFUL if attribute in faulty else 1)
    return round(points)


def assess(values: Mapping[str, Any], evidence: Evidence, *, today: date) -> Assessment:
    """Return the dimensions of a golden record on a day, and what could be mended."""
    findings = list(dict.fromkeys(_findings(values, evidence, today)))
    findings.sort(key=lambda found: (_RANKS[found.severity], -WEIGHTS.get(found.attribute, 0)))
    scores: dict[str, int | None] = {
        name: _score(values, [f for f in findings if f.dimension == name])
        for name in ("validity", "plausibility", "consistency")
    }
    scores["completeness"] = sum(weight for name, weight in WEIGHTS.items() if values.get(name))
    carried = {name: values.get(name) for name in _CONTACT}
    scores["uniqueness"] = _score(carried, [f for f in findings if f.code == "shared"])
    scores["freshness"] = _freshness(evidence.last_change, today)
    return Assessment({name: scores[name] for name in DIMENSIONS}, tuple(findings))


def _findings(values: Mapping[str, Any], evidence: Evidence, today: date) -> list[Finding]:
    found = [
        Finding(attribute, "missing", "completeness", "warning")
        for attribute in WEIGHTS
        if not values.get(attribute)
    ]
    for attribute, code in evidence.issues:
        if code in ISSUES:
            kind = ISSUES[code]
            found.append(Finding(attribute, code, kind.dimension, kind.severity))
    found += [Finding(name, "disputed", "consistency", "warning") for name in evidence.disputed]
    for attribute, count in (evidence.shared or {}).items():
        if count > 1 and values.get(attribute):
            found.append(Finding(attribute, "shared", "uniqueness", "note"))
    if (freshness := _freshness(evidence.last_change, today)) is not None and freshness < 100:
        found.append(Finding("", "old", "freshness", "note"))
    return found


def _score(values: Mapping[str, Any], findings: Collection[Finding]) -> int | None:
    """Return the weighted share of what is there and has no such doubt."""
    doubted = {f.attribute for f in findings if f.code == "shared" or f.severity != "note"}
    present = {name: WEIGHTS[name] for name in WEIGHTS if values.get(name)}
    if not present:
        return None
    good = sum(weight for name, weight in present.items() if name not in doubted)
    return round(100 * good / sum(present.values()))


def _freshness(last_change: date | None, today: date) -> int | None:
    """Return 100 for a year, then less with every day until nothing is left after five years."""
    if last_change is None:
        return None
    days = (today - last_change).days
    left = (_STALE_DAYS - days) / (_STALE_DAYS - _FRESH_DAYS)
    return round(100 * min(1.0, max(0.0, left)))
