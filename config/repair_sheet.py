"""What a repair would do, ready for its page: customers before and after, records, values."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from matching.decisions import sentence
from matching.foresight import Becoming, Foresight
from matching.models import Decision
from mdm.golden_records import outlook
from mdm.lineage import label_of, lines_of
from mdm.models import Customer, GoldenRecord, SourceRecord
from mdm.survivorship import GROUPS


@dataclass(frozen=True, slots=True)
class MemberLine:
    """One record of a customer as it would be: `joins`, `leaves` or `stays`."""

    record: SourceRecord
    change: str


@dataclass(frozen=True, slots=True)
class ValueChange:
    """A golden value that would read otherwise."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class CustomerSheet:
    """One customer that would change."""

    display_id: str
    name: str
    becomes: str
    """What happens to the id: `changes`, `returns`, `goes`, or `is_issued` where it is new."""
    leads_to: str
    """The id that a gone one would open."""
    members: list[MemberLine]
    values: list[ValueChange]


@dataclass(frozen=True, slots=True)
class Said:
    """A decision in a sentence, to be ticked."""

    decision: Decision
    words: str


def customer_sheets(foresight: Foresight) -> list[CustomerSheet]:
    """Return every customer that would change, the oldest first; nothing is written."""
    changing = foresight.customers
    customers = Customer.objects.select_related("golden").in_bulk(
        [c.customer_id for c in changing]
    )
    keys = {record for c in changing for record in (*c.record_ids, *c.today)}
    records = SourceRecord.objects.select_related("source").in_bulk(keys)
    return [_sheet(c, customers.get(c.customer_id), records, foresight) for c in changing]


def told(decisions: Iterable[Decision]) -> list[Said]:
    """Return decisions as sentences."""
    return [Said(decision, sentence(decision)) for decision in decisions]


def in_words(sheets: Sequence[CustomerSheet]) -> str:
    """Say what would change in one line; empty when nothing would."""
    return " ".join(_in_words(sheet) for sheet in sheets)


def _sheet(
    becoming: Becoming,
    customer: Customer | None,
    records: Mapping[int, SourceRecord],
    foresight: Foresight,
) -> CustomerSheet:
    before = getattr(customer, "golden", None)
    after = _golden(becoming.record_ids)
    return CustomerSheet(
        display_id=customer.display_id if customer else _("a number of its own"),
        name=after.full_name or after.email or (str(before) if before else ""),
        becomes=_becomes(becoming),
        leads_to=_leads_to(becoming, foresight),
        members=_members(becoming, records),
        values=[] if becoming.is_gone or not before else _values(before, after),
    )


def _becomes(becoming: Becoming) -> str:
    if becoming.is_gone:
        return "goes"
    if becoming.is_unissued:
        return "is_issued"
    return "returns" if becoming.is_new else "changes"


def _leads_to(becoming: Becoming, foresight: Foresight) -> str:
    if not becoming.is_gone:
        return ""
    home = foresight.home(becoming.customer_id)
    return str(Customer.objects.get(pk=home))


def _golden(record_ids: Iterable[int]) -> GoldenRecord:
    """Return the golden record that these records would have, unsaved."""
    return GoldenRecord(**outlook(record_ids).values)


def _members(becoming: Becoming, records: Mapping[int, SourceRecord]) -> list[MemberLine]:
    joining, leaving = set(becoming.joining), set(becoming.leaving)
    return [
        MemberLine(
            records[key],
            "joins" if key in joining else "leaves" if key in leaving else "stays",
        )
        for key in sorted({*becoming.record_ids, *becoming.today})
    ]


def _values(before: GoldenRecord, after: GoldenRecord) -> list[ValueChange]:
    pairs = ((group, lines_of(before, group), lines_of(after, group)) for group in GROUPS)
    return [
        ValueChange(label_of(group), ", ".join(old), ", ".join(new))
        for group, old, new in pairs
        if old != new
    ]


def _in_words(sheet: CustomerSheet) -> str:
    words = {"customer": sheet.display_id, "other": sheet.leads_to}
    count = sum(line.change != "leaves" for line in sheet.members)
    records = ngettext("%(count)d record", "%(count)d records", count) % {"count": count}
    words["records"] = records
    if sheet.becomes == "goes":
        return _("%(customer)s leads to %(other)s.") % words
    if sheet.becomes == "is_issued":
        return _("A new number is issued for %(records)s.") % words
    if sheet.becomes == "returns":
        return _("%(customer)s comes back with %(records)s.") % words
    return _("%(customer)s has %(records)s from then on.") % words
