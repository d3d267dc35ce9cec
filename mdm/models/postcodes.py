"""The table of postcodes, when an operator has loaded one."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class PostcodeTown(models.Model):
    """A postcode serves a town or locality, in one of the spellings of the official file."""

    postcode = models.CharField(_("postcode"), max_length=5)
    town = models.CharField(_("town"), max_length=100)

    class Meta:
        verbose_name = _("postcode")
        verbose_name_plural = _("postcodes")
        constraints = [
            models.UniqueConstraint(fields=["postcode", "town"], name="postcode_town_unique")
        ]

    def __str__(self) -> str:
        return f"{self.postcode} {self.town}"
