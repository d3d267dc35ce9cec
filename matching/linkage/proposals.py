"""Which blocking rules suit the attributes at hand, judged by the data alone.

Half of recall is blocking. The rules with few pairs come first; a model trained on their pairs
then tells of every other rule, from a sample of its pairs, how many matches it would add, and the
rules that give most matches per pair are taken until the budget of pairs is spent.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from matching.linkage.blocking import (
    BLOCK_CAP,
    Blocks,
    Partition,
    build_blocks,
)
from matching.linkage.chance import learn_classes
from matching.linkage.classes import parts_by_field
from matching.linkage.columns import Codes, Flags, Floats, Ids
from matching.linkage.comparison import patterns
from matching.linkage.encoding import Encoded
from matching.linkage.keys import Rule
from matching.linkage.pairing import candidates, count_patterns
from matching.linkage.training import fit, split_patterns
from matching.scoring import ScoreModel

PAIRS_PER_RECORD = 6.5
FREE_PAIRS = 100_000
"""What any file may cost: a small one can afford broad rules."""

SMALL_FILE_PAIRS = 400_000
"""What any file may cost: a small one can afford broad rules."""

SURE_PAIRS_PER_RECORD = 0.5
"""Rules with fewer pairs are taken unseen: they cost nothing, and training starts from them."""

SAMPLE = 4_000
LEAST_YIELD = 0.0001
"""Matches per new pair below which a rule is not worth its pairs."""

_ROUNDS = 50
_SEED = 20_230_717

Sample = tuple[Codes, Codes, Floats]
"""Pairs of records, and the probability of each to be a match."""

DEFAULT_RULES = tuple(
    Rule(tuple(name.split("+")))
    for name in """
    identifier registration email phone website name_in_email email_start email_end email_name
    full_name birth_date organisation
    birth_date+given_name birth_date+family_name birth_date+postcode birth_date+city
    street+postcode street+city street+street_number street
    family_name+postcode family_name+city family_name+street family_name
    given_name+postcode given_name+city given_name+street given_name
    family_start+given_start family_sound+given_sound family_start+given_start+birth_year
    family_sound+given_sound+birth_year family_name+given_initial family_name+given_start
    given_name+family_start
    given_name+birth_year family_name+birth_year given_name+birth_month family_name+birth_month
    given_start+birth_day family_start+birth_day family_sound+birth_year family_sound+postcode
    given_name+postcode+birth_year given_start+street family_sound+city
    birth_place+given_name birth_place+family_name birth_place+birth_year
    birth_place+family_sound+given_start occupation+family_name occupation+given_name+birth_year
    organisation+postcode organisation+city organisation_start+postcode organisation_start+city
    organisation_start postcode city+birth_year postcode+birth_year
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
    is_taken: bool = False

    @property
    def matches_per_pair(self) -> float:
        """How much one more pair gives."""
        return self.expected_matches / max(1, self.new_pairs)


def pair_budget(size: int) -> int:
    """Return how many pairs a file of this many records may make."""
    return max(int(PAIRS_PER_RECORD * size) + FREE_PAIRS, SMALL_FILE_PAIRS)


