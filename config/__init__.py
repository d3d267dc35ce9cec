"""The project: settings, urls, celery, the admin site and the home page.

No domain code lives here. `config` names every app; no app imports `config`.
"""

from config.celery import app as celery_app

__all__ = ["celery_app"]
