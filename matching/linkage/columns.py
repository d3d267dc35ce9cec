"""The records to compare, as columns."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]
Bits = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]
Levels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]
Objects = npt.NDArray[Any]
"""Values as Python objects: str, or None where the record has none."""

ATTRIBUTES = (
    "sex",
    "given_name",
    "family_name",
    "birth_name",
    "birth_date",
    "organisation",
    "identifier",
    "email",
    "phone",
    "other_phone",
    "website",
    "street_number",
    "street",
    "postcode",
    "city",
)
"""What the product's records have."""

DERIVED_ATTRIBUTES = ("registration",)
"""What the others tell of an organisation (see `organisations`)."""

OPTIONAL_ATTRIBUTES = (
    "middle_name",
    "birth_place",
    "occupation",
    "country",
    "registration",
    "other_email",
)
"""What other files may have, too; an attribute that is absent costs nothing."""


@dataclass(frozen=True)
class Columns:
    """Records in columns: `ids` without repetition, and per attribute one value per record."""

    ids: Ids
    values: Mapping[str, Objects]
    sources: Codes | None = None
    """The source of each record, 0 where unknown; None when sources tell nothing."""

    @classmethod
    def from_rows(cls, rows: Iterable[tuple[int, Mapping[str, str | None]]]) -> "Columns":
        """Return columns from (id, attribute -> value) rows."""
        listed = list(rows)
        values = {}
        for attribute in (*ATTRIBUTES, *OPTIONAL_ATTRIBUTES):
            column = np.empty(len(listed), object)
            column[:] = [row.get(attribute) or None for _, row in listed]
            values[attribute] = column
        return cls(np.array([key for key, _ in listed], np.int64), values)

    def __len__(self) -> int:
        """Return the number of records."""
        return len(self.ids)

    def sorted(self) -> "Columns":
        """Return the same records by rising id: no result depends on the order they came in."""
        if (self.ids[1:] > self.ids[:-1]).all():
            return self
        order = np.argsort(self.ids, kind="stable")
        values = {name: column[order] for name, column in self.values.items()}
        return Columns(
            self.ids[order], values, None if self.sources is None else self.sources[order]
        )

    def column(self, attribute: str) -> Objects | None:
        """Return one attribute's values, None when no record has it."""
        return self.values.get(attribute)
