"""Rehearsing an inspection: some permissions at random, each with what would prove it today."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Max, Min
from django.utils.timezone import now
from django.utils.translation import gettext as _

from consent.facts import GRANTED
from consent.models import PermissionState
from consent.policies import pack_at
from consent.policy_packs import PolicyPack
from consent.presentation import TimelineEntry, entry_of
from consent.verification import event_seals

SAMPLE_SIZE = 20


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """One permission of the sample, the event that decides it, and what its proof lacks."""

    state: PermissionState
    entry: TimelineEntry
    lacks: Sequence[str]


def draw(seed: int) -> list[Rehearsed]:
    """Return up to twenty consents that stand today; the same seed draws the same ones again.

    Drawn by key, so that a table of millions is not sorted for it.
    """
    found = _drawn(seed)
    seals = event_seals([state.deciding_event_id for state in found])
    policy = pack_at(now())
    return [
        _rehearsed(state, entry_of(state.deciding_event, seals=seals), policy) for state in found
    ]


def _drawn(seed: int) -> list[PermissionState]:
    standing = PermissionState.objects.filter(state__in=GRANTED)
    ends = standing.aggregate(first=Min("pk"), last=Max("pk"))
    if ends["first"] is None:
        return []
    chance = random.Random(seed)  # noqa: S311 - a sample to look at, no secret.
    wanted = {chance.randint(ends["first"], ends["last"]) for _draw in range(SAMPLE_SIZE)}
    keys = {
        key
        for start in wanted
        for key in standing.filter(pk__gte=start).order_by("pk").values_list("pk", flat=True)[:1]
    }
    related = (
        "customer__golden", "contact_point", "purpose", "deciding_event__source_record__source",
        "deciding_event__contact_point", "deciding_event__purpose",
        "deciding_event__notice_version", "deciding_event__actor", "deciding_event__batch",
    )  # fmt: skip
    found = standing.filter(pk__in=keys).select_related(*related)
    return list(
        found.prefetch_related("deciding_event__evidence", "deciding_event__retractions").order_by(
            "pk"
        )
    )


def _rehearsed(state: PermissionState, entry: TimelineEntry, policy: PolicyPack) -> Rehearsed:
    event, lacks = entry.event, []
    if event.evidence_level < policy.minimum_evidence(state.channel):
        lacks.append(_("evidence below what this channel needs"))
    if event.notice_version is None:
        lacks.append(_("the words shown"))
    if event.occurred_at is None:
        lacks.append(_("the date"))
    if entry.place is None:
        lacks.append(_("the seal"))
    elif not entry.is_intact:
        lacks.append(_("it does not match its seal"))
    return Rehearsed(state, entry, lacks)
