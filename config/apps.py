"""App configuration: the project as an app, and the admin with our own site."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class ConfigConfig(AppConfig):
    """The project itself, so that its commands and templates are found."""

    name = "config"
    verbose_name = "Orfèvre"

    def ready(self) -> None:
        """Put the jobs that no app describes itself into words."""
        import config.job_words  # noqa: F401


class OrfevreAdminConfig(AdminConfig):
    """Django's admin with Orfèvre's site as the default, so that apps just register."""

    default_site = "config.admin_site.OrfevreAdminSite"
