"""App configuration: the project as an app, and the admin with our own site."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class ConfigConfig(AppConfig):
    """The project itself, so that its commands and templates are found."""

    name = "config"
    verbose_name = "Orfèvre"

    def ready(self) -> None:
        """Put jobs that no app describes into words, and dates as French writes them."""
        import config.job_words  # noqa: F401
        from config.french_dates import write_first_days

        write_first_days()


class OrfevreAdminConfig(AdminConfig):
    """Django's admin with Orfèvre's site as the default, so that apps just register."""

    default_site = "config.admin_site.OrfevreAdminSite"
