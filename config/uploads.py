"""Refusing what is too large before its body is read: it would lie on the disk by then."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

# The page that takes files of customers. All others take forms, at most with a scanned letter.
_LARGE = frozenset(["mdm:load-new"])
_LARGE_PERMISSION = "mdm.load_records"
_FORM_MEGABYTES = 10
_FIELDS_BYTES = 2_000_000  # The other fields that come along with the file.

View = Callable[..., Any]


class UploadLimitMiddleware:
    """Answers 413 by the announced length, before the protection against forgery reads the form.

    Stands before CsrfViewMiddleware, so that its `process_view` comes first. Without an announced
    length Django reads no body at all.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Go on: the look is at the view."""
        return self._get_response(request)

    def process_view(
        self, request: HttpRequest, view: View, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """Refuse a body that is larger than the page takes from this user."""
        limit = _limit(request)
        if _announced_bytes(request) <= limit * 1_000_000 + _FIELDS_BYTES:
            return None
        if not getattr(request.user, "is_staff", False):
            return HttpResponse(_("Too large"), status=413, content_type="text/plain")
        context = {
            **admin.site.each_context(request),
            "title": _("Too large"),
            "megabytes": limit,
            "is_load": _takes_files(request),
        }
        return render(request, "orfevre/too_large.html", context, status=413)


def _limit(request: HttpRequest) -> int:
    """Return how many megabytes the page takes from this user."""
    return int(settings.UPLOAD_MAX_MEGABYTES) if _takes_files(request) else _FORM_MEGABYTES


def _takes_files(request: HttpRequest) -> bool:
    match = request.resolver_match
    is_large = match is not None and match.view_name in _LARGE
    return is_large and request.user.has_perm(_LARGE_PERMISSION)


def _announced_bytes(request: HttpRequest) -> int:
    text = request.headers.get("content-length") or "0"
    return int(text) if text.isdecimal() else 0
