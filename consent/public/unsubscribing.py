"""One-click unsubscription (RFC 8058): a bare POST acts at once; a GET only shows the button."""

from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now

from consent.clients import client_address, truncated
from consent.links import LinkRefused, read_link
from consent.models import Channel, Evidence, Purpose
from consent.public.frame import page, public_page, refused_link
from consent.withdrawals import holder_of, withdraw


@public_page
def unsubscribe_page(request: HttpRequest, link: str) -> HttpResponse:
    """Stop the e-mails the link came with. Never counted, never delayed: it must always work."""
    try:
        known = read_link(link)
    except LinkRefused:
        return refused_link(request)
    holder = holder_of(known.contact_point_id, known.customer_id)
    if holder is None:
        return refused_link(request)
    purpose = Purpose.objects.filter(pk=known.purpose_id).first()
    if request.method != "POST":
        return page(request, "unsubscribe", {"purpose": purpose, "link": link})
    proof = Evidence(
        kind=Evidence.Kind.ONE_CLICK,
        confirmed_at=now(),
        confirmed_from=truncated(client_address(request)),
    )
    withdraw(holder, channel=Channel.EMAIL, purpose=purpose, proof=proof)
    return page(request, "unsubscribed", {"purpose": purpose, "link": link})
