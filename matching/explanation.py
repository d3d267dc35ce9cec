"""Why a pair scores as it does, in words."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from matching.levels import level_name
from matching.models import PairEvidence
from matching.scoring import ScoreModel, probability

Words = str | Promise


@dataclass(frozen=True, slots=True)
class Argument:
    """One field's say: `words` as a person reads it, `bits` for (positive) or against."""

    field: str
    level: str
    words: str
    bits: float

    @property
    def strength(self) -> int:
        """How much it weighs: 1 a little, 2 clearly, 3 a lot (colour is never alone)."""
        size = abs(self.bits)
        return 3 if size >= 6 else 2 if size >= 2 else 1


@dataclass(frozen=True, slots=True)
class ScoreInWords:
    """A score taken apart; `prior` plus all bits is `score`."""

    score: float
    prior: float
    speaks_for: tuple[Argument, ...]
    speaks_against: tuple[Argument, ...]
    silent: tuple[Argument, ...]
    """Fields that are missing on a side or weigh nothing."""
    held_back: str
    """Why the pair may not link by itself whatever its score; empty when it may."""

    @property
    def probability(self) -> float:
        """Chance, from 0 to 1, that both records are one person."""
        return probability(self.score)

    @property
    def likelihood(self) -> str:
        """The score as a word."""
        return likelihood_in_words(self.score)


def explain(evidence: PairEvidence) -> ScoreInWords:
    """Return the stored score of a pair with what speaks for and against it.

    The figures come from the model of the run that stored the score.

    Raises:
        OutdatedModel: when that model can no longer be read.
    """
    model = ScoreModel.from_state(evidence.run.model)
    return explain_pattern(model, evidence.pattern, evidence.score)


def explain_pattern(model: ScoreModel, pattern: int, score: float) -> ScoreInWords:
    """Return the score that a model gives to a pattern, with what speaks for and against it."""
    levels = model.levels(pattern)
    explanation = model.explain(levels)
    arguments = [
        _argument(field, levels[field], bits)
        for field, bits in explanation.contributions.items()
        if field != "kinship"  # Its words are those of the reason.
    ]
    by_weight = sorted(arguments, key=lambda argument: -abs(argument.bits))
    return ScoreInWords(
        score=score,
        prior=explanation.prior,
        speaks_for=tuple(a for a in by_weight if a.bits >= _NOTHING),
        speaks_against=tuple(a for a in by_weight if a.bits <= -_NOTHING),
        silent=tuple(a for a in arguments if abs(a.bits) < _NOTHING),
        held_back=reason_in_words(model.held_back(levels) or ""),
    )


_NOTHING = 0.05


def _argument(field: str, level: int, bits: float) -> Argument:
    name = level_name(field, level)
    return Argument(field, name, level_in_words(field, name), round(bits, 2))


def level_in_words(field: str, level: str) -> str:
    """Return a level as a person reads it: `level_in_words("birth_date", "rearranged")`."""
    if field == "address":
        return _address_in_words(level)
    return str(_LEVELS[field].get(level, _MISSING))


def reason_in_words(reason: str) -> str:
    """Return why a pair is held back or was not linked; an unknown code is shown as it is."""
    return str(_REASONS.get(reason, reason))


def likelihood_in_words(score: float) -> str:
    """Return how likely one person is, in words."""
    for least, words in _LIKELIHOODS:
        if score >= least:
            return str(words)
    return _("probably different people")


def _address_in_words(level: str) -> str:
    if level == "unknown":
        return _("address missing on one side")
    street, town = level.removeprefix("street_").split("_town_")
    return _("%(street)s, %(town)s") % {"street": _STREETS[street], "town": _TOWNS[town]}


_MISSING = gettext_lazy("missing on one side")

