"""Is the instance well? One list of checks behind `/readyz`, the home page and the operators."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config.celery import app
from mdm import erasure_journal, heartbeats

_BROKER_SECONDS = 2


@dataclass(frozen=True)
class Check:
    """One thing that must work, and in words what is wrong with it ("" when it works)."""

    code: str
    problem: str

    @property
    def is_well(self) -> bool:
        """Whether it works."""
        return not self.problem


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer that this process lives; asks nothing else, so that nothing else restarts it."""
    return HttpResponse("ok", content_type="text/plain")


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 200 when the database, the broker, a worker and the sweeper work, else 503."""
    found = checks()
    body = {check.code: check.problem or "ok" for check in found}
    return JsonResponse(body, status=200 if all(check.is_well for check in found) else 503)


def checks() -> list[Check]:
    """Look at everything the instance needs."""
    database = _database()
    found = [Check("database", database), Check("broker", _broker())]
    if database:
        return found
    return [*found, *background_checks(), Check("erasures", _erasures())]


def background_checks() -> list[Check]:
    """Look at worker and sweeper alone: two small queries, cheap enough for a page."""
    return [Check("worker", _worker()), Check("sweeper", _sweeper())]


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return _("The database does not answer.")
    return ""


def _broker() -> str:
    try:
        with app.connection_for_write(connect_timeout=_BROKER_SECONDS) as broker:
            broker.ensure_connection(max_retries=1, timeout=_BROKER_SECONDS)
    except Exception:
        return _("The message broker does not answer: work waits, nothing is lost.")
    return ""


def _worker() -> str:
    if _is_late(
        heartbeats.WORKER, 4 * heartbeats.PULSE_EVERY, unless=heartbeats.a_worker_is_at_work
    ):
        return _("No worker has answered for a while: waiting work does not start.")
    return ""


def _sweeper() -> str:
    if _is_late(heartbeats.SWEEPER, timedelta(seconds=3 * settings.SWEEP_SECONDS + 30)):
        return _("The sweeper has not run for a while: interrupted work is not taken up again.")
    return ""


def _erasures() -> str:
    count = len(erasure_journal.missing())
    if count:
        words = ngettext(
            "This database is older than %d erasure in the journal: run replay_erasures.",
            "This database is older than %d erasures in the journal: run replay_erasures.",
            count,
        )
        return words % count
    return ""


def _is_late(name: str, allowed: timedelta, *, unless: Callable[[], bool] = lambda: False) -> bool:
    silence = heartbeats.silence(name)
    return (silence is None or silence > allowed) and not unless()
