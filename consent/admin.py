"""Purposes, notices and collection points; events and states have pages of their own."""

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import ModelAdmin, TabularInline

from consent.forms import CollectionPointForm, PurposeForm
from consent.models import (
    CollectionChoice,
    CollectionPoint,
    NoticeVersion,
    Purpose,
    SimilarFamily,
)
from consent.resources import PurposeResource, SimilarFamilyResource
from mdm.admin.reference_tables import ReferenceTableAdmin


@admin.register(Purpose)
class PurposeAdmin(ReferenceTableAdmin):
    """What the company writes about. A purpose is switched off, never deleted."""

    form = PurposeForm
    resource_classes = (PurposeResource,)
    list_display = ["code", "label_fr", "label_en", "nature", "is_active"]
    list_filter = ["nature", "is_active"]
    fields = ["code", "label_fr", "label_en", "nature", "product_families", "sector", "is_active"]

    def get_readonly_fields(self, request: HttpRequest, obj: Purpose | None = None) -> list[str]:
        """Freeze what past answers rest on: the code and the nature."""
        return ["code", "nature"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Purpose | None = None) -> bool:
        """Nobody: events name their purpose for ever."""
        return False


@admin.register(SimilarFamily)
class SimilarFamilyAdmin(ReferenceTableAdmin):
    """The matrix of soft opt-in. A row is ended, never deleted: past answers rest on it."""

    resource_classes = (SimilarFamilyResource,)
    list_display = ["sold", "offered", "declared_on", "ended_on"]
    list_filter = ["sold"]
    search_fields = ["sold", "offered", "reason"]
    fields = ["sold", "offered", "reason", "declared_on", "ended_on"]

    def get_readonly_fields(
        self, request: HttpRequest, obj: SimilarFamily | None = None
    ) -> list[str]:
        """Freeze what past answers rest on; an end is still to be set."""
        return ["sold", "offered", "declared_on"] if obj else []

    def has_delete_permission(
        self, request: HttpRequest, obj: SimilarFamily | None = None
    ) -> bool:
        """Nobody: it is ended."""
        return False


class CollectionChoiceInline(TabularInline):
    """The boxes of a collection point."""

    model = CollectionChoice
    extra = 0
    fields = ["purpose", "channel", "notice_code", "position"]


@admin.register(CollectionPoint)
class CollectionPointAdmin(SimpleHistoryAdmin, ModelAdmin):
    """Where people are asked for consent. It is switched off, never deleted: proofs name it."""

    form = CollectionPointForm
    inlines = [CollectionChoiceInline]
    list_display = ["code", "method", "title_fr", "title_en", "is_active", "address"]
    list_filter = ["method", "is_active"]
    fields = [
        "code",
        "method",
        "is_active",
        "title_fr",
        "title_en",
        "intro_fr",
        "intro_en",
        "allowed_origins",
    ]

    @admin.display(description=_("form"))
    def address(self, point: CollectionPoint) -> str:
        """Return where the public form is."""
        if point.method != CollectionPoint.Method.WEB:
            return ""
        return settings.PUBLIC_URL + reverse("public:sign-up", args=[point.code])

    def get_readonly_fields(
        self, request: HttpRequest, obj: CollectionPoint | None = None
    ) -> list[str]:
        """Keep what sites and proofs name."""
        return ["code", "method"] if obj else []

    def has_delete_permission(
        self, request: HttpRequest, obj: CollectionPoint | None = None
    ) -> bool:
        """Nobody: proofs name their collection point for ever."""
        return False


@admin.register(NoticeVersion)
class NoticeVersionAdmin(ModelAdmin):
    """The words people were shown. Published once; other words are a new version."""

    list_display = ["code", "version", "language", "valid_from", "short_digest", "page"]
    list_filter = ["language"]
    fields = ["code", "version", "language", "valid_from", "body", "checkbox_label"]

    @admin.display(description=_("as shown"))
    def page(self, notice: NoticeVersion) -> str:
        """Link to the words as people saw them and what stands on them."""
        address = reverse("consent:notice", args=[notice.pk])
        return format_html('<a class="o-link" href="{}">{}</a>', address, _("Open"))

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
