"""How duplicates are found: the parameters of a rule set with their defaults, and its versions."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, NamedTuple

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from matching.automatic import BIRTH_CONFLICTS, GUARDS
from matching.explanation import level_in_words
from matching.levels import LEVELS, NO_EVIDENCE, BirthDate, Kind
from matching.models import RuleSet
from mdm import rule_versions
from mdm.audit import acting_as
from mdm.kept_queries import kept
from mdm.reasons import reason_of
from mdm.rule_versions import RulesRefused


@dataclass(frozen=True, slots=True)
class BlockingRule:
    """Parts of values that two records must share to be compared at all."""

    parts: tuple[str, ...]
    budget: float = 12.0
    """Pairs per record above which the rule is left out."""

    @property
    def name(self) -> str:
        """The rule as a key: `family_name+postcode`."""
        return "+".join(self.parts)


class LevelReading(NamedTuple):
    """A level of a field that counts as another one; levels by their stored names."""

    field: str
    level: str
    read_as: str


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a rule set may say; scores are in bits (log2 odds: 0 is even, 3 is 8 to 1)."""

    review_floor: float = -3.0
    """Pairs below are dropped."""

    automatic_threshold: float = 3.0
    """Pairs at or above link by themselves, when their evidence speaks of the person."""

    organisation_floor: float | None = None
    organisation_threshold: float | None = None
    """The same of two organisations; None for those of persons."""

    max_cluster_size: int = 20
    least_support: float = 0.3
    block_cap: int = 1000
    link_only: bool = False
    """Compare records of different sources only: every source holds each person once."""

    rules: tuple[BlockingRule, ...] = ()
    """Blocking rules in the order in which they claim a pair; empty for those as delivered."""

    left_out: tuple[str, ...] = ()
    """Fields that are not compared, though records have them."""

    read_as: tuple[LevelReading, ...] = ()

    unguarded: tuple[str, ...] = ()
    """Reasons to hold a pair back (`automatic.GUARDS`) that these rules do without."""

    lifts_guards: bool = True
    """Whether a file may show that its contacts are personal, so that sharing is no household."""

    most_rounds: int = 200
    shrink: float = 4.0
    """How strongly coincidences stay near their start."""

    prior_pairs: float = 10.0
    """Pairs that the starting shares of the classes weigh."""

    learns_anew: bool = True
    """Otherwise a search goes by what the last one of all records by the same version learnt."""

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "Parameters":
        """Return the parameters of a rule set; what it leaves out has its default.

        Raises:
            ValueError: when the document names a parameter that does not exist.
        """
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(document) - known):
            raise ValueError(
                _("The rule set has an unknown parameter: %(name)s.") % {"name": unknown[0]}
            )
        lists = {name: tuple(value) for name, value in document.items() if type(value) is list}
        rules = [
            BlockingRule(tuple(one["parts"]), one["budget"]) for one in lists.get("rules", ())
        ]
        read_as = tuple(LevelReading(*one) for one in lists.get("read_as", ()))
        return cls(**{**document, **lists, "rules": tuple(rules), "read_as": read_as})

    def document(self) -> dict[str, Any]:
        """Return what `read` reads, as JSON: only what is not as delivered."""
        as_delivered = Parameters()
        document = {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if getattr(self, field.name) != getattr(as_delivered, field.name)
        }
        if self.rules:
            document["rules"] = [asdict(rule) for rule in self.rules]
        plain: dict[str, Any] = json.loads(json.dumps(document))
        return plain

    @property
    def hidden_from_guards(self) -> set[str]:
        """Fields in which guards see less of a conflict, or agreement where there was less."""
        left_out = GUARDED_FIELDS.intersection(self.left_out)
        return left_out | {
            one.field
            for one in self.read_as
            if one.field in GUARDED_FIELDS or one.read_as not in ("unknown", _last(one.field))
        }

    @property
    def weakens_guards(self) -> bool:
        """Whether pairs may link by themselves that the guards as delivered would hold back."""
        return bool(self.unguarded or self.hidden_from_guards)

    def bounds(self, levels: Mapping[str, int]) -> tuple[float, float]:
        """Return floor of review and automatic threshold of a pair with these levels."""
        floor, threshold = self.review_floor, self.automatic_threshold
        if levels.get("kind") == Kind.ORGANISATIONS:
            own = self.organisation_floor, self.organisation_threshold
            floor = floor if own[0] is None else own[0]
            threshold = threshold if own[1] is None else own[1]
        return floor, threshold


def active_rule_set() -> RuleSet:
    """Return the rule set in force; the first one, with the defaults, when there is none."""
    active = rule_versions.in_force(RuleSet)
    if active:
        return active
    return RuleSet.objects.create(
        version=rule_versions.next_version(RuleSet), status=RuleSet.Status.ACTIVE
    )


def parameters_in_force() -> Parameters:
    """Return what the rule set in force says."""
    found = _in_force()
    return Parameters.read(found[0][0] if found else active_rule_set().parameters)


@kept
def _in_force() -> "QuerySet[RuleSet, tuple[dict[str, Any]]]":
    return RuleSet.objects.filter(status=RuleSet.Status.ACTIVE).values_list("parameters")[:1]


