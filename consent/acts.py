"""What the person or a member of staff does: recorded, proved and folded in one transaction.

Never through a job: it takes effect before the click is answered, and is sealed right after.
"""

from collections.abc import Sequence

from consent.ledger import RESTRICTIVE, NewEvent, record_events
from consent.models import ConsentEvent, Evidence
from consent.projection import project
from consent.sealing import seal_soon
from consent.told_events import holders
from mdm.models import SourceRecord


def record_acts(acts: Sequence[NewEvent], proof: Evidence) -> list[ConsentEvent]:
    """Record acts with their proof, fold what follows, and return those that were new.

    `proof` is an unsaved Evidence; it is stored only when something was recorded. Call it inside
    a transaction.
    """
    new = record_events(acts)
    if not new:
        return []
    events = list(
        ConsentEvent.objects.filter(
            source_record__in={act.record_id for act in new},
            source_event_id__in=[act.source_event_id for act in new],
        )
    )
    proof.save()
    proof.events.set(events)
    refused = {act.contact_point_id for act in new if act.type in RESTRICTIVE}
    concerned = holders(point for point in refused if point is not None)
    records = SourceRecord.objects.filter(pk__in={act.record_id for act in new})
    project(concerned.union(records.values_list("customer_id", flat=True)))
    seal_soon()
    return events
