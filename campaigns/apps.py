"""App configuration."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CampaignsConfig(AppConfig):
    """The `campaigns` app."""

    name = "campaigns"
    verbose_name = _("Campaigns")

    def ready(self) -> None:
        """Make the kinds of jobs known to web and worker, and tell consent what left."""
        from campaigns import counting, target_lists  # noqa: F401
        from campaigns.messages import messages_of
        from consent.good_faith import register

        register(messages_of)
