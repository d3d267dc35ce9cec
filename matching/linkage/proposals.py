"""Which blocking rules suit the attributes at hand."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from matching.linkage.blocking import (
    BLOCK_CAP,
    Blocks,
    Partition,
    RuleReport,
    build_blocks,
    is_applicable,
)
from matching.linkage.encoding import Encoded
from matching.linkage.keys import Rule

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


def applicable_blocks(
    encoded: Encoded,
    rules: Sequence[Rule],
    cap: int = BLOCK_CAP,
    *,
    workers: int = 1,
    partition: Partition | None = None,
) -> tuple[list[Blocks], list[RuleReport]]:
    """Return the blocks of each rule that has its attributes and keeps its budget.

    The reports name the rules left out for their budget; one without attributes is silent.
    """
    chosen, refused = [], []
    usable = [rule for rule in rules if is_applicable(encoded, rule)]
    with ThreadPoolExecutor(workers) as pool:
        built = list(pool.map(lambda rule: build_blocks(encoded, rule, cap, partition), usable))
    for rule, blocks in zip(usable, built, strict=True):
        if blocks is None:
            continue
        if blocks.pair_count <= rule.budget * encoded.size:
            chosen.append(blocks)
        else:
            refused.append(
                RuleReport(rule.name, blocks.pair_count, 0, blocks.capped_count, used=False)
            )
    return chosen, refused
