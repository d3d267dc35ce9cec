"""What a run found and learnt, ready to draw: scores, stages, and the weight of each agreement."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import floor
from typing import cast

from django.db.models import Count
from django.db.models.functions import Floor
from django.utils.translation import gettext_lazy

from matching.desk import bar_width, signed
from matching.explanation import level_in_words
from matching.levels import LEVELS, NO_EVIDENCE, Kind, level_name
from matching.models import MatchRun, PairEvidence
from matching.rule_sets import Parameters
from matching.scoring import ModelState, OutdatedModel, ScoreModel, probability
from matching.words import in_order

_LEVELS_SHOWN = 6
"""The address has twenty levels; the weightiest tell the story, the others fold."""

_OF_ORGANISATIONS = ("organisation", "registration", "website")

_TALLEST_PERCENT = 86
"""What is left above the tallest bar holds the words of the threshold."""

# Translated one by one: pages of rules name hundreds.
_FIELDS = {
    "given_name": gettext_lazy("given name"),
    "family_name": gettext_lazy("family name"),
    "address": gettext_lazy("address"),
    "phone": gettext_lazy("phone"),
    "email": gettext_lazy("e-mail"),
    "birth_date": gettext_lazy("birth date"),
    "identifier": gettext_lazy("identifier"),
    "organisation": gettext_lazy("organisation"),
    "sex": gettext_lazy("sex"),
    "middle_name": gettext_lazy("middle name"),
    "birth_place": gettext_lazy("place of birth"),
    "occupation": gettext_lazy("occupation"),
    "country": gettext_lazy("country"),
    "registration": gettext_lazy("registration number"),
    "website": gettext_lazy("website"),
    "source": gettext_lazy("source"),
    "kind": gettext_lazy("person or organisation"),
}
_KEYS = {
    "street": gettext_lazy("street"),
    "postcode": gettext_lazy("postcode"),
    "city": gettext_lazy("town"),
    "full_name": gettext_lazy("both names, in either order"),
    "email_start": gettext_lazy("start of the e-mail"),
    "email_end": gettext_lazy("end of the e-mail"),
    "email_sound": gettext_lazy("sound of the e-mail"),
    "email_ends": gettext_lazy("both ends of the e-mail"),
    "name_in_email": gettext_lazy("name spelt by the e-mail"),
    "given_initial": gettext_lazy("initial"),
    "organisation_start": gettext_lazy("start of the organisation’s name"),
    "email_name": gettext_lazy("e-mail before the @"),
    "family_start": gettext_lazy("start of the family name"),
    "given_start": gettext_lazy("start of the given name"),
    "birth_year": gettext_lazy("year of birth"),
    "birth_month": gettext_lazy("year and month of birth"),
    "birth_day": gettext_lazy("day and month of birth"),
    "birth_place": gettext_lazy("place of birth"),
    "family_sound": gettext_lazy("sound of the family name"),
    "given_sound": gettext_lazy("sound of the given name"),
    "family_french": gettext_lazy("sound of the family name in French"),
    "given_french": gettext_lazy("sound of the given name in French"),
    "occupation": gettext_lazy("occupation"),
    "registration": gettext_lazy("registration number"),
    "street_number": gettext_lazy("street number"),
    "website": gettext_lazy("web site"),
}


@dataclass(frozen=True, slots=True)
class Weight:
    """What one level says on its own, as a bar from the middle; lengths are SVG attributes."""

    words: str
    bits: str
    speaks_for: bool
    start: str
    width: str


@dataclass(frozen=True, slots=True)
class FieldWeights:
    """The levels of one field by falling weight."""

    name: str
    shown: list[Weight]
    folded: list[Weight]


@dataclass(frozen=True, slots=True)
class Column:
    """One bar of the histogram: pairs whose score lies in one bit; lengths are percentages."""

    score: int
    count: int
    tone: str
    x: str
    y: str
    width: str
    height: str


@dataclass(frozen=True, slots=True)
class Histogram:
    """The stored pairs by score, and where the automatic threshold stands among them."""

    columns: list[Column]
    lowest: str
    highest: str
    threshold: str
    threshold_x: str
    threshold_percent: int
    automatic_count: int
    review_count: int


@dataclass(frozen=True, slots=True)
class Stage:
    """A row of the kit's bars: one stage of the run."""

    label: str
    value: int
    note: str = ""


def weights(run: MatchRun) -> list[FieldWeights] | None:
    """Return what each level weighs in the model of a run; None when it is outdated."""
    if not run.model:
        return []
    try:
        model = ScoreModel.from_state(cast("ModelState", run.model))
    except OutdatedModel:
        return None
    found = {field: _bits(model, field) for field in model.fields if field not in NO_EVIDENCE}
    widest = max((abs(bits) for levels in found.values() for bits, _level in levels), default=1.0)
    return [_field_weights(field, levels, widest) for field, levels in found.items()]


def personal(run: MatchRun) -> list[str]:
    """Return the contacts that no two people share in the file, as people name them."""
    return [field_name(contact) for contact in run.model.get("personal", ())]


