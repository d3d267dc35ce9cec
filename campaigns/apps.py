"""App configuration."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CampaignsConfig(AppConfig):
    """The `campaigns` app."""

    name = "campaigns"
    verbose_name = _("Campaigns")

    def ready(self) -> None:
        """Make the kinds of jobs known to web and worker."""
        from campaigns import counting, target_lists  # noqa: F401
