"""What a rule set says beside its blocking rules, in words and for its form."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from matching.automatic import GUARDS
from matching.explanation import level_in_words, reason_in_words
from matching.levels import LEVELS
from matching.rule_sets import COMPARED_FIELDS, Parameters, readings
from matching.run_charts import field_name
from matching.scoring import probability


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of the rules: how the form names it, what it is now, and what it means."""

    name: str
    label: str
    help_text: str
    value: float | None
    step: str
    note: str = ""
    is_required: bool = True


@dataclass(frozen=True, slots=True)
class LevelRow:
    """A level, and what it may count as: (name, words, whether it does)."""

    name: str
    words: str
    choices: list[tuple[str, str, bool]]


@dataclass(frozen=True, slots=True)
class FieldRow:
    """A field with its levels."""

    field: str
    name: str
    is_left_out: bool
    read_otherwise: int
    levels: list[LevelRow]


@dataclass(frozen=True, slots=True)
class GuardRow:
    """A reason to hold a pair back."""

    code: str
    words: str
    is_off: bool


def figures(parameters: Parameters) -> list[Figure]:
    """Return the thresholds and limits of a rule set."""
    of_persons, of_organisations = _person_figures(parameters), _organisation_figures(parameters)
    return [*of_persons, *of_organisations, *_limits(parameters)]


def _person_figures(parameters: Parameters) -> list[Figure]:
    return [
        Figure(
            "automatic_threshold",
            _("Links by itself from"),
            _("Points of evidence; each doubles the odds that both are one person."),
            parameters.automatic_threshold,
            "0.5",
            _odds(parameters.automatic_threshold),
        ),
        Figure(
            "review_floor",
            _("Goes to a steward from"),
            _("Pairs below are forgotten."),
            parameters.review_floor,
            "0.5",
            _odds(parameters.review_floor),
        ),
    ]


def _organisation_figures(parameters: Parameters) -> list[Figure]:
    chosen = (
        ("organisation_threshold", _("Organisations link by themselves from")),
        ("organisation_floor", _("Organisations go to a steward from")),
    )
    values = {name: getattr(parameters, name) for name, _label in chosen}
    return [
        Figure(
            name,
            label,
            _("Left empty, it is as for persons."),
            values[name],
            "0.5",
            _("as for persons") if values[name] is None else _odds(values[name]),
            is_required=False,
        )
        for name, label in chosen
    ]


def _limits(parameters: Parameters) -> list[Figure]:
    return [
        Figure(
            "max_cluster_size",
            _("Records of one customer at most"),
            _("Beyond it nothing links by itself."),
            parameters.max_cluster_size,
            "1",
        ),
        Figure(
            "least_support",
            _("Share of pairs that must support a union"),
            _("From 0 to 1: one link alone does not join two large groups."),
            parameters.least_support,
            "0.05",
        ),
        Figure(
            "block_cap",
            _("Records that share a blocking key at most"),
            _("Larger blocks say nothing and are left out of that rule."),
            parameters.block_cap,
            "1",
        ),
    ]


def training_figures(parameters: Parameters) -> list[Figure]:
    """Return the figures of how a search learns."""
    return [
        Figure(
            "most_rounds",
            _("Rounds of learning at most"),
            _("It ends by itself when nothing moves any more, mostly after 20 to 100."),
            parameters.most_rounds,
            "1",
        ),
        Figure(
            "shrink",
            _("How strongly coincidences stay near their start"),
            _("0: not at all. The start is what random pairs that share the key agree on."),
            parameters.shrink,
            "0.5",
        ),
        Figure(
            "prior_pairs",
            _("Pairs that the start weighs"),
            _("Only a small file notices."),
            parameters.prior_pairs,
            "1",
        ),
    ]


def _odds(points: float) -> str:
    return _("%(percent)d in 100") % {"percent": round(100 * probability(points))}


def field_rows(parameters: Parameters) -> list[FieldRow]:
    """Return all fields with their levels as a rule set reads them."""
    rows = []
    for field in COMPARED_FIELDS:
        read_as = {one.level: one.read_as for one in parameters.read_as if one.field == field}
        levels = _level_rows(field, read_as)
        is_left_out = field in parameters.left_out
        rows.append(FieldRow(field, field_name(field), is_left_out, len(read_as), levels))
    return rows


def _level_rows(field: str, read_as: dict[str, str]) -> list[LevelRow]:
    rows = []
    for level in (one.name.lower() for one in LEVELS[field]):
        choices = [
            (name, level_in_words(field, name), read_as.get(level) == name)
            for name in readings(field, level)
        ]
        if choices:
            rows.append(LevelRow(level, level_in_words(field, level), choices))
    return rows


def guard_rows(parameters: Parameters) -> list[GuardRow]:
    """Return the reasons to hold a pair back, and which of them the rules do without."""
    return [GuardRow(code, reason_in_words(code), code in parameters.unguarded) for code in GUARDS]


def warnings(parameters: Parameters) -> list[str]:
    """Return what rules that weaken a guard would do to people, in words; nothing otherwise."""
    found = [
        _("A guard is off. %(guard)s Such pairs become one customer without anybody looking.")
        % {"guard": reason_in_words(code)}
        for code in GUARDS
        if code in parameters.unguarded
    ]
    hidden = parameters.hidden_from_guards
    fields = [field_name(field) for field in COMPARED_FIELDS if field in hidden]
    if fields:
        found.append(
            _("Guards see less, for they look at what is left out or read otherwise: %(fields)s.")
            % {"fields": ", ".join(fields)}
        )
    if found:
        found.append(
            _(
                "People of one household, or two firms of one group, may be merged: the consent "
                "of one would speak for the other, and a request for access would hand over what "
                "is another person’s (GDPR, articles 5(1)(d), 6, 7 and 15(4)). Tell your data "
                "protection officer before these rules are put in force."
            )
        )
    return found


def said(parameters: Parameters) -> list[tuple[str, list[str]]]:
    """Return what a rule set says beside its thresholds and blocking rules: (label, words)."""
    as_delivered = [_("as delivered")]
    off = [reason_in_words(code) for code in GUARDS if code in parameters.unguarded]
    left_out = [field_name(one) for one in COMPARED_FIELDS if one in parameters.left_out]
    read_as = [
        f"{level_in_words(one.field, one.level)} → {level_in_words(one.field, one.read_as)}"
        for one in parameters.read_as
    ]
    lifts = _("yes, by its own pairs") if parameters.lifts_guards else _("no, never")
    anew = (
        _("anew in every search of all records")
        if parameters.learns_anew
        else _("once: later searches by this version go by it")
    )
    return [
        (_("Fields left out"), left_out or as_delivered),
        (_("Levels that count as others"), read_as or as_delivered),
        (_("Guards switched off"), off or as_delivered),
        (_("A file may show that its contacts are personal"), [lifts]),
        (_("What agreement means is learnt"), [anew, _training(parameters)]),
    ]


def _training(parameters: Parameters) -> str:
    return _(
        "%(rounds)d rounds at most; coincidences stay near their start by %(shrink)g; "
        "the start weighs %(pairs)g pairs"
    ) % {
        "rounds": parameters.most_rounds,
        "shrink": parameters.shrink,
        "pairs": parameters.prior_pairs,
    }
