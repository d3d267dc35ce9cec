"""How often the golden value is the true one: survivorship alone, on people who are known.

The lines of each invented person stand together as the truth says, so nothing here depends on the
search for duplicates. A value counts as right when it says, folded, what the person herself would
write today. Only what her records dispute is counted: what all agree on needs no rule.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.company import DEMO_DAY
from benchmarks.tables import demo_reader, folded, registered_people

if TYPE_CHECKING:
    from mdm.demo.people import Person
    from mdm.loading.rows import RowReader
    from mdm.survivorship import Candidate, Rule

TRUST = {"crm": 80, "shop": 70, "newsletter": 50}
"""Of the sources, as their mappings have it."""
GROUPS = ("given_name", "family_name", "birth_date", "email", "phone", "address")
ORDERS: dict[str, tuple[str, ...]] = {
    "trust first": ("trust", "recency"),
    "latest first": ("recency", "trust"),
    "said most often first": ("frequency", "trust"),
    "fullest first": ("completeness", "trust"),
}
Said = frozenset[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Score:
    """Of one group of attributes: customers whose records dispute it, and how many came out right.

    `sayable` are those of whom some record tells the truth: more no rule can reach.
    """

    group: str
    disputed: int
    sayable: int
    right: Mapping[str, int]


def measure_survivors(rows: int) -> Iterator[Score]:
    """Give the score of each group, by orders of strategies, on `rows` demo records."""
    from mdm.survivorship import DEFAULT_RULES, Rule
    from mdm.survivorship import GROUPS as EVERY_GROUP

    orders = {"as delivered": DEFAULT_RULES}
    for name, strategies in ORDERS.items():
        orders[name] = dict.fromkeys(EVERY_GROUP, Rule(strategies))
    candidates, people = _customers(rows)
    reader = demo_reader("crm")
    truths = {key: _truth(person, reader) for key, person in people.items()}
    for group in GROUPS:
        yield _score(group, candidates, truths, orders)


def survivors_table(scores: Sequence[Score]) -> list[str]:
    """Give one line per group of attributes: shares of the disputed that came out right."""
    names = list(scores[0].right)
    lines = [
        f"| attribute | disputed | some record is right | {' | '.join(names)} |",
        "|---|" + "---:|" * (2 + len(names)),
    ]
    for score in scores:
        shares = [score.sayable, *(score.right[name] for name in names)]
        cells = [score.group.replace("_", " "), f"{score.disputed:,}"]
        cells += [f"{share / score.disputed:.3f}" for share in shares]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _customers(rows: int) -> tuple[dict[int, list["Candidate"]], dict[int, "Person"]]:
    """Return the records of the people who have several, and these people, by number."""
    from mdm.golden_rows import candidate_of
    from mdm.standardise.record import ATTRIBUTES

    candidates: dict[int, list[Candidate]] = defaultdict(list)
    people: dict[int, Person] = {}
    sources = list(TRUST)
    for key, (person, source, row) in enumerate(registered_people(rows), start=1):
        record = row.record
        values = tuple(getattr(record, name) for name in ATTRIBUTES)
        number, trust, moment = sources.index(source), TRUST[source], row.updated_at
        candidate = candidate_of(key, number, trust, moment, record.issues, values)
        candidates[person.number].append(candidate)
        people[person.number] = person
    several = {key: found for key, found in candidates.items() if len(found) > 1}
    return several, {key: people[key] for key in several}


def _truth(person: "Person", reader: "RowReader") -> dict[str, Said]:
    """Return by group what is true today, folded; of phones, either of hers."""
    from mdm.demo import crm

    details = person.on(DEMO_DAY)
    cells = dict.fromkeys(crm.COLUMNS, "") | {
        "id_client": "1",
        "nom": details.family_name,
        "prenom": details.given_name,
        "naissance": person.born_on.strftime("%d/%m/%Y"),
        "adresse": details.address.line,
        "cp": details.address.postcode,
        "ville": details.address.city,
        "tel": details.landline,
        "portable": details.mobile,
        "email": details.email,
    }
    true = folded(reader.read(cells).record._asdict())
    said = {group: frozenset({_part(true, group)}) for group in GROUPS}
    said["phone"] |= {(true["other_phone"],)}
    return {group: frozenset(filter(any, values)) for group, values in said.items()}


def _score(
    group: str,
    candidates: Mapping[int, Sequence["Candidate"]],
    truths: Mapping[int, Mapping[str, Said]],
    orders: Mapping[str, Mapping[str, "Rule"]],
) -> Score:
    from mdm.standardise.record import ATTRIBUTES
    from mdm.survivorship import survive

    disputed = sayable = 0
    right = dict.fromkeys(orders, 0)
    for key, records in candidates.items():
        true = truths[key][group]
        rows = (dict(zip(ATTRIBUTES, record.values, strict=True)) for record in records)
        said = {_part(folded(row), group) for row in rows}
        said = set(filter(any, said))
        if not true or len(said) < 2:
            continue
        disputed += 1
        sayable += not true.isdisjoint(said)
        for name, rules in orders.items():
            right[name] += _part(folded(survive(records, (), rules).values), group) in true
    return Score(group, disputed, sayable, right)


def _part(row: Mapping[str, str], group: str) -> tuple[str, ...]:
    """Return what a folded row says of a group; an address is its number, street and town."""
    names = ("street_number", "street", "postcode", "city") if group == "address" else (group,)
    return tuple(row[name] for name in names)
