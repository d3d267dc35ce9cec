"""What agrees by chance in a file, measured on random pairs; the classes of its pairs follow."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from matching.linkage.blocking import random_pairs_sharing
from matching.linkage.classes import (
    Chance,
    Classes,
    build_classes,
    chance_at_random,
    chance_when_sharing,
    parts_by_field,
)
from matching.linkage.columns import Floats
from matching.linkage.comparison import compare
from matching.linkage.encoding import Encoded
from matching.linkage.keys import Rule

RANDOM_PAIRS = 100_000
FEWEST_RANDOM_PAIRS = 2_000
RULE_SAMPLE = 6_000
SEED = 20_230_717


def learn_classes(encoded: Encoded, rules: Sequence[Rule], *, workers: int = 1) -> Classes:
    """Return the classes that suit these records and rules, untrained."""
    at_random = _at_random(encoded)
    parts = [_measured(one, encoded.fields) for one in rules]
    keys = list(dict.fromkeys(key for one in parts for key in one.items()))
    with ThreadPoolExecutor(workers) as pool:
        found = pool.map(lambda key: _when_sharing(encoded, key[0], key[1], at_random), keys)
        shared = dict(zip(keys, found, strict=True))
    return build_classes(
        encoded.fields,
        rules,
        Chance(at_random, [{key[0]: shared[key] for key in one.items()} for one in parts]),
        with_homes=encoded.texts["street"].is_present,
    )


def _measured(rule: Rule, fields: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return the fields whose levels a rule shifts, with the parts of the key that shift them.

    These are the fields it blocks on; and people of one name have mailboxes that are alike.
    """
    found = parts_by_field(rule, fields)
    names = [part for field in ("given_name", "family_name") for part in found.get(field, ())]
    if names and "email" in fields and "email" not in found:
        found["email"] = tuple(dict.fromkeys(names))
    return found


def _at_random(encoded: Encoded) -> dict[str, Floats]:
    generator = np.random.default_rng(SEED)
    pair_count = encoded.size * (encoded.size - 1) // 2
    drawn = (2, min(RANDOM_PAIRS, max(FEWEST_RANDOM_PAIRS, pair_count)))
    left, right = generator.integers(0, encoded.size, drawn).astype(np.int32)
    apart = left != right
    return chance_at_random(compare(encoded, left[apart], right[apart]), pair_count)


def _when_sharing(
    encoded: Encoded, field: str, parts: tuple[str, ...], at_random: dict[str, Floats]
) -> Floats:
    generator = np.random.default_rng(SEED)
    left, right = random_pairs_sharing(encoded, parts, RULE_SAMPLE, generator)
    asked = parts_by_field(Rule(parts), encoded.fields)
    levels = compare(encoded, left, right)
    return chance_when_sharing(field, levels, at_random[field], asked)
