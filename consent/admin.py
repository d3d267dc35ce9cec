"""Purposes and notices in the admin; events and states have pages of their own."""

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import ModelAdmin

from consent.forms import PurposeForm
from consent.models import NoticeVersion, Purpose


@admin.register(Purpose)
class PurposeAdmin(SimpleHistoryAdmin, ModelAdmin):
    """What the company writes about. A purpose is switched off, never deleted."""

    form = PurposeForm
    list_display = ["code", "label_fr", "label_en", "nature", "is_active"]
    list_filter = ["nature", "is_active"]
    fields = ["code", "label_fr", "label_en", "nature", "product_families", "is_active"]

    def get_readonly_fields(self, request: HttpRequest, obj: Purpose | None = None) -> list[str]:
        """Freeze what past answers rest on: the code and the nature."""
        return ["code", "nature"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Purpose | None = None) -> bool:
        """Nobody: events name their purpose for ever."""
        return False


@admin.register(NoticeVersion)
class NoticeVersionAdmin(ModelAdmin):
    """The words people were shown. Published once; other words are a new version."""

    list_display = ["code", "version", "language", "valid_from", "short_digest"]
    list_filter = ["language"]
    fields = ["code", "version", "language", "valid_from", "body", "checkbox_label"]

    @admin.display(description=_("SHA-256"))
    def short_digest(self, notice: NoticeVersion) -> str:
        """Return the beginning of the digest, enough to compare by eye."""
        return notice.sha256[:12]

    def has_change_permission(
        self, request: HttpRequest, obj: NoticeVersion | None = None
    ) -> bool:
        """Nobody: the database refuses it too."""
        return False

    def has_delete_permission(
        self, request: HttpRequest, obj: NoticeVersion | None = None
    ) -> bool:
        """Nobody: the database refuses it too."""
        return False
