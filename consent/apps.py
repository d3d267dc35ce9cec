"""App configuration."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ConsentConfig(AppConfig):
    """The `consent` app."""

    name = "consent"
    verbose_name = _("Consent")
