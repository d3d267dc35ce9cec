"""What agrees by chance in a file, measured on random pairs; the classes of its pairs follow."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from matching.linkage.classes import (
    Chance,
    Classes,
    build_classes,
    chance_at_random,
    chance_when_sharing,
    parts_by_field,
)
from matching.linkage.columns import Codes, Flags, Floats, Levels
from matching.linkage.comparison import compare
from matching.linkage.encoding import Encoded
from matching.linkage.keys import MADE_OF_NAMES, NAMES, Rule
from matching.linkage.sorting import random_pairs_sharing

RANDOM_PAIRS = 100_000
FEWEST_RANDOM_PAIRS = 2_000
RULE_SAMPLE = 6_000
SEED = 20_230_717

_OF_PEOPLE = {"given_name", "family_name", "birth_date", "sex", "middle_name", "birth_place"}


def learn_classes(encoded: Encoded, rules: Sequence[Rule], *, workers: int = 1) -> Classes:
    """Return the classes that suit these records and rules, untrained."""
    records = np.arange(encoded.size, dtype=np.int32)
    parts = [_measured(one, encoded.fields) for one in rules]
    chance = _chance(encoded, records, parts, workers=workers)
    return build_classes(
        encoded.fields,
        rules,
        replace(chance, organisations=_among_organisations(encoded, rules, workers)),
        with_homes=_share_homes(encoded),
    )


def _share_homes(encoded: Encoded) -> bool:
    """Return whether people who share a home can be seen: by its street, or names by its phone."""
    has_streets = "address" in encoded.fields and encoded.texts["street"].is_present
    return has_streets or {"given_name", "phone"} <= set(encoded.fields)


def _chance(
    encoded: Encoded,
    records: Codes,
    parts: Sequence[Mapping[str, tuple[str, ...]]],
    *,
    among: Flags | None = None,
    workers: int,
) -> Chance:
    """Return what these records agree on by chance; `parts`: which fields each rule shifts."""
    # Several fields, and several rules, ask about those who share the same parts.
    asked = list(dict.fromkeys(shared for one in parts for shared in one.values()))
    with ThreadPoolExecutor(workers) as pool:
        drawn = pool.submit(_at_random, encoded, records)
        found = pool.map(lambda shared: _levels_when_sharing(encoded, shared, among), asked)
        levels, at_random = dict(zip(asked, found, strict=True)), drawn.result()
    under_rule = [
        {
            field: chance_when_sharing(field, levels[shared], at_random[field], shared)
            for field, shared in one.items()
        }
        for one in parts
    ]
    return Chance(at_random, under_rule)


def _among_organisations(encoded: Encoded, rules: Sequence[Rule], workers: int) -> Chance | None:
    """Return what organisations agree on by chance; a rule about people tells nothing of them."""
    if "kind" not in encoded.fields:
        return None
    among = encoded.is_organisation
    asked = [parts_by_field(one, encoded.fields) for one in rules]
    parts = [{} if _OF_PEOPLE & fields.keys() else fields for fields in asked]
    records = np.flatnonzero(among).astype(np.int32)
    return _chance(encoded, records, parts, among=among, workers=workers)


def _measured(rule: Rule, fields: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return the fields whose levels a rule shifts, with the parts of the key that shift them.

    These are the fields it blocks on; people of one name have mailboxes that are alike, and those
    of mailboxes that are alike have names that are.
    """
    found = parts_by_field(rule, fields)
    names = [part for field in NAMES for part in found.get(field, ())]
    if names and "email" in fields and "email" not in found:
        found["email"] = tuple(dict.fromkeys(names))
    if not names and "email" in found and not MADE_OF_NAMES.isdisjoint(rule.parts):
        found |= {field: found["email"] for field in NAMES if field in fields}
    return found


def _at_random(encoded: Encoded, records: Codes) -> dict[str, Floats]:
    generator = np.random.default_rng(SEED)
    pair_count = len(records) * (len(records) - 1) // 2
    drawn = (2, min(RANDOM_PAIRS, max(FEWEST_RANDOM_PAIRS, pair_count)))
    left, right = np.take(records, generator.integers(0, len(records), drawn))
    apart = left != right
    return chance_at_random(compare(encoded, left[apart], right[apart]), pair_count)


def _levels_when_sharing(
    encoded: Encoded, parts: tuple[str, ...], among: Flags | None
) -> dict[str, Levels]:
    """Return how random pairs agree that share these parts."""
    generator = np.random.default_rng(SEED)
    left, right = random_pairs_sharing(encoded, parts, RULE_SAMPLE, generator)
    if among is not None:
        kept = np.take(among, left) & np.take(among, right)
        left, right = left[kept], right[kept]
    return compare(encoded, left, right)
