"""The links that a partition changes, in groups that can be applied one after the other."""

from collections.abc import Mapping, Sequence

from matching.clustering import Partition
from matching.neighbourhood import Facts, changed_links
from mdm.identity import Link

RECORDS_PER_CHUNK = 2_000


def moves(facts: Facts, partition: Partition) -> list[list[Link]]:
    """Return the links that are not as the partition says.

    Links that share an old or a new customer stand in one group, so that customers are whole
    after each.
    """
    changed = changed_links(facts, partition)
    homes = {link.record_id: customer for link, customer in changed}
    return _filled(_grouped([link for link, _customer in changed], homes))


def _grouped(changed: Sequence[Link], homes: Mapping[int, int]) -> list[list[Link]]:
    """Put links into one group when they touch the same customer."""
    leaders: dict[int, int] = {}
    for link in changed:
        one, other = _leader(leaders, link.record_id), _leader(leaders, link.customer_id)
        third = _leader(leaders, homes[link.record_id])
        first = min(one, other, third)
        leaders[one] = leaders[other] = leaders[third] = first
    groups: dict[int, list[Link]] = {}
    for link in changed:
        groups.setdefault(_leader(leaders, link.customer_id), []).append(link)
    return [groups[name] for name in sorted(groups)]


def _leader(leaders: dict[int, int], key: int) -> int:
    """Return the smallest key of those that are in one group with this one."""
    top = key
    while (above := leaders.get(top, top)) != top:
        top = above
    while key != top:  # The next look-up is shorter.
        leaders[key], key = top, leaders[key]
    return top


def _filled(groups: Sequence[list[Link]]) -> list[list[Link]]:
    """Join small groups until each has about a chunk of records."""
    filled: list[list[Link]] = []
    for group in groups:
        if filled and len(filled[-1]) + len(group) <= RECORDS_PER_CHUNK:
            filled[-1].extend(group)
        else:
            filled.append(list(group))
    return filled
