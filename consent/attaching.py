"""Whose record a confirmed sign-up belongs to: a known customer's, or a new one.

Possession of the address is proved when this is asked. A known customer is taken only when the
address is hers beyond doubt: one live customer carries it, or one whose name is the one typed.
Everybody else becomes a record of the web form, which the next search for duplicates may link.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import F
from django.utils.translation import gettext_noop

from consent.models import OptInRequest
from mdm.folding import fold
from mdm.loading.one_row import store_row
from mdm.mapping_parsing import read_document
from mdm.models import ContactPoint, RecordContactPoint, SourceRecord
from mdm.reasons import reason_of

SOURCE_CODE = "web-form"


def record_of(request: OptInRequest) -> SourceRecord:
    """Return the record the consents of a confirmed request hang from. Call in a transaction."""
    known = _known(request)
    return known or store_row(
        {
            "request": request.uuid.hex,
            "email": request.email,
            "given_name": request.given_name,
            "family_name": request.family_name,
            "phone": request.phone,
            "requested_at": request.requested_at.isoformat(),
        },
        source_code=SOURCE_CODE,
        document=_mapping(),
        reason=reason_of(gettext_noop("Confirmed sign-up")),
    )


def points_of(record: SourceRecord, request: OptInRequest) -> dict[str, ContactPoint]:
    """Return kind → the contact point of the record that the person typed."""
    typed = {"email": request.email.casefold(), "phone": request.phone}
    carried = RecordContactPoint.objects.filter(record=record).select_related("contact_point")
    points = [carrier.contact_point for carrier in carried]
    return {point.kind: point for point in points if typed.get(point.kind) == point.value}


def _known(request: OptInRequest) -> SourceRecord | None:
    records = SourceRecord.objects.active().filter(
        contact_points__kind=ContactPoint.Kind.EMAIL,
        contact_points__value=request.email.casefold(),
    )
    latest_first = records.order_by(F("source_updated_at").desc(nulls_last=True), "-pk")
    fitting = [record for record in latest_first if _fits(record, request)]
    if len({record.customer_id for record in fitting}) != 1:
        return None
    return _carrying_phone(fitting, request) if request.phone else fitting[0]


def _fits(record: SourceRecord, request: OptInRequest) -> bool:
    """Tell whether the names typed do not speak against the record's."""
    pairs = [
        (request.given_name, record.given_name),
        (request.family_name, record.family_name),
    ]
    return all(fold(typed) == fold(known) for typed, known in pairs if typed and known)


def _carrying_phone(records: Sequence[SourceRecord], request: OptInRequest) -> SourceRecord | None:
    """Return the record that carries the number too: a consent hangs from its carrier."""
    carriers = set(
        RecordContactPoint.objects.filter(
            record__in=[record.pk for record in records],
            contact_point__kind=ContactPoint.Kind.PHONE,
            contact_point__value=request.phone,
        ).values_list("record_id", flat=True)
    )
    return next((record for record in records if record.pk in carriers), None)


@cache
def _mapping() -> dict[str, Any]:
    path = Path(settings.BASE_DIR) / "mdm" / "mappings" / f"{SOURCE_CODE}.toml"
    return read_document(path)
