"""The message broker from a URL: a folder for the embedded mode, Redis for everything else.

A message is a bell that carries a job's id; the job's row is the truth, so no broker needs to be
reliable here. `memory://` serves tests.
"""

from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from kombu.transport import TRANSPORT_ALIASES

_SCHEMES = ("filesystem", "redis", "rediss", "sentinel", "memory")


def broker_from_url(url: str, *, folder: Path) -> dict[str, Any]:
    """Return the transport options of a broker; a `filesystem://` one keeps messages in `folder`.

    Raises:
        ImproperlyConfigured: when the URL names another kind of broker, naming the setting.
    """
    scheme = url.partition("://")[0]
    if scheme not in _SCHEMES or "://" not in url:
        raise ImproperlyConfigured(
            "CELERY_BROKER_URL must be filesystem:// or redis://HOST:PORT/NUMBER."
        )
    if scheme == "filesystem":
        return _in_folder(folder)
    if scheme == "memory":
        return {}
    # Short timeouts: a dead or frozen broker must never hold a click for more than a second or
    # two. A lost message is replaced by the sweeper long before the visibility timeout.
    return {
        "visibility_timeout": 3600,
        "socket_timeout": 2,
        "socket_connect_timeout": 1,
        "max_retries": 0,
    }


def _in_folder(folder: Path) -> dict[str, Any]:
    TRANSPORT_ALIASES["filesystem"] = "config.folder_broker:Transport"
    for name in ("messages", "control"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    return {
        "data_folder_in": str(folder / "messages"),
        "data_folder_out": str(folder / "messages"),
        "control_folder": str(folder / "control"),
        "store_processed": False,
        "polling_interval": 0.2,
    }
