"""What loading should come to, told a second time and as simply as can be: dictionaries, no SQL.

It knows one source whose rows are `Line`s. Nothing here is shared with the code it judges.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

MISSING_LIMIT = 0.05


class Line(NamedTuple):
    """One row of a file: key, name, e-mail address, day of the last change (0: none), answers."""

    key: str
    name: str
    email: str = ""
    day: int = 0
    permission: str = ""  # O, N or nothing
    stop: str = ""  # oui or nothing


class TooMuchIsMissing(Exception):
    """A full file lacks more than the limit."""


@dataclass
class Company:
    """All that the loads so far should have left."""

    rows: dict[str, Line] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    home: dict[str, str] = field(default_factory=dict)  # Key of a record → key of its customer.
    said: dict[str, list[tuple[int, Line | None]]] = field(default_factory=dict)
    """What each file, by its number, made of a record; None: it was missing from a full one."""
    told_by: dict[str, int] = field(default_factory=dict)  # The file of the row it shows.
    files: int = 0
    undone: set[int] = field(default_factory=set)
    grants: dict[tuple[str, int], tuple[str, int]] = field(default_factory=dict)
    """The fact (record and day) → its address, and the file that told it."""
    refused_addresses: set[str] = field(default_factory=set)
    refusing: set[str] = field(default_factory=set)
    objecting: set[str] = field(default_factory=set)
    refusing_wholly: set[str] = field(default_factory=set)  # Without an address: the person does.

    def load(self, lines: Sequence[Line], *, full: bool) -> dict[str, int]:
        """Take a file in; return how many lines met which end."""
        best = _best(lines)
        missing = [key for key in self.active if key not in best] if full else []
        if len(missing) > len(self.active) * MISSING_LIMIT:
            raise TooMuchIsMissing
        counts = {"stale": len(lines) - len(best), "deleted": len(missing)}
        for line in best.values():
            end = self._take(line)
            counts[end] = counts.get(end, 0) + 1
        self.deleted.update(missing)
        for key in missing:
            self.said[key].append((self.files, None))
        self.files += 1
        return {end: count for end, count in counts.items() if count}

    def undo(self, number: int) -> dict[str, int]:
        """Take a file back: what it said counts no more, whatever came later does.

        Returns how many records met which end.
        """
        self.undone.add(number)
        ends = [
            self._forget(key, number)
            for key, said in self.said.items()
            if any(file == number for file, _line in said)
        ]
        return {end: ends.count(end) for end in set(ends)}

    def _forget(self, key: str, number: int) -> str:
        said = self.said[key]
        counts = [entry for entry in said if entry[0] not in self.undone]
        latest = max(file for file, _ in said if file == number or file not in self.undone)
        if latest != number:
            if key in self.deleted or self.rows[key].permission != "O":
                self._take_claims_back(key)  # Nobody repeats them.
            return "kept"
        self._take_claims_back(key)
        was_deleted = key in self.deleted
        if not counts:
            self.deleted.add(key)
            return "deleted"
        _file, line = counts[-1]
        if line is None:
            self.deleted.add(key)
        else:
            self.deleted.discard(key)
            self.rows[key], self.told_by[key] = line, counts[-1][0]
        return "revived" if was_deleted else "restored"

    def _take_claims_back(self, key: str) -> None:
        for fact, (_address, file) in list(self.grants.items()):
            if fact[0] == key and file in self.undone:
                del self.grants[fact]

    def _take(self, line: Line) -> str:
        known = self.rows.get(line.key)
        if known == line and line.key not in self.deleted:
            return "same"
        if known and line.day and known.day and line.day < known.day:
            return "stale"
        self.rows[line.key] = line
        self.deleted.discard(line.key)
        self.home.setdefault(line.key, line.key)
        self.said.setdefault(line.key, []).append((self.files, line))
        # What an undone file said was never said.
        counts = known and self.told_by[line.key] not in self.undone
        self.told_by[line.key] = self.files
        self._hear(line, known if counts else None)
        return "changed" if known else "new"

    def _hear(self, line: Line, before: Line | None) -> None:
        """Only what the earlier version did not say is said now."""
        if line.stop and not (before and before.stop):
            self.objecting.add(line.key)
            self.refused_addresses.add(line.email)
        if line.permission and not (before and before.permission == line.permission):
            if line.permission == "O" and line.email:
                self.grants.setdefault((line.key, line.day), (line.email, self.files))
            if line.permission == "N":
                self.refusing.add(line.key)
                self.refused_addresses.add(line.email)
                if not line.email:
                    self.refusing_wholly.add(line.key)
        self.refused_addresses.discard("")

    @property
    def active(self) -> set[str]:
        """The records their source still has."""
        return set(self.rows) - self.deleted

    def customers(self) -> dict[str, set[str]]:
        """The members of each customer."""
        members: dict[str, set[str]] = {}
        for key, home in self.home.items():
            members.setdefault(home, set()).add(key)
        return members

    def shared_by(self) -> dict[str, int]:
        """How many customers carry each address with an active record."""
        carriers: dict[str, set[str]] = {}
        for key in self.active:
            carriers.setdefault(self.rows[key].email, set()).add(self.home[key])
        return {email: len(homes) for email, homes in carriers.items() if email}

    def may_be_written_to(self) -> set[tuple[str, str]]:
        """Customer and address where a permission stands; a file never lifts a refusal."""
        allowed = set()
        for home, members in self.customers().items():
            given = {email for (key, _), (email, _) in self.grants.items() if key in members}
            carried = {key: self.rows[key].email for key in members}
            refused = self.refused_addresses | {
                email for key, email in carried.items() if key in self.refusing
            }
            if not members & (self.objecting | self.refusing_wholly):
                allowed |= {(home, e) for e in (given & set(carried.values())) - refused}
        return allowed


def _best(lines: Sequence[Line]) -> dict[str, Line]:
    """Of each key the youngest line, of equally old ones the last."""
    best: dict[str, Line] = {}
    for line in lines:
        if line.key not in best or line.day >= best[line.key].day:
            best[line.key] = line
    return best