_LEVELS: Mapping[str, Mapping[str, Words]] = {
    "given_name": {
        "same_rare": gettext_lazy("rare given name equal"),
        "same_usual": gettext_lazy("given name equal"),
        "same_common": gettext_lazy("common given name equal"),
        "short_form": gettext_lazy("given name is a short form or a part of the other"),
        "one_edit": gettext_lazy("given name differs by one letter"),
        "two_edits": gettext_lazy("given name near, but two letters or another name"),
        "differs": gettext_lazy("given name differs"),
        "unknown": gettext_lazy("given name missing on one side"),
    },
    "family_name": {
        "same_rare": gettext_lazy("rare family name equal"),
        "same_usual": gettext_lazy("family name equal"),
        "same_common": gettext_lazy("common family name equal"),
        "other_name": gettext_lazy("birth name or part of a double name equal"),
        "swapped": gettext_lazy("given and family name swapped"),
        "one_edit": gettext_lazy("family name differs by one letter"),
        "two_edits": gettext_lazy("family name near, but two letters or another name"),
        "differs": gettext_lazy("family name differs"),
        "unknown": gettext_lazy("family name missing on one side"),
    },
    "phone": {
        "same": gettext_lazy("phone equal"),
        "same_shared": gettext_lazy("phone equal, but many people have it"),
        "one_digit": gettext_lazy("phone differs by one digit"),
        "differs": gettext_lazy("phone differs"),
        "unknown": gettext_lazy("phone missing on one side"),
    },
    "email": {
        "same": gettext_lazy("e-mail equal"),
        "same_named": gettext_lazy("e-mail equal, and it names the person"),
        "same_unnamed": gettext_lazy("e-mail equal, and neither record bears a name"),
        "same_shared": gettext_lazy("e-mail equal, but of many people or a household"),
        "one_slip": gettext_lazy("e-mail differs by one letter"),
        "slip_unnamed": gettext_lazy("e-mail differs by one letter, and a name is missing"),
        "slip_of_names": gettext_lazy("e-mail differs by one letter, and so do the names"),
        "same_local_part": gettext_lazy("e-mail equal before the @"),
        "near": gettext_lazy("e-mail nearly equal before the @"),
        "spells_name": gettext_lazy("e-mail of one spells the full name of the other"),
        "differs": gettext_lazy("e-mail differs"),
        "unknown": gettext_lazy("e-mail missing on one side"),
    },
    "birth_date": {
        "same": gettext_lazy("birth date equal"),
        "rearranged": gettext_lazy("birth date with day and month or digits swapped"),
        "one_part": gettext_lazy("birth date differs in day, month or year only"),
        "close": gettext_lazy("birth date differs by two digits"),
        "same_year": gettext_lazy("only the year of birth equal"),
        "near_year": gettext_lazy("birth years at most two apart"),
        "only_year_same": gettext_lazy("year of birth equal, day unknown"),
        "only_year_near": gettext_lazy("year of birth at most two apart, day unknown"),
        "only_year_differs": gettext_lazy("year of birth differs, day unknown"),
        "differs": gettext_lazy("birth date differs"),
        "unknown": gettext_lazy("birth date missing on one side"),
    },
    "identifier": {
        "same": gettext_lazy("identifier equal"),
        "near": gettext_lazy("identifier differs by one character"),
        "differs": gettext_lazy("identifier differs"),
        "unknown": gettext_lazy("identifier missing on one side"),
    },
    "middle_name": {
        "same_rare": gettext_lazy("rare middle name equal"),
        "same_usual": gettext_lazy("middle name equal"),
        "same_common": gettext_lazy("common middle name equal"),
        "near": gettext_lazy("middle name differs by one or two letters"),
        "part": gettext_lazy("middle name begins with the same word"),
        "differs": gettext_lazy("middle name differs"),
        "unknown": gettext_lazy("middle name missing on one side"),
    },
    "birth_place": {
        "same_rare": gettext_lazy("rare place of birth equal"),
        "same_usual": gettext_lazy("place of birth equal"),
        "same_common": gettext_lazy("common place of birth equal"),
        "near": gettext_lazy("place of birth differs by one or two letters"),
        "part": gettext_lazy("place of birth begins with the same word"),
        "differs": gettext_lazy("place of birth differs"),
        "unknown": gettext_lazy("place of birth missing on one side"),
    },
    "occupation": {
        "same_rare": gettext_lazy("rare occupation equal"),
        "same_usual": gettext_lazy("occupation equal"),
        "same_common": gettext_lazy("common occupation equal"),
        "near": gettext_lazy("occupation differs by one or two letters"),
        "part": gettext_lazy("occupation begins with the same word"),
        "differs": gettext_lazy("occupation differs"),
        "unknown": gettext_lazy("occupation missing on one side"),
    },
    "organisation": {
        "same_rare": gettext_lazy("rare organisation equal"),
        "same_usual": gettext_lazy("organisation equal"),
        "same_common": gettext_lazy("common organisation equal"),
        "near": gettext_lazy("organisation differs by one or two letters"),
        "part": gettext_lazy("organisation begins with the same word"),
        "differs": gettext_lazy("organisation differs"),
        "unknown": gettext_lazy("organisation missing on one side"),
    },
    "country": {
        "same": gettext_lazy("country equal"),
        "near": gettext_lazy("country differs by one character"),
        "differs": gettext_lazy("country differs"),
        "unknown": gettext_lazy("country missing on one side"),
    },
    "registration": {
        "same": gettext_lazy("registration number equal"),
        "near": gettext_lazy("registration number differs by one character"),
        "differs": gettext_lazy("registration number differs"),
        "unknown": gettext_lazy("registration number missing on one side"),
    },
    "website": {
        "same": gettext_lazy("website equal"),
        "near": gettext_lazy("website differs by one character"),
        "differs": gettext_lazy("website differs"),
        "unknown": gettext_lazy("website missing on one side"),
    },
    "source": {
        "same": gettext_lazy("from one source, which seldom holds a person twice"),
        "differs": gettext_lazy("from two sources"),
        "unknown": gettext_lazy("source unknown"),
    },
    "kind": {
        "persons": gettext_lazy("both are persons"),
        "organisations": gettext_lazy("both are organisations"),
        "mixed": gettext_lazy("a person and an organisation"),
    },
    "kinship": {
        "other_name": gettext_lazy("two given names that people bear"),
        "generation": gettext_lazy("births a generation apart"),
        "both": gettext_lazy("two given names that people bear, births a generation apart"),
    },
    "sex": {
        "same": gettext_lazy("same sex"),
        "differs": gettext_lazy("different sex"),
        "unknown": gettext_lazy("sex missing on one side"),
    },
}

