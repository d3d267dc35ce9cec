"""The Celery app. A message is a bell that carries a job's id; the job's row is the truth.

Three transports: `filesystem://` (default, a folder below DATA_DIR, no server), `redis://`, and
`memory://` for tests.
"""

import os
from typing import Any

from celery import Celery
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


def _transport_options() -> dict[str, Any]:
    if settings.CELERY_BROKER_URL.startswith("filesystem:"):
        folder = settings.DATA_DIR / "broker"
        for name in ("messages", "processed", "control"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        return {
            "data_folder_in": str(folder / "messages"),
            "data_folder_out": str(folder / "messages"),
            "control_folder": str(folder / "control"),
            "store_processed": False,
            "polling_interval": 0.2,
        }
    # Short timeouts: a dead or frozen broker must never hold a click for more than a second or
    # two. A lost message is replaced by the sweeper long before the visibility timeout.
    return {
        "visibility_timeout": 3600,
        "socket_timeout": 2,
        "socket_connect_timeout": 1,
        "max_retries": 0,
    }


app = Celery("orfevre")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.broker_transport_options = _transport_options()
app.autodiscover_tasks()
