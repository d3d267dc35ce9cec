"""The rows of the mapping page: each column of the file with its form."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from mdm.loading.drafts import Sample
from mdm.mapping import DATE_ATTRIBUTES, MappingError
from mdm.mapping_documents import proposed_entry
from mdm.mapping_forms import OPTION_KINDS, ColumnForm, KeyForm
from mdm.models import ValueMap
from mdm.proposals.columns import ColumnSample, Proposal, date_formats, propose
from mdm.proposals.exchanged import Exchanged, exchanged
from mdm.proposals.keys import propose_key
from mdm.proposals.looks import unread_count
from mdm.standardise.refusals import refuses

_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class TableRow:
    """One column of the file: its examples, its form, and what spoke for the proposal."""

    column: ColumnSample
    form: ColumnForm
    proposal: Proposal
    is_new: bool  # Not in the mapping in force.

    @property
    def examples(self) -> list[str]:
        """The most frequent values."""
        return [value for value, _count in self.column.frequent(_EXAMPLES)]

    @property
    def unread(self) -> int:
        """How many values are no dates in the format that stands in the form."""
        if self.form.shown_attribute not in DATE_ATTRIBUTES:
            return 0
        return unread_count(self.column.values, str(self.form["format"].value() or ""))

    @property
    def refusals(self) -> list[str]:
        """Texts with words that refuse contact, in a column that is not used."""
        if self.form.shown_attribute not in {"", "ignore"}:
            return []
        return [value for value in self.column.values if refuses(value)]

    @property
    def percent(self) -> int:
        """How many rows have a value, in per cent; 1 for the faintest."""
        rate = self.column.fill_rate
        return max(1, int(100 * rate)) if rate else 0


@dataclass(frozen=True, slots=True)
class ExchangedNames:
    """The columns of given and family names, each of which seems to hold the other."""

    given: TableRow
    family: TableRow
    counts: Exchanged


class MappingTable:
    """Every column of a file with its form: as sent, else as in force, else as proposed."""

    def __init__(
        self, sample: Sample, sent: QueryDict | None, *, document: Mapping[str, Any], region: str
    ) -> None:
        columns = sample.columns
        known = {entry["name"].casefold(): entry for entry in document.get("column", [])}
        proposals = propose(columns, region=region)
        initial = _initial(columns, proposals, known, is_keyless="key_from" in document)
        value_maps = list(ValueMap.objects.all())  # Once, not once for each column.
        formats = [_formats(*pair, region) for pair in zip(columns, proposals, strict=True)]
        self.rows = [
            TableRow(
                column,
                ColumnForm(
                    sent,
                    prefix=f"c{place}",
                    # The likeliest format waits for whoever says that this is a date.
                    initial={"format": next(iter(formats[place]), ""), **initial[place]},
                    column=column,
                    formats=formats[place],
                    value_maps=value_maps,
                ),
                proposals[place],
                is_new=bool(known) and column.name.casefold() not in known,
            )
            for place, column in enumerate(columns)
        ]
        self._is_sent = sent is not None
        self._initial = initial
        self.key = KeyForm(
            sent,
            prefix="key",
            names=sample.names,
            initial={"columns": self._key(sample, document)},
        )

    def focus(self, prefix: str, option: str) -> None:
        """Let the page open at an option of one column, where the person goes on."""
        for row in self.rows:
            if row.form.prefix == prefix:
                row.form.fields[option].widget.attrs["autofocus"] = True

    @property
    def ambiguous(self) -> str:
        """The columns of dates whose order of day and month a person must confirm, by name."""
        return ", ".join(row.column.name for row in self.rows if row.form.is_ambiguous)

    @property
    def repeated(self) -> list[str]:
        """The columns in use whose name another column has, which a load would refuse."""
        names = [row.column.name for row in self.rows]
        told = [_name_in_file(name, place) for place, name in enumerate(names, start=1)]
        counts = Counter(name.casefold() for name in told)
        used = {row.column.name for row in self.rows if row.form.shown_attribute}
        used.update(self.key_from)
        # The second of a name was given its place behind it, by which it can be told.
        return [
            name
            for name, own in zip(names, told, strict=True)
            if name == own and name in used and counts[name.casefold()] > 1
        ]

    @property
    def counted(self) -> list[TableRow]:
        """The columns of numbers that are read as dates, which a person must confirm."""
        return [row for row in self.rows if row.form.counted]

    @property
    def unread(self) -> list[TableRow]:
        """The columns of dates with values that their format does not read."""
        return [row for row in self.rows if row.unread]

    @property
    def exchanged_names(self) -> ExchangedNames | None:
        """The columns of given and family names, where each seems to hold the other."""
        rows = {row.form.shown_attribute: row for row in self.rows}
        given, family = rows.get("given_name"), rows.get("family_name")
        if given is None or family is None:
            return None
        counts = exchanged(given.column.values, family.column.values)
        return ExchangedNames(given, family, counts) if counts else None

    @property
    def has_own_key(self) -> bool:
        """True when a column is the source's own number."""
        return any(row.form.shown_attribute == "source_key" for row in self.rows)

    @property
    def key_from(self) -> list[str]:
        """The columns that make the key of a row; none where the source has its own."""
        return [] if self.has_own_key else self.key.chosen()

    @property
    def kinds(self) -> str:
        """Which options each attribute takes, as JSON for the page."""
        return json.dumps(OPTION_KINDS)

    def entries(self) -> list[dict[str, Any]]:
        """Return the [[column]] tables.

        Raises:
            MappingError: when a form holds what no mapping can.
        """
        if not self._is_sent:
            return [entry for entry in self._initial if entry.get("attribute")]
        for row in self.rows:
            if not row.form.is_valid():
                problem = next(iter(row.form.errors.values()))[0]
                raise MappingError(
                    _("Column “%(column)s”: %(problem)s")
                    % {"column": row.column.name, "problem": problem}
                )
        return [entry for row in self.rows if (entry := row.form.entry())]

    def complete_entries(self) -> list[dict[str, Any]]:
        """Return the [[column]] tables without the columns whose forms are not complete."""
        if not self._is_sent:
            return self.entries()
        forms = [row.form for row in self.rows if row.form.is_valid()]
        return [entry for form in forms if (entry := form.entry())]

    def _key(self, sample: Sample, document: Mapping[str, Any]) -> list[str]:
        """Return the columns that make the key: those in force, else a proposal."""
        in_force = {name.casefold() for name in document.get("key_from", [])}
        if in_force:
            return [name for name in sample.names if name.casefold() in in_force]
        attributes = [str(entry.get("attribute", "")) for entry in self._initial]
        return list(propose_key(sample.names, attributes, [cells for _line, cells in sample.rows]))


def _initial(
    columns: Sequence[ColumnSample],
    proposals: Sequence[Proposal],
    known: Mapping[str, Mapping[str, Any]],
    *,
    is_keyless: bool,
) -> list[dict[str, Any]]:
    """Return the entry of each column: that in force, else a proposal nobody has taken yet."""
    present = {column.name.casefold() for column in columns}
    taken = {entry["attribute"] for name, entry in known.items() if name in present}
    taken |= {"source_key"} if is_keyless else set()
    found: list[dict[str, Any]] = []
    for column, proposal in zip(columns, proposals, strict=True):
        entry = known.get(column.name.casefold())
        if entry is None and not (known and proposal.attribute in taken):
            entry = proposed_entry(column, proposal)
        found.append({**(entry or {}), "name": column.name})
    return found


def _name_in_file(name: str, place: int) -> str:
    """Return the name as the file has it: reading puts its place behind one that comes again."""
    return name.removesuffix(f" ({place})")


def _formats(column: ColumnSample, proposal: Proposal, region: str) -> tuple[str, ...]:
    if proposal.attribute in DATE_ATTRIBUTES:
        return proposal.formats
    return date_formats(column, region)
