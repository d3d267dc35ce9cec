"""Which blocking rules suit the attributes at hand, judged by the data alone.

Half of recall is blocking. A model is trained on sampled pairs of the rules with few pairs; it
tells how likely the sampled pairs of the others are matches. The rules that give most new matches
per new pair are taken until the budget is spent; those that find next to nothing by themselves
are left out again. No rule's pairs are built for it (see `survey`).
"""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from matching.linkage.blocking import (
    BLOCK_CAP,
    Blocks,
    LeftOut,
    Partition,
    build_blocks,
)
from matching.linkage.chance import learn_classes
from matching.linkage.classes import parts_by_field
from matching.linkage.columns import Bits, Flags, Floats, Ids, Levels
from matching.linkage.comparison import patterns
from matching.linkage.encoding import Encoded
from matching.linkage.keys import MADE_OF_NAMES, NAMES, Rule
from matching.linkage.profiles import SILENT_LEVELS
from matching.linkage.survey import Survey, survey
from matching.linkage.training import fit, score_patterns, split_patterns
from matching.scoring import ScoreModel

PAIRS_PER_RECORD = 6.5
FREE_PAIRS = 100_000
"""What comes on top, whatever the size."""

SMALL_FILE_PAIRS = 400_000
"""What any file may cost: a small one can afford broad rules."""

SURE_PAIRS_PER_RECORD = 0.5
"""Rules with fewer pairs are what the model is trained on."""

LEAST_YIELD = 0.0005
"""Matches per new pair below which a rule is not worth its pairs."""

LEAST_MATCHES = 0.5
"""New matches below which a rule is not worth a look, however few its pairs."""

LEAST_SHARE = 0.00005
"""Of all matches: a rule that alone finds fewer is left out."""

OWN_PAIRS_PER_RECORD = 2.0
"""What makes more pairs is nobody's own: a number that stands in every line."""

_OWN = (("identifier",), ("registration",), ("email",), ("phone",))
_ROUNDS = 50
_FEW_PAIRS = 5.0
"""What is usual among matches weighs as much as so many pairs."""


DEFAULT_RULES = tuple(
    Rule(tuple(name.split("+")))
    for name in """
    identifier registration email phone website name_in_email email_start email_end email_name
    email_sound email_ends
    full_name birth_date organisation
    birth_date+given_name birth_date+family_name birth_date+postcode birth_date+city
    street+postcode street+city street+street_number street
    family_name+postcode family_name+city family_name+street family_name
    given_name+postcode given_name+city given_name+street given_name
    family_start+given_start family_sound+given_sound family_french+given_french
    family_start+given_start+birth_year family_sound+given_sound+birth_year
    family_name+given_initial family_name+given_start given_name+family_start
    given_name+birth_year family_name+birth_year given_name+birth_month family_name+birth_month
    given_start+birth_day family_start+birth_day family_sound+birth_year family_sound+postcode
    given_name+postcode+birth_year given_start+street family_sound+city
    birth_place+given_name birth_place+family_name birth_place+birth_year
    birth_place+family_sound+given_start occupation+family_name occupation+given_name+birth_year
    organisation+postcode organisation+city organisation_start+postcode organisation_start+city
    organisation_start postcode city+birth_year postcode+birth_year
    given_start+street+postcode family_start+given_start+postcode
    family_name+given_initial+postcode family_sound+given_sound+postcode
    street+street_number+postcode
    given_initial+street+street_number
    """.split()
)
"""Rules that may suit some file; those without their attributes are left out."""


@dataclass(frozen=True)
class Proposal:
    """One rule with what it would cost and give."""

    rule: Rule
    pairs: int
    largest_block: int
    capped_blocks: int
    new_pairs: int = 0
    """Pairs that the rules taken before it do not make, estimated."""
    expected_matches: float = 0.0
    """Matches among the new pairs, by the model."""
    left_out: LeftOut | None = None

    @property
    def is_taken(self) -> bool:
        """True unless it was left out."""
        return self.left_out is None


def pair_budget(size: int) -> int:
    """Return how many pairs a file of this many records may make."""
    return max(int(PAIRS_PER_RECORD * size) + FREE_PAIRS, SMALL_FILE_PAIRS)


def propose(
    encoded: Encoded,
    rules: Sequence[Rule] | None = None,
    *,
    budget: int | None = None,
    cap: int = BLOCK_CAP,
    workers: int = 1,
) -> list[Proposal]:
    """Return every applicable rule with its costs, those taken first, in the order to use them.

    Args:
        encoded: the records.
        rules: the rules to choose from; None for those delivered.
        budget: pairs that all rules together may make; None for what suits the size.
        cap: records in a block at most.
        workers: threads.
    """
    found = survey(encoded, DEFAULT_RULES if rules is None else rules, cap, workers)
    if not len(found.left):
        return []
    return _Choice(encoded, found, workers).proposals(
        pair_budget(encoded.size) if budget is None else budget
    )


