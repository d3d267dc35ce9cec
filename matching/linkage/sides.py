"""The two records of many pairs side by side: which attributes agree, and which are missing."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from matching.linkage.coded import Coded
from matching.linkage.columns import Codes, Ids, Levels
from matching.linkage.encoding import Encoded
from matching.linkage.rows import Rows, rows_of_both

MISSING, SAME, APART = 0, 1, 2


@dataclass(frozen=True)
class Sides:
    """Pairs of records, by position."""

    encoded: Encoded
    left: Codes
    right: Codes

    def agreement(self, attribute: str) -> Levels:
        """Return whether an attribute is `MISSING` on a side, the `SAME` or `APART`."""
        found: Levels = self._agreements[self.encoded.attributes.index(attribute)]
        return found

    def rows(self, attribute: str, agreement: int) -> Ids:
        """Return the positions of the pairs that agree so."""
        return np.flatnonzero(self.agreement(attribute) == agreement)

    @cached_property
    def spelt_in_mailboxes(self) -> tuple[tuple[Ids, Codes], ...]:
        """Which pairs have an e-mail without a name, and the name it spells without an e-mail.

        With the record that bears the name; once for either side that the mailbox stands on. Where
        e-mails are left out they spell nothing: no level would tell that a name is only spelt.
        """
        if "email" not in self.encoded.fields:
            return ()
        rows = np.flatnonzero(
            (self.agreement("given_name") == MISSING) & (self.agreement("email") == MISSING)
        )
        left, right = self.left[rows], self.right[rows]
        return self._spelt(rows, left, right), self._spelt(rows, right, left)

    def _spelt(self, rows: Ids, one: Codes, other: Codes) -> tuple[Ids, Codes]:
        encoded = self.encoded
        mailbox = np.take(encoded.mailboxes, one)
        is_spelt = np.zeros(len(rows), np.bool_)
        for names in encoded.names.spelt:
            is_spelt |= mailbox == np.take(names, other)
        is_spelt &= (mailbox != 0) & (np.take(encoded.emails[0].codes, other) == 0)
        return rows[is_spelt], other[is_spelt]

    @cached_property
    def _agreements(self) -> Levels:
        """One row per attribute."""
        found = np.empty((len(self.encoded.attributes), len(self.left)), np.uint8)
        for part, one, other in rows_of_both(self.encoded.rows, self.left, self.right):
            found[:, part] = agreement(one, other).T
        return found


@dataclass(frozen=True)
class Values:
    """One of several values of the left records beside one of the right ones."""

    values: Sequence[Coded]
    mine: int
    theirs: int
    left: Codes
    right: Codes
    agreement: Levels

    def that(self, agreement: int) -> tuple[Ids, Codes, Codes]:
        """Return which pairs agree so, and the codes of both values."""
        rows = np.flatnonzero(self.agreement == agreement)
        one = np.take(self.values[self.mine].codes, self.left[rows])
        return rows, one, np.take(self.values[self.theirs].codes, self.right[rows])


def agreement(one: Codes | Rows, other: Codes | Rows) -> Levels:
    """Return of codes whether they are `MISSING` on a side, the `SAME` or `APART`."""
    found: Levels = np.subtract(np.uint8(APART), one == other, dtype=np.uint8)
    found *= np.minimum(one, other) > 0
    return found
