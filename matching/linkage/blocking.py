"""Which pairs are worth comparing: those that share a key of one of the blocking rules.

A key is used only when all its parts are present. A pair that several rules make is kept under
the first of them; a block larger than the cap makes no pairs and hides none from later rules.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import product

import numpy as np

from matching.linkage.columns import Codes, Flags, Ids
from matching.linkage.encoding import Coded, Encoded

BLOCK_CAP = 1000
"""Records in one block; above, the key says nothing (a default value, a very common name)."""

CHUNK = 1 << 18
"""Pairs handled at a time: large enough for numpy, small enough for memory."""


@dataclass(frozen=True)
class Rule:
    """Parts of values that two records must share to be compared."""

    parts: tuple[str, ...]
    budget: float = 12.0
    """Pairs per record above which the rule is left out: broad rules suit small files only."""

    @property
    def name(self) -> str:
        """The rule as a key: `family_name+postcode`."""
        return "+".join(self.parts)


DEFAULT_RULES = (
    Rule(("identifier",)),
    Rule(("email",)),
    Rule(("phone",)),
    Rule(("family_name", "given_name")),
    Rule(("swapped_names",)),
    Rule(("birth_date", "given_name")),
    Rule(("birth_date", "family_name")),
    Rule(("street", "postcode")),
    Rule(("family_name", "postcode")),
    Rule(("given_name", "street")),
    Rule(("birth_date", "postcode")),
    Rule(("family_name", "city"), budget=4),
    Rule(("email_name",), budget=4),
    Rule(("given_name", "postcode"), budget=6),
    Rule(("family_start", "given_start", "birth_year"), budget=4),
    Rule(("family_start", "given_start"), budget=4),
    Rule(("organisation",), budget=4),
    Rule(("birth_date",), budget=4),
    Rule(("given_name", "birth_year"), budget=6),
    Rule(("family_name", "birth_year"), budget=6),
    Rule(("family_name",), budget=8),
    Rule(("street",), budget=4),
    Rule(("given_start", "birth_day"), budget=4),
    Rule(("postcode",), budget=4),
    Rule(("given_name",), budget=4),
)
"""The safest rules first; a rule without its attributes or above its budget is left out."""


@dataclass(frozen=True)
class Blocks:
    """One rule's blocks: block number per record, one column per way to build the key.

    Block 0 holds nothing: no key, alone in its block, or a block above the cap.
    """

    rule: Rule
    columns: tuple[Codes, ...]
    pair_count: int
    capped_count: int

    def joins(self, left: Codes, right: Codes) -> Flags:
        """Return which pairs share a block."""
        found = np.zeros(len(left), np.bool_)
        for mine, other in product(self.columns, repeat=2):
            one = mine[left]
            found |= (one == other[right]) & (one > 0)
        return found

    def pairs(self) -> tuple[Codes, Codes]:
        """Return each pair of records that share a block once, the earlier record on the left."""
        size = len(self.columns[0])
        blocks = np.concatenate(self.columns)
        records = np.tile(np.arange(size, dtype=np.int32), len(self.columns))
        left, right = _pairs_in_blocks(blocks, records)
        low, high = np.minimum(left, right), np.maximum(left, right)
        if len(self.columns) == 1:
            return low, high
        packed = np.unique((low.astype(np.int64) * size + high)[low != high])
        return (packed // size).astype(np.int32), (packed % size).astype(np.int32)


@dataclass(frozen=True)
class RuleReport:
    """What one rule cost and gave."""

    rule: str
    pairs: int
    new_pairs: int
    capped_blocks: int
    used: bool


def applicable_blocks(
    encoded: Encoded, rules: Sequence[Rule], cap: int = BLOCK_CAP
) -> tuple[list[Blocks], list[RuleReport]]:
    """Return the blocks of each rule that has its attributes and keeps its budget.

    The reports name the rules left out for their budget; one without attributes is silent.
    """
    chosen, refused = [], []
    for rule in rules:
        blocks = build_blocks(encoded, rule, cap)
        if blocks is None:
            continue
        if blocks.pair_count <= rule.budget * encoded.size:
            chosen.append(blocks)
        else:
            refused.append(
                RuleReport(rule.name, blocks.pair_count, 0, blocks.capped_count, used=False)
            )
    return chosen, refused


def build_blocks(encoded: Encoded, rule: Rule, cap: int = BLOCK_CAP) -> Blocks | None:
    """Return the blocks of a rule, or None when no two records share a key."""
    columns = [_combined(parts) for parts in product(*(_PARTS[p](encoded) for p in rule.parts))]
    numbers, counts = np.unique(np.concatenate(columns), return_inverse=True, return_counts=True)[
        1:
    ]
    keys = np.concatenate(columns)
    sizes = np.where(keys > 0, counts[numbers], 0)
    usable = (sizes >= 2) & (sizes <= cap)
    if not usable.any() and not (sizes > cap).any():
        return None
    block_of = np.where(usable, numbers + 1, 0).astype(np.int32)
    block_sizes = counts[np.unique(numbers[usable])].astype(np.int64)
    return Blocks(
        rule=rule,
        columns=tuple(np.split(block_of, len(columns))),
        pair_count=int((block_sizes * (block_sizes - 1) // 2).sum()),
        capped_count=len(np.unique(numbers[sizes > cap])),
    )


def candidate_pairs(
    blocks: Sequence[Blocks], changed: Flags | None = None
) -> Iterator[tuple[int, Codes, Codes]]:
    """Yield (rule position, left, right) chunk by chunk; each pair comes once, over all rules.

    Args:
        blocks: the rules' blocks, in the order in which they claim a pair.
        changed: when given, only pairs with at least one of these records.
    """
    for position, current in enumerate(blocks):
        left, right = current.pairs()
        for start in range(0, len(left), CHUNK):
            one, other = left[start : start + CHUNK], right[start : start + CHUNK]
            kept = np.ones(len(one), np.bool_)
            if changed is not None:
                kept &= changed[one] | changed[other]
            for earlier in blocks[:position]:
                kept[kept] = ~earlier.joins(one[kept], other[kept])
            yield position, one[kept], other[kept]


def random_pairs_sharing(
    encoded: Encoded, parts: Sequence[str], count: int, generator: np.random.Generator
) -> tuple[Codes, Codes]:
    """Return random pairs of records that share these parts, whatever the size of a block.

    Every such pair is as likely as any other; the same pair may come twice.
    """
    key = _combined([_PARTS[part](encoded)[0] for part in parts])
    has_key = np.flatnonzero(key)
    records = has_key[np.argsort(key[has_key], kind="stable")].astype(np.int32)
    starts = np.flatnonzero(np.r_[True, key[records][1:] != key[records][:-1]])
    sizes = np.diff(np.r_[starts, len(records)])
    partners = np.cumsum(np.repeat(sizes - 1, sizes))
    if not len(records) or not partners[-1]:
        return records[:0], records[:0]
    drawn = generator.integers(0, partners[-1], count)
    first = np.searchsorted(partners, drawn, side="right")
    start, size = np.repeat(starts, sizes)[first], np.repeat(sizes, sizes)[first]
    steps = generator.integers(1, size)
    second = start + (first - start + steps) % size
    return records[first], records[second]


def _pairs_in_blocks(blocks: Codes, records: Codes) -> tuple[Codes, Codes]:
    """Return all pairs of entries with the same block number, block 0 left out."""
    entries = np.flatnonzero(blocks)
    order = entries[np.argsort(blocks[entries], kind="stable")]
    sorted_blocks, sorted_records = blocks[order], records[order]
    starts = np.flatnonzero(np.r_[True, sorted_blocks[1:] != sorted_blocks[:-1]])
    if not len(order):
        return sorted_records, sorted_records
    sizes = np.diff(np.r_[starts, len(order)])
    ends = np.repeat(starts + sizes, sizes)
    partners = ends - np.arange(len(order)) - 1
    first = np.repeat(np.arange(len(order)), partners)
    offsets = np.cumsum(partners) - partners
    second = np.arange(len(first)) - np.repeat(offsets, partners) + first + 1
    return sorted_records[first], sorted_records[second]


def _combined(parts: Sequence[Codes]) -> Ids:
    """Return one key per record from its parts, 0 where a part is missing."""
    is_complete = reduce(np.logical_and, (part > 0 for part in parts))
    key = parts[0].astype(np.int64)
    for part in parts[1:]:
        key = key * (int(part.max(initial=0)) + 1) + part
    return np.where(is_complete, key, 0)


def _swapped_names(encoded: Encoded) -> tuple[Codes, ...]:
    """Return a key that is the same for both orders of a given and a family name."""
    names = encoded.names
    low = np.minimum(names.given, names.family).astype(np.int64)
    high = np.maximum(names.given, names.family)
    packed = np.where(low > 0, low * len(names.words) + high, 0)
    distinct, codes = np.unique(packed, return_inverse=True)
    return ((codes + (0 if distinct[0] == 0 else 1)).astype(np.int32),)


def _starts(encoded: Encoded, codes: Codes, length: int) -> tuple[Codes, ...]:
    coded = Coded(codes, encoded.names.words)
    return (coded.mapped(lambda word: word[:length]).codes,)


def _birth_day(encoded: Encoded) -> tuple[Codes, ...]:
    _, month, day = encoded.birth_parts
    return (np.where(month > 0, month * 32 + day, 0).astype(np.int32),)


_PARTS: Mapping[str, Callable[[Encoded], tuple[Codes, ...]]] = {
    "identifier": lambda encoded: (encoded.identifier.codes,),
    "organisation": lambda encoded: (encoded.organisation.codes,),
    "email": lambda encoded: (encoded.email.codes,),
    "email_name": lambda encoded: (encoded.local_part.codes,),
    "phone": lambda encoded: tuple(phone.codes for phone in encoded.phones),
    "given_name": lambda encoded: (encoded.names.given,),
    "given_start": lambda encoded: _starts(encoded, encoded.names.given, 3),
    "family_name": lambda encoded: (encoded.names.family, encoded.names.birth),
    "family_start": lambda encoded: _starts(encoded, encoded.names.family, 4),
    "swapped_names": _swapped_names,
    "birth_date": lambda encoded: (encoded.birth_date.codes,),
    "birth_year": lambda encoded: (encoded.birth_parts[0],),
    "birth_day": _birth_day,
    "street": lambda encoded: (encoded.street.codes,),
    "postcode": lambda encoded: (encoded.postcode.codes,),
    "city": lambda encoded: (encoded.city.codes,),
}

PART_FIELDS: Mapping[str, tuple[str, ...]] = {
    "identifier": ("identifier",),
    "organisation": ("organisation",),
    "email": ("email",),
    "email_name": ("email",),
    "phone": ("phone",),
    "given_name": ("given_name",),
    "given_start": ("given_name",),
    "family_name": ("family_name",),
    "family_start": ("family_name",),
    "swapped_names": ("given_name", "family_name"),
    "birth_date": ("birth_date",),
    "birth_year": ("birth_date",),
    "birth_day": ("birth_date",),
    "street": ("address",),
    "postcode": ("address",),
    "city": ("address",),
}
"""The compared fields that a part of a key speaks about."""
