"""Signing up: a page that works anywhere, a form a site can embed, and the same as JSON.

Whatever is known of an address, the answer is the same: “we have written to you”.
"""

import json
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from consent.clients import client_address, is_throttled, truncated
from consent.double_opt_in import sign_up
from consent.models import CollectionPoint
from consent.notices import OfferedChoice
from consent.public.forms import HONEYPOT, SignUpForm, form_data
from consent.public.frame import allow_embedding, language_of, page, public_page

SIGN_UPS = 20
_MINUTES = 10
_MAX_JSON = 10_000


@public_page
def sign_up_page(request: HttpRequest, code: str) -> HttpResponse:
    """Show the form; a POST, from this page or a site that embeds it, signs up."""
    point = _point(code)
    form = SignUpForm(point, get_language() or "", request.POST or None)
    values = {"form": form, "point": point, "honeypot": HONEYPOT}
    if request.method != "POST":
        response = page(request, "sign_up", values)
    elif not _is_allowed_origin(request, point):
        response = page(request, "foreign_form")
        response.status_code = 403
    elif _is_too_much(request):
        response = page(request, "too_much")
        response.status_code = 429
    elif form.is_trapped or form.is_valid():
        _take(request, point, form)
        response = page(request, "check_mail", values)
    else:
        response = page(request, "sign_up", values)
    return allow_embedding(response, point.allowed_origins)


@public_page
def sign_up_api(request: HttpRequest, code: str) -> HttpResponse:
    """Describe the form (GET) or sign up (POST) as JSON, for the sites of a collection point."""
    point = _point(code)
    if not _is_allowed_origin(request, point):
        return JsonResponse({"error": "origin"}, status=403)
    if request.method == "OPTIONS":
        response = HttpResponse(status=204)
    elif request.method == "POST":
        response = _answer(request, point)
    else:
        form = SignUpForm(point, get_language() or "")
        response = JsonResponse(
            {
                "title": point.title,
                "introduction": point.intro,
                "language": form.language,
                "choices": [_described(offer) for offer in form.offered],
            }
        )
    return _with_cors(response, request)


def _answer(request: HttpRequest, point: CollectionPoint) -> HttpResponse:
    if _is_too_much(request):
        return JsonResponse({"error": "too_much"}, status=429)
    document = _document(request)
    if document is None:
        return JsonResponse({"error": "json"}, status=400)
    language = str(document.get("language", ""))
    language = language if language in dict(settings.LANGUAGES) else language_of(request)
    form = SignUpForm(point, language)
    form = SignUpForm(point, language, form_data(document, form.offered))
    if form.is_trapped or form.is_valid():
        _take(request, point, form)
        return JsonResponse({"status": "check_mail"}, status=202)
    return JsonResponse({"error": "form", "fields": form.errors.get_json_data()}, status=422)


def _take(request: HttpRequest, point: CollectionPoint, form: SignUpForm) -> None:
    if form.is_trapped:
        return  # Dropped without a word: a machine learns nothing.
    network = truncated(client_address(request))
    sign_up(point, form.signed_up(origin=_origin(request), network=network))


def _point(code: str) -> CollectionPoint:
    found = CollectionPoint.objects.filter(
        code=code, method=CollectionPoint.Method.WEB, is_active=True
    ).first()
    if found is None:
        raise Http404(_("There is no such form."))
    return found


def _described(offer: OfferedChoice) -> dict[str, Any]:
    return {
        "purpose": offer.choice.purpose.code,
        "channel": offer.choice.channel,
        "label": offer.label,
        "text": offer.notice.body,
        "notice": offer.notice.sha256,
        "version": offer.notice.version,
    }


def _document(request: HttpRequest) -> dict[str, Any] | None:
    if len(request.body) > _MAX_JSON:
        return None
    try:
        document = json.loads(request.body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _is_too_much(request: HttpRequest) -> bool:
    client = client_address(request)
    return is_throttled("sign-up", client, limit=SIGN_UPS, minutes=_MINUTES)


def _origin(request: HttpRequest) -> str:
    return request.headers.get("Origin", "") or settings.PUBLIC_URL


def _is_allowed_origin(request: HttpRequest, point: CollectionPoint) -> bool:
    """Tell whether the site that sends the form may; browsers say which it is, servers need not.

    `null` is what our own page says of itself, because it refers to nobody.
    """
    origin = request.headers.get("Origin", "")
    own = {request.get_host(), urlsplit(settings.PUBLIC_URL).netloc}
    is_own = urlsplit(origin).netloc in own
    is_own_page = origin == "null" and request.headers.get("Sec-Fetch-Site") in {
        "same-origin",
        "none",
    }
    return not origin or is_own or is_own_page or origin in point.allowed_origins


def _with_cors(response: HttpResponse, request: HttpRequest) -> HttpResponse:
    """Let the browser hand the answer to the site; no credentials, so no cookie ever travels."""
    origin = request.headers.get("Origin")
    if origin:
        response["Access-Control-Allow-Origin"] = origin
        response["Access-Control-Allow-Methods"] = "GET, POST"
        response["Access-Control-Allow-Headers"] = "Content-Type"
    response["Vary"] = "Origin, Accept-Language"
    return response
