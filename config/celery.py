"""The Celery app. A message is a bell that carries a job's id; the job's row is the truth.

The transports and their options stand in `config.broker`.
"""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_ready

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("orfevre")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_ready.connect
def start_sweeper(**_kwargs: Any) -> None:
    """Run a sweeper beside the worker, so that a worker alone is enough to lose no job.

    A process rather than a thread: forked pool children must not inherit database connections.
    """
    from django.conf import settings

    if settings.WORKER_SWEEPS:
        from config.processes import sweeper
        from config.supervisor import keep_running_beside

        keep_running_beside(sweeper())