def build_all(
    encoded: Encoded,
    rules: Sequence[Rule],
    cap: int = BLOCK_CAP,
    *,
    workers: int = 1,
    partition: Partition | None = None,
) -> list[Blocks]:
    """Return the blocks of the rules that find something, in their order.

    A rule above its budget of pairs per record is left out.
    """
    found = build_each(encoded, rules, cap, workers=workers, partition=partition)
    return [blocks for blocks in found if blocks.is_within_budget(encoded.size)]


def build_each(
    encoded: Encoded,
    rules: Sequence[Rule],
    cap: int = BLOCK_CAP,
    *,
    workers: int = 1,
    partition: Partition | None = None,
    too_common: Bits | None = None,
) -> list[Blocks]:
    """Return the blocks of the rules that find something, whatever their budgets."""
    with ThreadPoolExecutor(workers) as pool:
        built = pool.map(
            lambda rule: build_blocks(encoded, rule, cap, partition, too_common=too_common), rules
        )
        return [blocks for blocks in built if blocks is not None]


class _Choice:
    """The rules that could be taken, judged on the pairs of a survey."""

    def __init__(self, encoded: Encoded, found: Survey, workers: int) -> None:
        self.encoded, self.survey, self.workers = encoded, found, workers
        self.weights = found.weights()
        pattern = patterns(encoded, encoded.fields, found.left, found.right)
        self.distinct, self.place = np.unique(pattern, return_inverse=True)
        self.matches = self.weights * self._likely()

    def proposals(self, budget: int) -> list[Proposal]:
        """Return all rules, those taken first."""
        affordable, too_large = self._worth_taking(budget)
        taken = self._needed(affordable) or self._of_ones_own()
        known = np.zeros(len(self.weights), np.bool_)
        made = []
        for position in taken:
            made.append(self._proposal(position, known))
            known |= self.survey.shared[position]
        for position in sorted({*range(len(self.survey.costs))} - {*taken}):
            reason = LeftOut.OVER_BUDGET if position in too_large else LeftOut.ADDS_LITTLE
            made.append(self._proposal(position, known, reason))
        return made

    def _worth_taking(self, budget: int) -> tuple[list[int], set[int]]:
        """Return rules by falling matches per new pair, until the budget of pairs is spent.

        And those that would be worth their pairs, had there been room for them.
        """
        shared, taken = self.survey.shared, list[int]()
        weights = np.stack([self.weights, self.matches], axis=1)
        new = np.ones(len(weights), np.bool_)
        left = shared @ weights
        room = float(budget)
        while True:
            pairs, matches = left.T
            yields = matches / np.maximum(1.0, pairs)
            yields[matches < LEAST_MATCHES] = 0.0
            worth = np.where(pairs <= room, yields, 0.0)
            best = int(np.argmax(worth))
            if worth[best] < LEAST_YIELD:
                return taken, set(np.flatnonzero(yields >= LEAST_YIELD).tolist())
            taken.append(best)
            room -= pairs[best]
            found = np.flatnonzero(new & shared[best])
            new[found] = False
            left = left - shared[:, found] @ weights[found]

    def _of_ones_own(self) -> list[int]:
        """Return the rules for what is one person's own, as far as it is.

        Where records say nothing else of a person, their pairs cannot seem worth a look.
        """
        most = OWN_PAIRS_PER_RECORD * self.encoded.size
        costs = enumerate(self.survey.costs)
        return [place for place, one in costs if one.rule.parts in _OWN and one.pairs <= most]

    def _needed(self, taken: list[int]) -> list[int]:
        """Leave out, one by one, the rules whose matches nearly all come by others, too.

        One match more than was estimated must not matter: a small file cannot tell.
        """
        kept = list(taken)
        makers = self.survey.shared[kept].sum(axis=0)
        least = LEAST_SHARE * float(self.matches[makers > 0].sum())
        while len(kept) > 1:
            alone = self.survey.shared[kept] & (makers == 1)
            worth = alone @ self.matches
            weakest = int(np.argmin(worth))
            if worth[weakest] + 1 >= least:
                break
            makers -= self.survey.shared[kept.pop(weakest)]
        return kept

    def _proposal(self, position: int, known: Flags, left_out: LeftOut | None = None) -> Proposal:
        cost = self.survey.costs[position]
        new = self.survey.shared[position] & ~known
        return Proposal(
            rule=cost.rule,
            pairs=cost.pairs,
            largest_block=cost.largest_block,
            capped_blocks=cost.capped_blocks,
            new_pairs=int(self.weights[new].sum()),
            expected_matches=float(self.matches[new].sum()),
            left_out=left_out,
        )

    def _likely(self) -> Floats:
        """Return the probability of each sampled pair to be a match."""
        sure = self._sure()
        known: Flags = np.any(self.survey.shared[sure], axis=0)
        model = self._trained([self.survey.costs[position].rule for position in sure], known)
        scores = np.clip(score_patterns(model, self.distinct), -500, 500)
        likely = np.take(1 / (1 + np.exp2(-scores)), self.place)
        for position, cost in enumerate(self.survey.costs):
            rows = np.flatnonzero(self.survey.origin == position)
            is_open = ~known[rows]
            if is_open.any():
                pattern = np.take(self.distinct, self.place[rows])
                found = np.where(is_open, 0.0, likely[rows])
                likely[rows[is_open]] = _match_probability(model, pattern, cost.rule, found)[
                    is_open
                ]
        return np.asarray(likely, np.float64)

    def _sure(self) -> list[int]:
        """Return the rules with few pairs; if there are none, the one with the fewest."""
        most = SURE_PAIRS_PER_RECORD * self.encoded.size
        pairs = [one.pairs for one in self.survey.costs]
        by_cost = sorted(range(len(pairs)), key=pairs.__getitem__)
        return [place for place in by_cost if place == by_cost[0] or pairs[place] <= most]

    def _trained(self, rules: Sequence[Rule], rows: Flags) -> ScoreModel:
        """Return a model of what the sure rules find."""
        counts = np.bincount(self.place[rows], self.weights[rows], len(self.distinct))
        seen = np.flatnonzero(counts)
        classes = learn_classes(self.encoded, rules, workers=self.workers)
        return fit(self.distinct[seen], np.asarray(counts[seen], np.float64), classes).model


