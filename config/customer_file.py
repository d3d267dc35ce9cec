"""Everything known about one customer, in a fixed number of queries, ready for her page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Count, Max, Q, Sum
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import override

from campaigns.models import TargetListMember
from config.identity_history import Act, Hanging, hanging_parts, identity_history
from consent.models import Channel
from consent.presentation import (
    MatrixRow,
    PermissionMatrix,
    TimelineEntry,
    permission_matrix,
    timeline,
)
from matching.models import Decision
from mdm.aliases import holders_of
from mdm.contact_sets import ContactSet, contact_sets
from mdm.happenings import Happening, happenings
from mdm.households import Relations, relations_of
from mdm.lineage import ExplainedValue, explain, label_of
from mdm.models import Alias, Contract, Customer, GoldenRecord, Pin, Sale, SourceRecord
from mdm.quality_words import QualityInWords, quality_in_words
from mdm.standardise.labels import label_lines
from mdm.survivorship_rules import rules_in_force

_LATEST_SALES = 6
_LATEST_LISTS = 10


@dataclass(frozen=True, slots=True)
class NotTheSame:
    """Somebody said that a record of this customer and another one are two people."""

    customer: Customer
    decision: Decision


@dataclass(frozen=True, slots=True)
class PinInForce:
    """A steward's word on one value, and the record it hangs on."""

    pin: Pin
    record: SourceRecord
    label: str

    @property
    def is_due(self) -> bool:
        """Whether the day to look at it again has come."""
        return self.pin.review_on is not None and self.pin.review_on <= localdate()


@dataclass(frozen=True, slots=True)
class Purchases:
    """What she bought: the latest sales, and all of them in figures."""

    latest: list[Sale]
    count: int
    total: Decimal | None
    last_on: date | None
    contracts: list[Contract]


@dataclass(frozen=True, slots=True)
class ChannelAnswer:
    """The bar on top of the page: may we contact her on this channel, in a word and a sentence."""

    label: str
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class CustomerFile:
    """One customer as her page shows her; a part the reader may not see is None."""

    customer: Customer
    golden: GoldenRecord | None
    age: int | None
    records: list[SourceRecord]
    values: list[ExplainedValue]
    quality: QualityInWords | None
    label: list[str]
    merged_ids: list[Customer]
    kept_ids: list[Alias]
    not_the_same: list[NotTheSame]
    purchases: Purchases
    relations: Relations
    matrix: PermissionMatrix | None
    channels: list[ChannelAnswer]
    timeline: list[TimelineEntry] | None
    pins: list[PinInForce]
    identity: list[Act] | None
    hanging: list[Hanging]
    lists: list[TargetListMember] | None
    happenings: list[Happening]
    contact_sets: list[ContactSet]

    @property
    def source_count(self) -> int:
        """How many systems know her."""
        return len({record.source_id for record in self.records})

    @property
    def disputed_count(self) -> int:
        """How many golden values another record contradicts."""
        return sum(value.is_disputed for value in self.values)


def customer_file(
    customer: Customer, reader: User | AnonymousUser, *, narrowed_to: str = ""
) -> CustomerFile:
    """Read a live customer's whole file, as far as this reader may see it.

    `narrowed_to` is one of `mdm.happenings.FILTERS`.
    """
    golden = GoldenRecord.objects.filter(pk=customer.pk).first()
    records = _records(customer)
    keys = [record.pk for record in records]
    sees_permissions = reader.has_perm("consent.view_permissionstate")
    sees_decisions = reader.has_perm("matching.view_decision")
    pins = _pins_in_force(records)
    matrix = permission_matrix(customer) if sees_permissions else None
    values = _values(golden, records, pins)
    return CustomerFile(
        customer=customer,
        golden=golden,
        age=_age(golden),
        records=records,
        values=values,
        quality=_quality(golden, records, values),
        label=_label(golden),
        pins=pins,
        merged_ids=list(customer.merged_ids.order_by("pk")),
        kept_ids=_kept_ids(keys),
        not_the_same=_not_the_same(keys),
        purchases=_purchases(keys),
        relations=relations_of(customer, records),
        matrix=matrix,
        channels=_channels(matrix) if matrix else [],
        timeline=timeline(customer) if sees_permissions else None,
        identity=identity_history(customer, keys) if sees_decisions else None,
        hanging=hanging_parts(records) if sees_decisions else [],
        lists=_lists(customer) if reader.has_perm("campaigns.view_targetlist") else None,
        happenings=happenings(customer.pk, narrowed_to=narrowed_to),
        contact_sets=contact_sets(golden, _active(records), [found.pin for found in pins]),
    )


def _records(customer: Customer) -> list[SourceRecord]:
    return list(
        SourceRecord.objects.filter(customer=customer)
        .select_related("source", "batch")
        .prefetch_related("contact_points")
        .order_by("pk")
    )