def histogram(run: MatchRun) -> Histogram | None:
    """Return the pairs of a run by score; None when a later run has replaced them."""
    rows = (
        PairEvidence.objects.filter(run=run)
        .order_by()
        .annotate(bit=Floor("score"))
        .values_list("bit", "automatic")
        .annotate(Count("pk"))
    )
    counts = {(int(bit), bool(automatic)): count for bit, automatic, count in rows}
    if not counts:
        return None
    threshold = Parameters.read(run.rule_set.parameters).automatic_threshold
    return _histogram(counts, threshold)


def stages(run: MatchRun) -> list[Stage]:
    """Return the time of each stage in thousandths of a second, in the order of the work."""
    return [Stage(words, round(1000 * took)) for words, took in in_order(run.timings)]


def blocking(run: MatchRun) -> list[Stage]:
    """Return how many new pairs each blocking rule brought, the most fruitful first."""
    rules = [rule for rule in run.counts.get("rules", ()) if rule["new_pairs"]]
    rules.sort(key=lambda rule: -rule["new_pairs"])
    return [Stage(rule_in_words(rule["rule"]), rule["new_pairs"]) for rule in rules]


def _bits(model: ScoreModel, field: str) -> list[tuple[float, int]]:
    """Return what each level adds on its own, the most first, with the level."""
    of_organisations = field in _OF_ORGANISATIONS
    kind = Kind.ORGANISATIONS if of_organisations else Kind.PERSONS
    known = {"kind": int(kind)} if "kind" in model.fields else {}
    prior = model.score(known)
    return sorted(
        ((model.score({**known, field: level}) - prior, level) for level in _known_levels(field)),
        reverse=True,
    )


def _known_levels(field: str) -> list[int]:
    return [int(level) for level in LEVELS[field] if level]


def _field_weights(field: str, levels: list[tuple[float, int]], widest: float) -> FieldWeights:
    rows = [(bits, _weight(field, level, bits, widest)) for bits, level in levels]
    telling = sorted(rows, key=lambda row: -abs(row[0]))[:_LEVELS_SHOWN]
    chosen = {id(row) for row in telling}
    return FieldWeights(
        name=field_name(field),
        shown=[row[1] for row in rows if id(row) in chosen],
        folded=[row[1] for row in rows if id(row) not in chosen],
    )


def _weight(field: str, level: int, bits: float, widest: float) -> Weight:
    half = min(abs(bits) / widest, 1) * 50
    return Weight(
        words=level_in_words(field, level_name(field, level)),
        bits=signed(bits),
        speaks_for=bits >= 0,
        start=f"{50 if bits >= 0 else 50 - half:.2f}%",
        width=bar_width(bits, 2 * widest),
    )


def field_name(field: str) -> str:
    """Return the name of a field of the score model."""
    return str(_FIELDS.get(field, field))


def rule_in_words(rule: str) -> str:
    """Return a blocking rule as people read it: `phone+city` as `phone + city`."""
    return " + ".join(key_in_words(key) for key in rule.split("+"))


def key_in_words(key: str) -> str:
    """Return a part of a blocking key as people read it."""
    return str(_KEYS[key]) if key in _KEYS else field_name(key).replace("_", " ")


def _histogram(counts: Mapping[tuple[int, bool], int], threshold: float) -> Histogram:
    bits = [bit for bit, _automatic in counts]
    lowest, highest = min(*bits, floor(threshold) - 1), max(*bits, floor(threshold)) + 1
    span = highest - lowest
    tallest = max(
        counts.get((bit, True), 0) + counts.get((bit, False), 0) for bit in range(lowest, highest)
    )
    columns = [
        column
        for bit in range(lowest, highest)
        for column in _columns(bit, counts, lowest, span, tallest)
    ]
    return Histogram(
        columns=columns,
        lowest=signed(lowest),
        highest=signed(highest),
        threshold=signed(threshold),
        threshold_x=f"{100 * (threshold - lowest) / span:.2f}%",
        threshold_percent=round(100 * probability(threshold)),
        automatic_count=sum(n for (_bit, automatic), n in counts.items() if automatic),
        review_count=sum(n for (_bit, automatic), n in counts.items() if not automatic),
    )


def _columns(
    bit: int, counts: Mapping[tuple[int, bool], int], lowest: int, span: int, tallest: int
) -> list[Column]:
    """Return the two parts of a column: pairs that link by themselves, above those to review."""
    columns, below = [], 0.0
    for automatic, tone in ((False, "close"), (True, "same")):
        count = counts.get((bit, automatic), 0)
        if count:
            height = _TALLEST_PERCENT * count / tallest
            below += height
            columns.append(
                Column(
                    score=bit,
                    count=count,
                    tone=tone,
                    x=f"{100 * (bit - lowest) / span + 0.15:.2f}%",
                    y=f"{100 - below:.2f}%",
                    width=f"{100 / span - 0.3:.2f}%",
                    height=f"{height:.2f}%",
                )
            )
    return columns
