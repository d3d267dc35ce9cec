"""The register of who saw what."""

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from mdm.access_words import in_words
from mdm.models import AccessLog
from mdm.staff import staff_name


@admin.register(AccessLog)
class AccessLogAdmin(ModelAdmin):
    """Accesses, the latest first; written by the pages and never edited."""

    list_display = ("at", "who", "what", "reference")
    list_select_related = ("user",)
    list_filter = (("user", admin.RelatedOnlyFieldListFilter),)
    search_fields = ("reference",)
    search_help_text = _("Customer id or key, as it stands in the register")
    list_per_page = 50
    show_full_result_count = False

    @admin.display(description=_("who"), ordering="user")
    def who(self, access: AccessLog) -> str:
        """Return the person; nobody when the machine itself did it."""
        return staff_name(access.user) or "–"

    @admin.display(description=_("what"), ordering="action")
    def what(self, access: AccessLog) -> str:
        """Return what the person did, in words."""
        return in_words(access.action)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """The pages write the register."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: AccessLog | None = None) -> bool:
        """Nobody rewrites who saw what."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: AccessLog | None = None) -> bool:
        """Nobody rewrites who saw what."""
        return False