@transaction.atomic
def open_draft(*, of: RuleSet | None = None, by: User | None) -> RuleSet:
    """Open a draft of an earlier version, else of the rules in force.

    Raises:
        RulesRefused: when a draft is open already.
    """
    origin = of or active_rule_set()
    return rule_versions.create_draft(RuleSet, of=of, by=by, parameters=origin.parameters)


@transaction.atomic
def save_draft(
    draft: RuleSet,
    parameters: Parameters,
    *,
    known_parts: Sequence[str],
    note: str = "",
    by: User | None,
) -> None:
    """Replace what a draft says.

    Raises:
        RulesRefused: when the version is no draft, or the figures make no sense together.
    """
    rule_versions.lock_draft(draft)
    _check_figures(parameters)
    _check_rules(parameters.rules, set(known_parts))
    _check_fields(parameters)
    _check_guards(parameters, note)
    document = parameters.document()
    with acting_as(by, reason_of(gettext_noop("Draft edited"))):
        if document != draft.parameters:
            draft.simulated_by = None
        draft.parameters, draft.note = document, note
        draft.save(update_fields=["parameters", "note", "simulated_by"])


def _check_figures(parameters: Parameters) -> None:
    for kind in Kind:
        floor, threshold = parameters.bounds({"kind": kind})
        if floor > threshold:
            raise RulesRefused(_("Pairs link by themselves only above the floor of review."))
    if not 0 <= parameters.least_support <= 1:
        raise RulesRefused(_("The least support is a share from 0 to 1."))
    if parameters.max_cluster_size < 2 or parameters.block_cap < 2:
        raise RulesRefused(_("A customer or a block of fewer than two records joins nothing."))
    if not 1 <= parameters.most_rounds <= 1000:
        raise RulesRefused(_("A search learns in 1 to 1,000 rounds."))
    if not (0 <= parameters.shrink <= 100 and 0 < parameters.prior_pairs <= 10_000):
        raise RulesRefused(
            _("Coincidences stay near their start from 0 to 100; the start weighs up to 10,000.")
        )


def _check_rules(rules: Sequence[BlockingRule], known_parts: set[str]) -> None:
    seen: set[str] = set()
    for rule in rules:
        if not rule.parts or not known_parts.issuperset(rule.parts):
            unknown = sorted(set(rule.parts) - known_parts)
            raise RulesRefused(
                _("Unknown part of a blocking rule: %(name)s.") % {"name": ", ".join(unknown)}
            )
        if rule.name in seen:
            raise RulesRefused(_("The blocking rule %(name)s stands twice.") % {"name": rule.name})
        if not 0 < rule.budget <= 100:
            raise RulesRefused(_("A rule's budget is at most 100 pairs per record."))
        seen.add(rule.name)


def _check_fields(parameters: Parameters) -> None:
    if unknown := sorted(set(parameters.left_out) - set(COMPARED_FIELDS)):
        raise RulesRefused(_("Unknown field: %(name)s.") % {"name": unknown[0]})
    if set(READ_FIELDS) <= set(parameters.left_out):
        raise RulesRefused(_("Without any field nothing would be compared."))
    moved = {(one.field, one.level) for one in parameters.read_as}
    for one in parameters.read_as:
        words = {"level": level_in_words(one.field, one.level), "other": one.read_as}
        if one.read_as not in readings(one.field, one.level):
            raise RulesRefused(_("“%(level)s” cannot count as “%(other)s”.") % words)
        if (one.field, one.read_as) in moved:
            words["other"] = level_in_words(one.field, one.read_as)
            raise RulesRefused(
                _("“%(level)s” counts as “%(other)s”, which itself counts as another.") % words
            )


def _check_guards(parameters: Parameters, note: str) -> None:
    if unknown := sorted(set(parameters.unguarded) - set(GUARDS)):
        raise RulesRefused(_("Unknown guard: %(name)s.") % {"name": unknown[0]})
    if parameters.weakens_guards and not note.strip():
        raise RulesRefused(
            _("These rules weaken a guard: write under “Why these rules” who decided so, and why.")
        )


def readings(field: str, level: str) -> list[str]:
    """Return the levels that a level may count as; none where it cannot be read otherwise.

    What speaks of two people counts as missing at the most: read as agreement, it would pass
    every guard.
    """
    names = [one.name.lower() for one in LEVELS[field]] if field in READ_FIELDS else []
    if level not in names or level in _UNREAD:
        return []
    against = _AGAINST.get(field, {_last(field)})
    among = {"unknown", *against} if level in against else {*names}
    return [one for one in names if one in among - {level, "spells_name"}]


def _last(field: str) -> str:
    return list(LEVELS[field])[-1].name.lower()


COMPARED_FIELDS = tuple(field for field in LEVELS if field not in NO_EVIDENCE)
"""What rules may leave out; persons and organisations always have models of their own."""

READ_FIELDS = tuple(field for field in COMPARED_FIELDS if field != "source")
_UNREAD = ("unknown", "spells_name")
"""No evidence, and how another field was compared."""

_AGAINST: Mapping[str, Collection[str]] = {
    "birth_date": {BirthDate(level).name.lower() for level in BIRTH_CONFLICTS}
}
"""Levels that speak of two people; of other fields it is the last one."""

GUARDED_FIELDS = {"given_name", "birth_date", "sex", "identifier", "organisation", "registration"}
"""What guards look at for a conflict: left out or read otherwise, they see less."""
