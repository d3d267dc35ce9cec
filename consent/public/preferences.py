"""The preference centre: every button is one act, done when it is clicked."""

from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from consent.clients import client_address, is_throttled, truncated
from consent.links import Link, LinkRefused, read_link
from consent.mails import post_link
from consent.masks import masked
from consent.models import Evidence, RightsRequest
from consent.pauses import MONTHS, end_pause, pause_of, start_pause
from consent.preferences import NotOffered, accept, consents_of, line_of, offer_shown, places
from consent.public.forms import RequestForm
from consent.public.frame import language_of, page, public_page, refused_link
from consent.rights import receive_request
from consent.withdrawals import Holder, holder_of, stop_everything, withdraw
from mdm.models import ContactPoint, Customer

DONE = {
    "stopped": _("Done: you will receive nothing more from us."),
    "withdrawn": _("Done: we will no longer send you this."),
    "accepted": _("Thank you: your consent is noted, with the words you read."),
    "paused": _("Done: we write nothing during your pause."),
    "resumed": _("Your pause has ended."),
    "requested": _("Your request has arrived. We answer within a month."),
    "mailed": _("We have sent a fresh link to this address."),
}
_LINK_MAILS = 3


@public_page
def preferences_page(request: HttpRequest, link: str) -> HttpResponse:
    """Show what a person receives and let her change it; a POST does what its button says."""
    found = _opened(link)
    if found is None:
        return refused_link(request)
    known, holder = found
    form = RequestForm()
    if request.method == "POST":
        act = ACTS.get(request.POST.get("act", ""))
        # An old link still stops everything; for more, a fresh one is mailed.
        if act and (known.is_fresh or act in _FOR_OLD_LINKS):
            code = act(request, holder)
            return _back(request, link, code)
        if known.is_fresh and request.POST.get("act") == "request":
            form = RequestForm(request.POST)
            if form.is_valid():
                _receive(holder, form.cleaned_data)
                return _back(request, link, "requested")
    return page(request, "preferences", _values(request, link, known, holder, form))


@public_page
def consents_page(request: HttpRequest, link: str) -> HttpResponse:
    """Show everything she said about this contact point, with the words she was shown."""
    found = _opened(link)
    if found is None or not found[0].is_fresh:
        return refused_link(request)
    holder = found[1]
    values = {"events": list(consents_of(holder)), "link": link, "masked": _masked(holder)}
    return page(request, "consents", values)


@public_page
def consents_json(request: HttpRequest, link: str) -> HttpResponse:
    """Return the same as a file for machines."""
    found = _opened(link)
    if found is None or not found[0].is_fresh:
        return refused_link(request)
    events = [
        {name: value for name, value in event.items() if name != "happened"}
        for event in consents_of(found[1])
    ]
    response = JsonResponse(
        {"made_at": now().isoformat(), "contact_point": _masked(found[1]), "events": events},
        json_dumps_params={"ensure_ascii": False, "indent": 2},
    )
    response["Content-Disposition"] = 'attachment; filename="consents.json"'
    return response


def _opened(link: str) -> tuple[Link, Holder] | None:
    try:
        known = read_link(link)
    except LinkRefused:
        return None
    holder = holder_of(known.contact_point_id, known.customer_id)
    return (known, holder) if holder else None


def _values(
    request: HttpRequest, link: str, known: Link, holder: Holder, form: RequestForm
) -> dict[str, Any]:
    values: dict[str, Any] = {
        "link": link,
        "masked": _masked(holder),
        "is_fresh": known.is_fresh,
        "done": DONE.get(request.GET.get("done", "")),
    }
    if not known.is_fresh:
        return values
    state = RightsRequest.State.RECEIVED
    return values | {
        "places": places(holder),
        "pause": pause_of(holder.contact_point),
        "months": MONTHS,
        "form": form,
        "requests": RightsRequest.objects.filter(
            customer=holder.customer_id, contact_point=holder.contact_point, state=state
        ),
    }


def _back(request: HttpRequest, link: str, code: str) -> HttpResponse:
    """Show the page anew, so that reloading it repeats nothing."""
    language = request.GET.get("lang", "")
    suffix = f"&lang={language_of(request)}" if language else ""
    address = reverse("public:preferences", args=[link])
    return HttpResponseRedirect(f"{address}?done={code}{suffix}", status=303)


def _stop(request: HttpRequest, holder: Holder) -> str:
    stop_everything(holder, proof=_proof(request))
    return "stopped"


def _withdraw(request: HttpRequest, holder: Holder) -> str:
    line = line_of(
        holder,
        purpose=request.POST.get("purpose", ""),
        channel=request.POST.get("channel", ""),
        point=request.POST.get("point", ""),
    )
    if line is None:
        return ""
    withdraw(
        holder,
        channel=line.channel,
        purpose=line.purpose,
        contact_point=line.contact_point,
        proof=_proof(request),
    )
    return "withdrawn"


def _accept(request: HttpRequest, holder: Holder) -> str:
    try:
        offer = offer_shown(
            holder,
            purpose=request.POST.get("purpose", ""),
            channel=request.POST.get("channel", ""),
            notice_id=request.POST.get("notice", ""),
        )
    except NotOffered:
        return ""
    accept(holder, offer=offer, proof=_proof(request))
    return "accepted"


def _pause(request: HttpRequest, holder: Holder) -> str:
    months = request.POST.get("months", "")
    if months not in map(str, MONTHS):
        return ""
    start_pause(holder, months=int(months))
    return "paused"


def _resume(request: HttpRequest, holder: Holder) -> str:
    end_pause(holder)
    return "resumed"


def _mail_link(request: HttpRequest, holder: Holder) -> str:
    """Send a fresh link to the address itself, so that only its owner gets it."""
    point = holder.contact_point
    often = is_throttled("link-mail", str(point.pk), limit=_LINK_MAILS, minutes=24 * 60)
    if point.kind == ContactPoint.Kind.EMAIL and not often:
        post_link(point, holder.customer_id, language=language_of(request))
    return "mailed"


ACTS: Mapping[str, Callable[[HttpRequest, Holder], str]] = {
    "stop": _stop,
    "withdraw": _withdraw,
    "accept": _accept,
    "pause": _pause,
    "resume": _resume,
    "mail-link": _mail_link,
}
_FOR_OLD_LINKS = (_stop, _mail_link)


def _receive(holder: Holder, typed: Mapping[str, str]) -> None:
    receive_request(
        Customer.objects.get(pk=holder.customer_id),
        kind=typed["kind"],
        message=typed["message"],
        contact_point=holder.contact_point,
    )


def _proof(request: HttpRequest) -> Evidence:
    return Evidence(
        kind=Evidence.Kind.PREFERENCES,
        confirmed_at=now(),
        confirmed_from=truncated(client_address(request)),
    )


def _masked(holder: Holder) -> str:
    return masked(holder.contact_point)
