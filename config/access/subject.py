"""Whom an access pack is about, and what in her file concerns other people too."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.models import Count, Q
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from config.access.documents import Document, documents_about
from config.access.veil import Veil
from matching.models import Decision
from mdm.mapping import SourceMapping
from mdm.mapping_parsing import parse_mapping
from mdm.models import (
    Alias,
    ContactPoint,
    Customer,
    CustomerEvent,
    Pin,
    RecordContactPoint,
    Relation,
    SourceRecord,
)


@dataclass(frozen=True, slots=True)
class Matter:
    """Something that concerns somebody else too: left out, unless the DPO adds it."""

    code: str
    words: str
    why: str

    @property
    def kind(self) -> str:
        """What sort of thing it is: point, relation, record or document."""
        return self.code.partition("-")[0]


class Subject:
    """A person with her records and contact points, read once; `added` are codes of matters.

    `without` are codes of documents about her alone that the DPO leaves out.
    The queries are a dozen and a few, whatever she has.
    """

    def __init__(
        self, customer: Customer, *, added: Collection[str] = (), without: Collection[str] = ()
    ) -> None:
        """Read a live customer's records, what they carry, and who else does."""
        self.customer = customer
        merged = list(customer.merged_ids.order_by("pk"))
        self.ids = [customer, *merged]
        self.id_keys = [issued.pk for issued in self.ids]
        records = SourceRecord.objects.filter(customer=customer).order_by("pk")
        self.records = list(records.select_related("source", "batch__mapping"))
        self.by_key = {record.pk: record for record in self.records}
        carried = RecordContactPoint.objects.filter(record__in=self.keys).order_by("pk")
        self.carried = list(carried.select_related("contact_point"))
        self.aliases = list(
            Alias.objects.filter(Q(record__in=self.keys) | Q(former__in=self.keys))
            .select_related("customer")
            .order_by("pk")
        )
        self.events = list(
            CustomerEvent.objects.filter(customer__in=self.id_keys).order_by("at", "pk")
        )
        self.pins = list(Pin.objects.filter(record__in=self.keys).order_by("pk"))
        self.decisions = self._decisions()
        self.relations = self._relations()
        self.documents = documents_about(self.keys)
        self._others = self._records_of_others()
        self._shared = self._points_of_others()
        self.matters = list(self._matters())
        self.added = frozenset(added) & {matter.code for matter in self.matters}
        self._without = frozenset(without)
        self.veil = Veil.over(
            [p for p in self._points() if p.pk in self._shared and self._is_left_out(p)]
        )
        self._mappings: dict[int, SourceMapping] = {}

    @property
    def keys(self) -> list[int]:
        """The keys of her records."""
        return list(self.by_key)

    @property
    def left_out(self) -> list[Matter]:
        """What concerns others and is not in the pack."""
        return [matter for matter in self.matters if matter.code not in self.added]

    @property
    def is_erased(self) -> bool:
        """Whether she was erased: what is left is a shell."""
        return self.customer.status == Customer.Status.ERASED

    @property
    def told_points(self) -> list[ContactPoint]:
        """The contact points that are told, each once."""
        return [point for point in self._points() if self.veil.point(point) is not None]

    @cached_property
    def told_records(self) -> Mapping[int, SourceRecord]:
        """Her records, and those of others that were added, by key."""
        added = {r.pk: r for r in self._others if f"record-{r.pk}" in self.added}
        return {**self.by_key, **added}

    @property
    def added_records(self) -> list[SourceRecord]:
        """Records that are somebody else's today and were added."""
        return [record for key, record in self.told_records.items() if key not in self.by_key]

    @property
    def added_relations(self) -> list[Relation]:
        """Relations with others that were added."""
        return [told for told in self.relations if f"relation-{told.pk}" in self.added]

    @property
    def own_documents(self) -> list[Document]:
        """Documents that prove nothing about anybody else, as far as is known."""
        return [document for document in self.documents if not document.count_of_others]

    @property
    def told_documents(self) -> list[Document]:
        """The documents that go along: her own that are not left out, others' that were added."""
        return [
            document
            for document in self.documents
            if document.code in self.added
            or not (document.count_of_others or document.code in self._without)
        ]

    def _points(self) -> list[ContactPoint]:
        return list({one.contact_point_id: one.contact_point for one in self.carried}.values())

    def _is_left_out(self, point: ContactPoint) -> bool:
        return f"point-{point.pk}" not in self.added

    def mapping_of(self, row: Any) -> SourceMapping:
        """Return the mapping that a row was read with."""
        mapping = row.batch.mapping
        if mapping.pk not in self._mappings:
            self._mappings[mapping.pk] = parse_mapping(mapping.document)
        return self._mappings[mapping.pk]

    def name_of(self, record_id: int | None) -> tuple[str | None, str | None]:
        """Return source and key of a record that is told, nothing of any other one."""
        record = self.told_records.get(record_id or 0)
        return (record.source.label, record.source_key) if record else (None, None)

    def _decisions(self) -> list[Decision]:
        touching: Any = Q(left__in=self.keys) | Q(right__in=self.keys)
        found = Decision.objects.filter(touching).order_by("pk")
        return list(found.select_related("left__source", "right__source", "repair"))

    def _relations(self) -> list[Relation]:
        touching: Any = Q(left__in=self.keys) | Q(right__in=self.keys)
        found = Relation.objects.filter(touching).order_by("pk")
        return list(found.select_related("left__customer", "right__customer"))

    def _records_of_others(self) -> list[SourceRecord]:
        """Return records that were hers once or were compared with hers by staff."""
        keys = {side for decision in self.decisions for side in decision.pair}
        left = CustomerEvent.Kind.LEFT
        keys |= {
            event.record_id for event in self.events if event.kind == left and event.record_id
        }
        others = SourceRecord.objects.filter(pk__in=keys - set(self.by_key))
        found = others.exclude(status=SourceRecord.Status.ERASED).order_by("pk")
        return list(found.select_related("source", "batch__mapping"))

    def _points_of_others(self) -> dict[int, int]:
        """Return the numbers and mailboxes that other customers carry too → how many customers.

        Where she lives is hers to know, whoever lives there too.
        """
        post = ContactPoint.Kind.POST
        points = {one.contact_point_id for one in self.carried if one.contact_point.kind != post}
        others = RecordContactPoint.objects.filter(contact_point__in=points)
        counted = others.exclude(record__in=self.keys).order_by().values_list("contact_point")
        return dict(counted.annotate(count=Count("record__customer", distinct=True)))

    def _matters(self) -> Iterator[Matter]:
        for point in self._points():
            if not (count := self._shared.get(point.pk)):
                continue
            words = ngettext(
                "%(count)d other customer carries it too.",
                "%(count)d other customers carry it too.",
                count,
            )
            yield Matter(f"point-{point.pk}", point.display, words % {"count": count})
        for relation in self.relations:
            other = self._other(relation).customer
            words = f"{relation.get_kind_display()} · {other.display_id}"
            why = relation.reason or _("Staff noted that two people belong together.")
            yield Matter(f"relation-{relation.pk}", words, why)
        for record in self._others:
            yield Matter(
                f"record-{record.pk}",
                f"{record.source.label} {record.source_key} · {record.full_name}",
                self._how_it_went(record),
            )
        for document in self.documents:
            if not (count := document.count_of_others):
                continue
            words = ngettext(
                "Document of evidence: it proves something about %(count)d other record too.",
                "Document of evidence: it proves something about %(count)d other records too.",
                count,
            )
            yield Matter(document.code, document.words, words % {"count": count})

    def _other(self, relation: Relation) -> SourceRecord:
        return relation.right if relation.left_id in self.by_key else relation.left

    def _how_it_went(self, record: SourceRecord) -> str:
        left = [e for e in self.events if e.record_id == record.pk and e.kind == "left"]
        if left:
            day = date_format(localtime(left[-1].at), "SHORT_DATE_FORMAT")
            return _("Was with this person until %(day)s, and is somebody else's now.") % {
                "day": day
            }
        return _("Staff compared it with hers; it is somebody else's.")
