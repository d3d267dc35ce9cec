"""The Celery app. A message is a bell that carries a job's id; the job's row is the truth.

The transports and their options stand in `config.broker`.
"""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("orfevre")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
