"""What every public page shares: language, headers, and one refusal for every bad link."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language, override
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from consent.clients import client_address, count_of, is_throttled
from consent.models import CollectionPoint

View = Callable[..., HttpResponse]

_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors {ancestors}"
)
# A link is 256 random bits, so nobody finds one by trying; this keeps the attempts cheap for us.
_BAD_LINKS = 20
_MINUTES = 10


def public_page(view: View) -> View:
    """Make a view a public page: language by `?lang=`, no cookie, nothing cached or referred."""

    @never_cache
    @csrf_exempt
    @wraps(view)
    def shown(request: HttpRequest, *args: str, **kwargs: str) -> HttpResponse:
        with override(language_of(request)):
            response = view(request, *args, **kwargs)
            response.headers.setdefault("Content-Language", get_language() or "")
        response.headers.setdefault("Content-Security-Policy", _POLICY.format(ancestors="'none'"))
        response.headers["Cache-Control"] = "no-store, private"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return shown


def language_of(request: HttpRequest) -> str:
    """Return the language asked for in the address, else the browser's, else the company's."""
    asked = request.GET.get("lang", "")
    return asked if asked in dict(settings.LANGUAGES) else get_language() or settings.LANGUAGE_CODE


def page(
    request: HttpRequest, template: str, values: dict[str, Any] | None = None
) -> HttpResponse:
    """Render a public page."""
    return render(
        request, f"public/{template}.html", {"company": settings.COMPANY_NAME, **(values or {})}
    )


def allow_embedding(response: HttpResponse, origins: Sequence[str]) -> HttpResponse:
    """Let the sites of a collection point show this page in a frame."""
    if origins:
        ancestors = " ".join(["'self'", *origins])
        response.headers["Content-Security-Policy"] = _POLICY.format(ancestors=ancestors)
        response.xframe_options_exempt = True
    return response


def refused_link(request: HttpRequest) -> HttpResponse:
    """Return the one page for every link that does not work, whatever the reason.

    It answers 200: an error would put the address, a secret, into the server's log.
    """
    forms = CollectionPoint.objects.filter(method=CollectionPoint.Method.WEB, is_active=True)
    return page(request, "refused_link", {"forms": forms})


def count_bad_link(request: HttpRequest) -> None:
    """Count a POST with a bad link against its client."""
    is_throttled("bad-link", client_address(request), limit=_BAD_LINKS, minutes=_MINUTES)


def tried_too_often(request: HttpRequest) -> bool:
    """Tell whether a client sent too many bad links lately."""
    return count_of("bad-link", client_address(request), minutes=_MINUTES) >= _BAD_LINKS
