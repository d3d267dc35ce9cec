"""The list of loaded files; each has its own page (mdm:batch)."""

from django.contrib import admin
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from mdm.models import LoadBatch
from mdm.staff import staff_name


@admin.register(LoadBatch)
class LoadBatchAdmin(ModelAdmin):
    """Loaded files, the latest first. A batch is made by loading, and never edited."""

    list_display = (
        "file_name",
        "state",
        "source",
        "new",
        "changed",
        "same",
        "rejected",
        "loaded_by",
        "created_at",
    )
    list_select_related = ("source", "created_by", "job", "undo_job")
    list_filter = ("source", "mode")
    search_fields = ("file_name", "sha256")
    search_help_text = _("Name of the file or its SHA-256")
    list_per_page = 50

    @admin.display(description=_("state"))
    def state(self, batch: LoadBatch) -> str:
        """Return how far the file came."""
        return batch.state_in_words

    @admin.display(description=_("new"), ordering="new_count")
    def new(self, batch: LoadBatch) -> str:
        """Return a count with the reader's separators, as the next ones do."""
        return number_format(batch.new_count, force_grouping=True)

    @admin.display(description=_("changed"), ordering="changed_count")
    def changed(self, batch: LoadBatch) -> str:
        """Return how many records the file changed."""
        return number_format(batch.changed_count, force_grouping=True)

    @admin.display(description=_("the same"), ordering="same_count")
    def same(self, batch: LoadBatch) -> str:
        """Return how many rows said what was known."""
        return number_format(batch.same_count, force_grouping=True)

    @admin.display(description=_("rejected"), ordering="rejected_count")
    def rejected(self, batch: LoadBatch) -> str:
        """Return how many lines were refused."""
        return number_format(batch.rejected_count, force_grouping=True)

    @admin.display(description=_("loaded by"), ordering="created_by")
    def loaded_by(self, batch: LoadBatch) -> str:
        """Return the person; nobody when a folder or a command brought it."""
        return staff_name(batch.created_by) or "–"

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Batches come from the page that loads a file."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: LoadBatch | None = None) -> bool:
        """What was loaded was loaded."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: LoadBatch | None = None) -> bool:
        """Records point at their batch for ever."""
        return False

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponseBase:
        """Open the batch's own page."""
        return redirect("mdm:batch", pk=object_id)
