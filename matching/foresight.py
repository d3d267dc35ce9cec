"""What decisions would change if they were made today: computed as they are, without writing."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from matching.neighbourhood import neighbourhood, read_facts
from matching.rulings import Contradiction, Ruling
from mdm.aliases import NOT_YET_ISSUED, Holdings, Keeping, holdings, records_concerned
from mdm.birth_ids import public_id
from mdm.models import Alias, SourceRecord


@dataclass(frozen=True, slots=True)
class Becoming:
    """A customer whose members would change: who they would be, and who they are today."""

    customer_id: int
    record_ids: tuple[int, ...]
    today: tuple[int, ...]
    """Empty when the id is not live today."""

    @property
    def public_id(self) -> str:
        """The id of her page."""
        return public_id(self.customer_id)

    @property
    def is_unissued(self) -> bool:
        """Whether the id will only be issued when this is done."""
        return self.customer_id == NOT_YET_ISSUED

    @property
    def is_gone(self) -> bool:
        """Whether the id would lead to another customer."""
        return not self.record_ids

    @property
    def is_new(self) -> bool:
        """Whether the id, which leads elsewhere today, would come back."""
        return not self.today

    @property
    def joining(self) -> tuple[int, ...]:
        """The records that would come to her."""
        return tuple(sorted(set(self.record_ids) - set(self.today)))

    @property
    def leaving(self) -> tuple[int, ...]:
        """The records that would leave her."""
        return tuple(sorted(set(self.today) - set(self.record_ids)))


@dataclass(frozen=True, slots=True)
class Foresight:
    """The customers that would change, the oldest first, and where every record would be."""

    customers: tuple[Becoming, ...]
    names: Mapping[int, int]
    holdings: Holdings

    def home(self, customer_id: int) -> int:
        """Return the customer that an id would lead to."""
        return self.names[self.holdings.holder(customer_id)]

    def members(self, customer_id: int) -> tuple[int, ...]:
        """Return the records that a customer would have, the oldest first."""
        return tuple(sorted(r for r, name in self.names.items() if name == customer_id))


def foresee(
    rulings: Sequence[Ruling],
    *,
    without: Iterable[tuple[int, int]] = (),
    keeping: Keeping | None = None,
    given_back: Sequence[Alias] = (),
) -> Foresight:
    """Return what follows from decisions that come into force, and others that end.

    Args:
        rulings: decisions as if they were made; each takes the place of the one on its pair.
        without: pairs whose decision ends.
        keeping: an id as if it were kept on another record.
        given_back: aliases as if they were taken back.

    Raises:
        matching.rulings.Contradiction: when the decisions cannot all hold.
    """
    ended = list(without)
    seeds = {record for pair in (*(r[:2] for r in rulings), *ended) for record in pair}
    if moved := {move.customer_id for move in (*given_back, *([keeping] if keeping else ()))}:
        seeds |= records_concerned(moved)
    facts = read_facts(neighbourhood(seeds))
    held = holdings(facts.records, proposed=keeping, without=[a.pk for a in given_back])
    facts = replace(facts, holdings=held)
    after = facts.partition(extra=rulings, without=ended).names
    return Foresight(_changes(_present(facts.records), after), after, held)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the answer Same would make of two records."""

    customer_id: int
    record_ids: tuple[int, ...]
    joining_count: int
    """Records that would change customer."""

    @property
    def public_id(self) -> str:
        """The id that would stay."""
        return public_id(self.customer_id)

    @property
    def record_count(self) -> int:
        """How many source records the customer would have."""
        return len(self.record_ids)


def preview_same(one: int, other: int) -> Outcome | None:
    """Return what the answer Same would make of two records, None when it would be refused."""
    try:
        after = foresee([Ruling(min(one, other), max(one, other), is_same=True)])
    except Contradiction:
        return None
    customer = after.names[one]
    joining = [len(c.joining) for c in after.customers if c.customer_id == customer]
    return Outcome(customer, after.members(customer), sum(joining))


def _present(record_ids: Sequence[int]) -> dict[int, int]:
    rows = SourceRecord.objects.filter(pk__in=record_ids).order_by()
    return dict(rows.values_list("pk", "customer_id"))


def _changes(before: Mapping[int, int], after: Mapping[int, int]) -> tuple[Becoming, ...]:
    was, will = _members(before), _members(after)
    return tuple(
        Becoming(customer, will.get(customer, ()), was.get(customer, ()))
        for customer in sorted(was.keys() | will.keys())
        if was.get(customer) != will.get(customer)
    )


def _members(names: Mapping[int, int]) -> dict[int, tuple[int, ...]]:
    members: dict[int, list[int]] = defaultdict(list)
    for record in sorted(names):
        members[names[record]].append(record)
    return {customer: tuple(records) for customer, records in members.items()}