def _match_probability(model: ScoreModel, pattern: Ids, rule: Rule, found: Floats) -> Floats:
    """Return how likely pairs of a rule are matches.

    That two records share what the rule asks for proves nothing among its own pairs. How they
    agree on it does, as far as matches that other rules find differ there from the rest: equal
    names are rarer, parts of a value belong to values that are nearly equal. The shares of
    matches, households and strangers are what fits all pairs of the rule best (EM).

    Args:
        model: trained on what the sure rules find.
        pattern: of the pairs.
        rule: what made them.
        found: how likely the pairs are matches that the sure rules find, 0 for all others.
    """
    levels = split_patterns(pattern, model.fields)
    asked = sorted(_spoken_of(rule, model.fields) & levels.keys())
    kept = [n for n, name in enumerate(model.classes) if not name.startswith("chance: ")]
    likelihood = np.ones((len(pattern), len(kept)))
    for field in model.fields:
        if field not in asked:
            likelihood *= np.array(model.probabilities[field])[kept].T[levels[field]]
    matches = slice(model.match_count)
    likelihood[:, matches] *= _how_they_agree(model, levels, asked, found)[:, None]
    shares = np.full(len(kept), 1 / len(kept))
    rest, posterior = np.ones(len(pattern)), likelihood
    for _ in range(_ROUNDS):
        others = _how_they_agree(model, levels, asked, rest)
        posterior = likelihood * shares
        posterior[:, model.match_count :] *= others[:, None]
        posterior /= posterior.sum(axis=1, keepdims=True)
        rest = 1 - posterior[:, matches].sum(axis=1)
        # One pair more of strangers: a rule is worth nothing until its pairs say so.
        shares = posterior.sum(axis=0) + np.eye(len(kept))[-1]
        shares /= shares.sum()
    return np.asarray(1 - rest, np.float64)


def _how_they_agree(
    model: ScoreModel, levels: Mapping[str, Levels], fields: Sequence[str], weights: Floats
) -> Floats:
    """Return how likely the levels of pairs are, as they are spread over the weighted pairs."""
    result = np.ones(len(weights))
    for field in fields:
        usual = np.array(model.probabilities[field][0])
        silent = [0, *SILENT_LEVELS.get(field, ())]
        counts = np.bincount(levels[field], weights, len(usual)) + _FEW_PAIRS * usual
        counts[silent] = 0.0
        spread = counts / counts.sum()
        spread[silent] = 1.0
        result *= spread[levels[field]]
    return result


def _spoken_of(rule: Rule, fields: Sequence[str]) -> set[str]:
    """Return the fields that a rule asks for, or that follow from what it asks for.

    Mailboxes are made of names: people of one name have mailboxes that are alike, and the start
    of a mailbox is mostly a given name.
    """
    asked = set(parts_by_field(rule, fields))
    if not asked.isdisjoint(NAMES):
        asked.add("email")
    if not MADE_OF_NAMES.isdisjoint(rule.parts):
        asked |= {*NAMES}
    return asked


def taken(proposals: Iterable[Proposal]) -> tuple[Rule, ...]:
    """Return the rules to use, in their order."""
    return tuple(one.rule for one in proposals if one.is_taken)
