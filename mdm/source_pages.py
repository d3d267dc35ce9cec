"""What a source's page offers beside its form: mapping, files, folder, database."""

import os
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from mdm.loading.database_jobs import start_mapping, start_reading
from mdm.loading.stored_files import LoadRefused
from mdm.loading.watched_folders import content_of
from mdm.models import SourceSystem
from mdm.pages import staff_user


@require_POST
@permission_required("mdm.load_records", raise_exception=True)
def read_database(request: HttpRequest, code: str) -> HttpResponse:
    """Have a job read the source's own database, to map its columns, to preview or to load it."""
    source, by = get_object_or_404(SourceSystem, code=code), staff_user(request)
    action = request.POST.get("action")
    if action == "map" and not by.has_perm("mdm.add_fieldmapping"):
        raise PermissionDenied
    try:
        if action == "map":
            job = start_mapping(source, by=by)
        else:
            job = start_reading(source, is_preview=action != "load", by=by)
    except LoadRefused as refusal:
        messages.warning(request, str(refusal))
        return redirect("admin:mdm_sourcesystem_change", source.pk)
    return redirect("mdm:job", pk=job.pk)


def doors_of(source: SourceSystem) -> dict[str, Any]:
    """Return by which ways rows of a source come in, ready to show."""
    return {
        "source": source,
        "mapping": source.mappings.first(),
        "latest": source.batches.exclude(job=None).first(),
        "folder": content_of(source),
        "has_database": bool(source.database_variable and source.database_query.strip()),
        "is_database_told": bool(os.environ.get(source.database_variable or "-")),
    }
