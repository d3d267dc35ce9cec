"""The link of the confirmation mail: opening it shows what would be confirmed, a click does it."""

from django.http import HttpRequest, HttpResponse

from consent.clients import client_address, truncated
from consent.double_opt_in import TokenRefused, confirm, disavow, pending
from consent.public.frame import (
    count_bad_link,
    page,
    public_page,
    refused_link,
    tried_too_often,
)


@public_page
def confirm_page(request: HttpRequest, token: str) -> HttpResponse:
    """Show what is asked (GET), confirm it, or note that it was not the person (POST)."""
    try:
        if request.method != "POST":
            asked = pending(token)
            choices = asked.choices.select_related("purpose", "notice_version").order_by("pk")
            return page(request, "confirm", {"choices": choices})
        if tried_too_often(request):
            return refused_link(request)
        return _act(request, token)
    except TokenRefused:
        if request.method == "POST":
            count_bad_link(request)
        return refused_link(request)


def _act(request: HttpRequest, token: str) -> HttpResponse:
    if request.POST.get("act") == "disavow":
        disavow(token)
        return page(request, "disavowed")
    confirm(token, network=truncated(client_address(request)))
    return page(request, "confirmed")
