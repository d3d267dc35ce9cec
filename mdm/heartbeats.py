"""Who lives: the sweeper says so at each round, a worker by answering a pulse from the broker."""

import logging
from datetime import timedelta
from typing import Final

from django.db.models import F, Q
from django.utils.timezone import now

from mdm.models import Heartbeat, Job

logger = logging.getLogger(__name__)

SWEEPER: Final = "sweeper"
WORKER: Final = "worker"

PULSE_EVERY = timedelta(seconds=20)
# An unanswered pulse is not followed by others for a while: they would pile up in the broker.
_PATIENCE = timedelta(minutes=5)
_PULSE_EXPIRES_SECONDS = 60


def beat(name: str) -> None:
    """Note that a part of the machinery lives."""
    Heartbeat.objects.update_or_create(name=name, defaults={"beat_at": now()})


def ask_workers() -> None:
    """Send the workers a pulse through the broker, when one is due."""
    from mdm.tasks import pulse

    moment = now()
    Heartbeat.objects.get_or_create(name=WORKER)
    answered = Q(asked_at__lt=moment - PULSE_EVERY, beat_at__gte=F("asked_at"))
    due = Q(asked_at=None) | answered | Q(asked_at__lt=moment - _PATIENCE)
    if not Heartbeat.objects.filter(due, name=WORKER).update(asked_at=moment):
        return
    try:
        pulse.apply_async(expires=_PULSE_EXPIRES_SECONDS, retry=False)
    except Exception as error:
        logger.warning("Broker unreachable for a pulse: %s", type(error).__name__)


def silence(name: str) -> timedelta | None:
    """Return for how long a part has given no sign of life; None when it never has."""
    beat_at = (
        Heartbeat.objects.filter(name=name, beat_at__isnull=False)
        .values_list("beat_at", flat=True)
        .first()
    )
    return now() - beat_at if beat_at else None


def a_worker_is_at_work() -> bool:
    """Whether a job is running under a valid lease: its worker lives, however busy."""
    return Job.objects.filter(state=Job.State.RUNNING, lease_until__gte=now()).exists()