_STREETS: Mapping[str, Words] = {
    "unknown": gettext_lazy("street missing on one side"),
    "same": gettext_lazy("street and number equal"),
    "near": gettext_lazy("street nearly equal, same number"),
    "other_number": gettext_lazy("same street, other number"),
    "differs": gettext_lazy("other street"),
}

_TOWNS: Mapping[str, Words] = {
    "unknown": gettext_lazy("town missing on one side"),
    "same": gettext_lazy("same town"),
    "partly": gettext_lazy("postcode or town equal"),
    "differs": gettext_lazy("other town"),
}

_REASONS: Mapping[str, Words] = {
    "identifier_conflict": gettext_lazy("The identifiers differ."),
    "birth_date_conflict": gettext_lazy(
        "The birth dates differ: it may be father and son, or twins."
    ),
    "sex_conflict": gettext_lazy("The given names are near but the sexes differ."),
    "given_name_conflict": gettext_lazy("The given names differ: it may be a couple or a family."),
    "given_name_unconfirmed": gettext_lazy(
        "A given name is missing: what is shared may belong to a household."
    ),
    "given_name_alone": gettext_lazy(
        "Only a given name agrees, or both names in the other order: many people bear them."
    ),
    "names_alone": gettext_lazy(
        "Nothing but the names can be compared: others may bear them, too."
    ),
    "not_compared": gettext_lazy("No blocking rule brought them together."),
    "below_floor": gettext_lazy("They were compared, and are too unlike to be kept."),
    "below_threshold": gettext_lazy("Not sure enough to link without a steward."),
    "link_refused": gettext_lazy("A rule about whole customers kept them apart."),
    "registration_conflict": gettext_lazy("The registration numbers differ."),
    "organisation_unconfirmed": gettext_lazy(
        "Only the name or only one address agrees: it may be a branch, or two firms of one group."
    ),
    "decided_different": gettext_lazy("A steward said that these people are different."),
    "too_large": gettext_lazy("Together they would be more records than one person usually has."),
    "exclusive_identifier": gettext_lazy("Their identifiers belong to two different people."),
    "same_source": gettext_lazy("Both have a record in a source that holds each person once."),
    "values_changed": gettext_lazy(
        "A value has changed since this pair was decided. The decision holds until you answer."
    ),
    "both_confirmed": gettext_lazy("Stewards confirmed each of them as a customer of its own."),
    "ambiguous": gettext_lazy(
        "One of them fits a third customer as well, and the two cannot both be right."
    ),
    "thin_link": gettext_lazy("Only one link joins two groups of records that otherwise differ."),
}

_LIKELIHOODS: tuple[tuple[float, Words], ...] = (
    (6.0, gettext_lazy("almost certainly one person")),
    (2.0, gettext_lazy("probably one person")),
    (-1.0, gettext_lazy("could be one person or two")),
)
