"""What a simulation found, ready for the page: by channel and purpose, with rules and examples."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from consent.models import Channel, PolicyVersion
from consent.permissions import sentence
from consent.policy_packs import PolicyPack
from consent.policy_words import purpose_labels, scope_label
from consent.rules import RULES, Kind
from mdm.models import Customer, Job


@dataclass(frozen=True, slots=True)
class Move:
    """How many are answered by another rule, and which."""

    before: str
    after: str
    count: int

    @property
    def is_allowing(self) -> tuple[bool, bool]:
        """Tell whether the rule before and the rule after allow."""
        return RULES[self.before].kind == Kind.ALLOW, RULES[self.after].kind == Kind.ALLOW


@dataclass(frozen=True, slots=True)
class Example:
    """A customer whose answer changes, with the rule before and after and what they say."""

    customer: Customer
    before: str
    after: str
    reason: str


@dataclass(frozen=True, slots=True)
class CellResult:
    """What a draft changes on one channel for one purpose."""

    scope: str
    before: int
    after: int
    gained: int
    lost: int
    moves: list[Move]
    examples: list[Example]


@dataclass(frozen=True, slots=True)
class ChannelBar:
    """Gains and losses on a channel, as lengths of a chart in percent of the longest side."""

    label: str
    gained: int
    lost: int
    longest: int

    @property
    def gained_width(self) -> str:
        """Return the length to the right of the middle."""
        return f"{50 * self.gained / self.longest:.2f}%"

    @property
    def lost_width(self) -> str:
        """Return the length to the left of the middle."""
        return f"{50 * self.lost / self.longest:.2f}%"

    @property
    def lost_start(self) -> str:
        """Return where the bar on the left begins."""
        return f"{50 - 50 * self.lost / self.longest:.2f}%"


@dataclass(frozen=True, slots=True)
class Results:
    """All that a simulation found."""

    customers: int
    gained: int
    lost: int
    at: datetime
    is_stale: bool
    bars: list[ChannelBar]
    cells: list[CellResult]


def simulation_results(
    draft: PolicyVersion, before: PolicyPack, after: PolicyPack
) -> Results | None:
    """Return what the draft's simulation found; None until it is done.

    It is stale when another pack than the one it was compared with would be replaced.
    """
    job = draft.simulated_by
    if job is None or job.state != Job.State.DONE or not job.result:
        return None
    found = job.result
    customers, labels = _customers(found["cells"]), purpose_labels()
    cells = [
        _cell(scope_label(channel, purpose, labels), cell, after, customers)
        for (channel, purpose), cell in (
            (name.split("|", 1), cell) for name, cell in found["cells"].items()
        )
    ]
    return Results(
        customers=found["customers"],
        gained=found["gained"],
        lost=found["lost"],
        at=datetime.fromisoformat(found["at"]),
        is_stale=found["base"] != before.code,
        bars=_bars(found["cells"]),
        cells=cells,
    )


def _cell(
    scope: str, cell: Mapping[str, Any], after: PolicyPack, customers: Mapping[str, Customer]
) -> CellResult:
    moves = sorted(cell["moves"].items(), key=lambda move: -move[1])
    return CellResult(
        scope=scope,
        before=cell["before"],
        after=cell["after"],
        gained=cell["gained"],
        lost=cell["lost"],
        moves=[_move(rules, count) for rules, count in moves],
        examples=[
            Example(customers[key], old, new, sentence(new, None, after))
            for key, old, new in cell["examples"]
            if key in customers
        ],
    )


def _move(rules: str, count: int) -> Move:
    before, after = rules.split(">", 1)
    return Move(before, after, count)


def _customers(cells: Mapping[str, Mapping[str, Any]]) -> dict[str, Customer]:
    ids = {example[0] for cell in cells.values() for example in cell["examples"]}
    live = Customer.objects.of_public_ids(ids).filter(merged_into=None)
    return {customer.public_id: customer for customer in live.select_related("golden")}


def _bars(cells: Mapping[str, Mapping[str, Any]]) -> list[ChannelBar]:
    sums: dict[str, list[int]] = {}
    for name, cell in cells.items():
        gained_and_lost = sums.setdefault(name.split("|", 1)[0], [0, 0])
        gained_and_lost[0] += cell["gained"]
        gained_and_lost[1] += cell["lost"]
    longest = max((figure for pair in sums.values() for figure in pair), default=0) or 1
    return [
        ChannelBar(str(Channel(channel).label), gained, lost, longest)
        for channel, (gained, lost) in sums.items()
    ]
