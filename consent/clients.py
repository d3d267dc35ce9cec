"""Who is at the other end of a public page: an address to count by, cut before it is kept."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network

from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from django.utils.timezone import now

from consent.models import Throttle


def fingerprint(kind: str, value: str) -> str:
    """Return a keyed digest of a value: tells equal ones apart from others, and nothing more."""
    return salted_hmac(f"consent.{kind}", value, algorithm="sha256").hexdigest()


def client_address(request: HttpRequest) -> str:
    """Return the address of the client, which only a trusted proxy may tell in its stead.

    `X-Forwarded-For` is read from its end, where our own proxies wrote; what a client wrote
    before them is never believed.
    """
    address = str(request.META.get("REMOTE_ADDR", ""))
    forwarded = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",")]
    while address in settings.TRUSTED_PROXIES and forwarded and forwarded[-1]:
        address = forwarded.pop()
    return address


def truncated(address: str) -> str | None:
    """Return the network of an address, /24 or /48: enough for a proof (EDPB 05/2020)."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    prefix = 24 if parsed.version == 4 else 48
    return str(ip_network(f"{parsed}/{prefix}", strict=False).network_address)


def is_throttled(action: str, client: str, *, limit: int, minutes: int) -> bool:
    """Count one more act of a client and tell whether it went over the limit of this window.

    One statement on every database, so that all web processes count together.
    """
    window = _window(now(), minutes)
    key = fingerprint("throttle", f"{action}|{client}|{window.isoformat()}")
    table = Throttle._meta.db_table
    moment = connection.ops.adapt_datetimefield_value(window)
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO {table} (key, "window", count) VALUES (%s, %s, 1)'  # noqa: S608
            f" ON CONFLICT (key) DO UPDATE SET count = {table}.count + 1 RETURNING count",
            [key, moment],
        )
        count: int = cursor.fetchone()[0]
    return count > limit


def count_of(action: str, client: str, *, minutes: int) -> int:
    """Return how often a client acted within this window, without counting."""
    window = _window(now(), minutes)
    key = fingerprint("throttle", f"{action}|{client}|{window.isoformat()}")
    return Throttle.objects.filter(pk=key).values_list("count", flat=True).first() or 0


def forget_old_counts() -> None:
    """Delete counts nobody asks for any more."""
    Throttle.objects.filter(window__lt=now() - timedelta(days=1)).delete()


def _window(moment: datetime, minutes: int) -> datetime:
    seconds = minutes * 60
    return datetime.fromtimestamp(moment.timestamp() // seconds * seconds, tz=UTC)
