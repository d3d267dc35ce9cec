"""App configuration."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MatchingConfig(AppConfig):
    """The `matching` app."""

    name = "matching"
    verbose_name = _("Matching")

    def ready(self) -> None:
        """Register the job of this app and how it is told."""
        import matching.words  # noqa: F401