def propose(
    encoded: Encoded,
    rules: Sequence[Rule] = DEFAULT_RULES,
    *,
    budget: int | None = None,
    cap: int = BLOCK_CAP,
    workers: int = 1,
) -> list[Proposal]:
    """Return every applicable rule with its costs, those taken first, in the order to use them.

    Args:
        encoded: the records.
        rules: the rules to choose from.
        budget: pairs that all rules together may make; None for what suits the size.
        cap: records in a block at most.
        workers: threads.
    """
    return _Choice(encoded, rules, cap, workers).proposals(
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
    """Return the blocks of the rules that have their attributes, in their order.

    A rule above its budget of pairs per record is left out.
    """
    with ThreadPoolExecutor(workers) as pool:
        built = pool.map(lambda rule: build_blocks(encoded, rule, cap, partition), rules)
        return [
            blocks
            for blocks in built
            if blocks is not None and blocks.pair_count <= blocks.rule.budget * encoded.size
        ]


class _Choice:
    """The rules that could be taken, and those that are."""

    def __init__(self, encoded: Encoded, rules: Sequence[Rule], cap: int, workers: int) -> None:
        self.encoded, self.workers = encoded, workers
        built = build_all(encoded, rules, cap, workers=workers)
        self.open = {one.rule: one for one in built}
        self.taken: list[Blocks] = []
        self.made: list[Proposal] = []

    def proposals(self, budget: int) -> list[Proposal]:
        """Return all rules, those taken first."""
        self._take_sure(budget)
        model = self._train()
        samples = {rule: self._sample(blocks, model) for rule, blocks in self.open.items()}
        while self.open:
            judged = [self._judged(blocks, samples[blocks.rule]) for blocks in self.open.values()]
            room = budget - sum(one.new_pairs for one in self.made)
            fitting = [one for one in judged if one.new_pairs <= room]
            best = max(fitting, key=lambda one: one.matches_per_pair, default=None)
            if best is None or best.matches_per_pair < LEAST_YIELD:
                return [*self.made, *judged]
            self._take(replace(best, is_taken=True))
        return self.made

    def _take_sure(self, budget: int) -> None:
        """Take the rules with few pairs; if there are none, the one with the fewest."""
        sure = min(SURE_PAIRS_PER_RECORD * self.encoded.size, budget / 4)
        by_cost = sorted(self.open.values(), key=lambda one: one.pair_count)
        for blocks in by_cost:
            spent = sum(one.new_pairs for one in self.made)
            if not self.made or (blocks.pair_count <= sure and spent < budget / 2):
                judged = self._judged(blocks, self._draw(blocks))
                self._take(replace(judged, expected_matches=0.0, is_taken=True))

    def _take(self, proposal: Proposal) -> None:
        self.made.append(proposal)
        self.taken.append(self.open.pop(proposal.rule))

    def _train(self) -> ScoreModel:
        encoded = self.encoded
        found = candidates(encoded, self.taken, workers=self.workers)
        distinct, counts = count_patterns(found.pattern, encoded.fields)
        classes = learn_classes(encoded, self.taken, workers=self.workers)
        return fit(distinct, counts.astype(np.float64), classes).model

    def _draw(self, blocks: Blocks) -> Sample:
        left, right = blocks.random_pairs(SAMPLE, np.random.default_rng(_SEED))
        return left, right, np.zeros(len(left))

    def _sample(self, blocks: Blocks, model: ScoreModel) -> Sample:
        """Return random pairs of a rule with the probability of each to be a match."""
        left, right, likely = self._draw(blocks)
        new = np.flatnonzero(~self._is_known(left, right))
        if len(new):
            pattern = patterns(self.encoded, self.encoded.fields, left[new], right[new])
            likely[new] = _match_probability(model, pattern, blocks.rule)
        return left, right, likely

    def _is_known(self, left: Codes, right: Codes) -> Flags:
        known = np.zeros(len(left), np.bool_)
        for taken in self.taken:
            known |= taken.joins(left, right)
        return known

    def _judged(self, blocks: Blocks, sample: Sample) -> Proposal:
        left, right, likely = sample
        if not len(left):
            return _proposal(blocks)
        known = self._is_known(left, right)
        share = blocks.pair_count / len(left)
        return _proposal(
            blocks,
            new_pairs=int((~known).sum() * share),
            expected_matches=float(likely[~known].sum() * share),
        )


def _match_probability(model: ScoreModel, pattern: Ids, rule: Rule) -> Floats:
    """Return how likely pairs of a rule are matches, by the fields that the rule does not ask for.

    That two records share what the rule asks for proves nothing among its own pairs. The shares of
    matches, households and strangers among them are what fits the other fields best (EM).
    """
    asked = set(parts_by_field(rule, model.fields))
    kept = [n for n, name in enumerate(model.classes) if not name.startswith("chance: ")]
    likelihood = np.ones((len(pattern), len(kept)))
    for field, level in split_patterns(pattern, model.fields).items():
        if field not in asked:
            likelihood *= np.array(model.probabilities[field])[kept].T[level]
    shares = np.full(len(kept), 1 / len(kept))
    posterior = likelihood
    for _ in range(_ROUNDS):
        posterior = likelihood * shares
        posterior /= posterior.sum(axis=1, keepdims=True)
        # One pair more of strangers: a rule is worth nothing until its pairs say so.
        shares = posterior.sum(axis=0) + np.eye(len(kept))[-1]
        shares /= shares.sum()
    return np.asarray(posterior[:, : model.match_count].sum(axis=1), np.float64)


def _proposal(blocks: Blocks, **figures: float) -> Proposal:
    return Proposal(blocks.rule, blocks.pair_count, blocks.largest, blocks.capped_count, **figures)  # type: ignore[arg-type]


def taken(proposals: Iterable[Proposal]) -> tuple[Rule, ...]:
    """Return the rules to use, in their order."""
    return tuple(one.rule for one in proposals if one.is_taken)
