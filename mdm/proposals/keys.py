"""Which columns tell a row from another where the source has no number of its own."""

from collections.abc import Iterable, Sequence
from itertools import chain, product

from mdm.loading.row_keys import made_key
from mdm.mapping import ANSWER_ATTRIBUTES, CHANNEL_ATTRIBUTES, DATE_ATTRIBUTES
from mdm.proposals.looks import MOST, NEARLY_ALL

# A row without any part of its key is rejected, so one column alone must be filled.
_FILLED = 0.98
_NAMES = (("family_name", "given_name"), ("full_name",), ("organisation",))
_BESIDE = (
    ("birth_date",),
    ("phone",),
    ("full_address",),
    ("street_number", "street", "address_line", "postcode", "city"),
)
_PERSONAL = ("email", *chain.from_iterable((*_NAMES, *_BESIDE)))
# They change while the person stays the same.
_PASSING = (DATE_ATTRIBUTES - {"birth_date"}) | ANSWER_ATTRIBUTES | CHANNEL_ATTRIBUTES | {"ignore"}


def propose_key(
    names: Sequence[str], attributes: Sequence[str], rows: Sequence[Sequence[str]]
) -> tuple[str, ...]:
    """Return the columns that make the key of a row: an e-mail address, a name with more, or all.

    Before all of them: all that say who somebody is, where they tell the rows apart.

    Args:
        names: of the columns.
        attributes: what each column is.
        rows: their cells, in the order of the columns.
    """
    for groups in _candidates(attributes):
        if _tells_apart(groups, rows):
            return tuple(names[place] for group in groups for place in group)
    return tuple(
        name
        for name, attribute in zip(names, attributes, strict=True)
        if attribute not in _PASSING
    )


def _candidates(attributes: Sequence[str]) -> Iterable[tuple[list[int], ...]]:
    """Yield the places of columns, those that stand for one another in one group."""

    def places(wanted: Sequence[str]) -> list[int]:
        return [place for place, attribute in enumerate(attributes) if attribute in wanted]

    yield (places(["email"]),)
    for name, more in product(_NAMES, _BESIDE):
        yield places(name), places(more)
    # Notes, labels and pictures of an address book change while the person stays the same.
    yield (places(_PERSONAL),)


def _tells_apart(groups: Sequence[Sequence[int]], rows: Sequence[Sequence[str]]) -> bool:
    """Tell whether most rows have something of each group, and hardly two the same."""
    filled = sum(all(any(row[n].strip() for n in group) for group in groups) for row in rows)
    keys = {made_key(row[place] for group in groups for place in group) for row in rows}
    least = _FILLED if len(groups) == 1 else MOST
    return filled >= least * len(rows) > 0 and len(keys) >= NEARLY_ALL * len(rows)
