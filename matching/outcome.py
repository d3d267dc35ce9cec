"""What a partition would change for customers as they are: who would merge, who would part."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from matching.clustering import Partition
from mdm.birth_ids import display, public_id
from mdm.models import Customer

EXAMPLES = 20


@dataclass(frozen=True, slots=True)
class Outcome:
    """Counts and the first examples, by public id; no values of anybody.

    `merges` holds groups of present customers that would be one, `splits` each present customer
    that would part with the ids it would become, `held` how many pairs each guard holds apart.
    """

    merged_customers: int
    split_customers: int
    merges: list[list[str]]
    splits: list[list[str]]
    held: dict[str, int]


@dataclass(frozen=True, slots=True)
class Example:
    """Customers that would merge, or the parts one would fall into; those known by name."""

    customers: list[Customer]
    new_ids: list[str]


def outcome(present: Mapping[int, int], partition: Partition) -> Outcome:
    """Compare the present customer of each record with the partition's."""
    into: dict[int, set[int]] = defaultdict(set)
    out_of: dict[int, set[int]] = defaultdict(set)
    for record, name in partition.names.items():
        into[name].add(present[record])
        out_of[present[record]].add(name)
    merges = [customers for customers in into.values() if len(customers) > 1]
    splits = {customer: names for customer, names in out_of.items() if len(names) > 1}
    held: dict[str, int] = defaultdict(int)
    for refusal in partition.refusals:
        held[refusal.reason] += 1
    return Outcome(
        merged_customers=sum(len(customers) - 1 for customers in merges),
        split_customers=len(splits),
        merges=[_ids(customers) for customers in merges[:EXAMPLES]],
        splits=[_ids([customer, *names]) for customer, names in list(splits.items())[:EXAMPLES]],
        held=dict(held),
    )


def examples(groups: Iterable[list[str]]) -> list[Example]:
    """Return groups of public ids as pages show them: live customers with their names."""
    groups = list(groups)
    ids = {public_id for group in groups for public_id in group}
    live = Customer.objects.of_public_ids(ids).filter(merged_into=None)
    known = {customer.public_id: customer for customer in live.select_related("golden")}
    return [
        Example(
            [known[one] for one in group if one in known],
            [display(one) for one in group if one not in known],
        )
        for group in groups
    ]


def _ids(customers: Iterable[int]) -> list[str]:
    """Return public ids, the oldest customer first, each once."""
    return [public_id(key) for key in sorted(set(customers))]
