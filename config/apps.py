"""App configuration: the project as an app, and the admin with our own site."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.admin.checks import check_admin_app, check_dependencies
from django.core import checks


class ConfigConfig(AppConfig):
    """The project itself, so that its commands and templates are found."""

    name = "config"
    verbose_name = "Orfèvre"

    def ready(self) -> None:
        """Put jobs that no app describes into words, and dates as French writes them."""
        import config.job_words  # noqa: F401
        from config.french_dates import write_first_days

        write_first_days()


class OrfevreAdminConfig(SimpleAdminConfig):
    """Django's admin with Orfèvre's site as the default, so that apps just register.

    Their admin modules are imported with the urls: a command or a worker shows no page, and
    starts in two thirds of the time without them.
    """

    default_site = "config.admin_site.OrfevreAdminSite"

    def ready(self) -> None:
        """Have the admin checked, as Django does."""
        checks.register(check_dependencies, checks.Tags.admin)
        checks.register(_check_admin, checks.Tags.admin)


def _check_admin(
    app_configs: Sequence[AppConfig] | None, **options: Any
) -> list[checks.CheckMessage]:
    import_module(settings.ROOT_URLCONF)  # Else nothing is registered yet.
    return check_admin_app(app_configs, **options)