def _values(
    golden: GoldenRecord | None, records: Sequence[SourceRecord], pins: Sequence[PinInForce]
) -> list[ExplainedValue]:
    if golden is None:
        return []
    active = _active(records)
    points = [point for record in active for point in record.contact_points.all()]
    by_key = {found.pin.pk: found.pin for found in pins}
    return explain(golden, active, by_key, points, rules_in_force())


def _pins_in_force(records: Sequence[SourceRecord]) -> list[PinInForce]:
    by_key = {record.pk: record for record in records}
    pins = Pin.objects.filter(record__in=by_key, retracted_at=None).select_related("created_by")
    return [
        PinInForce(pin, by_key[pin.record_id], label_of(pin.attribute))
        for pin in pins.order_by("-pk")
    ]


def _active(records: Sequence[SourceRecord]) -> list[SourceRecord]:
    return [record for record in records if record.status == SourceRecord.Status.ACTIVE]


def _quality(
    golden: GoldenRecord | None,
    records: Sequence[SourceRecord],
    values: Sequence[ExplainedValue],
) -> QualityInWords | None:
    if golden is None:
        return None
    return quality_in_words(golden, _active(records), values, today=localdate())


def _label(golden: GoldenRecord | None) -> list[str]:
    """Return her address as it stands on an envelope, nothing while the address is unknown."""
    if golden is None or not (golden.street and golden.city):
        return []
    # As people are addressed by the company, whatever the reader's language.
    with override(settings.LANGUAGE_CODE):
        civility = str(golden.get_civility_display())
    return label_lines(
        name=f"{civility} {golden.full_name}",
        complement=golden.address_complement,
        street=f"{golden.street_number} {golden.street}",
        postcode=golden.postcode,
        city=golden.city,
        country=golden.country,
    )


def _age(golden: GoldenRecord | None) -> int | None:
    if golden is None or golden.birth_date is None:
        return None
    today, born = localdate(), golden.birth_date
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def _kept_ids(keys: Sequence[int]) -> list[Alias]:
    """Return the ids that a steward kept on these records, and that follow them today."""
    kept = Alias.objects.filter(record__in=keys, retracted_at=None)
    kept = kept.select_related("customer", "created_by").order_by("pk")
    holders = holders_of([alias.customer_id for alias in kept])
    return [alias for alias in kept if holders[alias.customer_id] == alias.record_id]


def _not_the_same(keys: Sequence[int]) -> list[NotTheSame]:
    decisions = Decision.objects.filter(
        Q(left__in=keys) | Q(right__in=keys),
        verdict=Decision.Verdict.DIFFERENT,
        retracted_at=None,
    ).select_related("left__customer__golden", "right__customer__golden", "decided_by")
    ours = set(keys)
    found: dict[int, NotTheSame] = {}
    for decision in decisions:  # Two customers of many records are kept apart by many.
        other = (decision.right if decision.left_id in ours else decision.left).customer
        found.setdefault(other.pk, NotTheSame(other, decision))
    return list(found.values())


def _purchases(keys: Sequence[int]) -> Purchases:
    sales = Sale.objects.filter(record__in=keys)
    figures = sales.aggregate(count=Count("pk"), total=Sum("amount"), last_on=Max("sold_on"))
    return Purchases(
        latest=list(
            sales.select_related("record__source").order_by("-sold_on", "-pk")[:_LATEST_SALES]
        ),
        contracts=list(Contract.objects.filter(record__in=keys).order_by("-starts_on")),
        **figures,
    )


def _lists(customer: Customer) -> list[TargetListMember]:
    return list(
        TargetListMember.objects.filter(customer=customer)
        .select_related("target_list__campaign")
        .annotate(download_count=Count("target_list__downloads"))
        .order_by("-pk")[:_LATEST_LISTS]
    )


def _channels(matrix: PermissionMatrix) -> list[ChannelAnswer]:
    by_channel: dict[Channel, list[MatrixRow]] = {}
    for row in matrix.rows:
        by_channel.setdefault(row.channel, []).append(row)
    return [_channel_answer(rows) for rows in by_channel.values()]


def _channel_answer(rows: Sequence[MatrixRow]) -> ChannelAnswer:
    """Tell the best answer of a channel: one purpose allowed on one contact point is a yes."""
    label = rows[0].channel_label
    cells = [cell for row in rows for cell in row.cells]
    if all(row.contact_point is None for row in rows) and not any(c.answer.allowed for c in cells):
        return ChannelAnswer(label, "unknown", _("no contact point known"))
    for state in ("yes", "partly", "no"):
        cell = next((cell for cell in cells if cell.state == state), None)
        if cell:
            names = ", ".join(dict.fromkeys(str(c.purpose) for c in cells if c.state == state))
            return ChannelAnswer(label, state, cell.answer.reason if state == "no" else names)
    return ChannelAnswer(label, "unknown", "")
