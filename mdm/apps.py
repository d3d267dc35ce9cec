"""App configuration."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MdmConfig(AppConfig):
    """The `mdm` app."""

    name = "mdm"
    verbose_name = _("Customers")
