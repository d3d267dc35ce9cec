"""Mails to people: written down first, sent by a worker, sent again when the server was away.

The row is the truth and the broker only a bell, so neither a dead broker nor a dead mail server
loses a mail or holds up a click. Mails carry no advertising (CNIL), and no address in a link.
"""

import logging
from datetime import datetime, timedelta
from smtplib import SMTPException, SMTPRecipientsRefused
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import override

from consent.clients import fingerprint
from consent.links import make_link, preferences_url, unsubscribe_url
from consent.models import OptInRequest, OutgoingMail
from consent.tokens import issue_token
from mdm.models import ContactPoint

logger = logging.getLogger(__name__)

_CLAIM = timedelta(minutes=5)  # After this, a sender that died is replaced.
_GIVE_UP_AFTER = 12


def address_fingerprint(email: str) -> str:
    """Return the keyed fingerprint by which an address is recognised without being kept."""
    return fingerprint("address", email.casefold())


def post_confirmation(request: OptInRequest, *, at: datetime | None = None) -> None:
    """Write down a mail that asks to confirm, and ring for a worker once that is committed."""
    _post(OutgoingMail.Kind.CONFIRM, request.address_fingerprint, request.language, at, request)


def post_receipt(
    request: OptInRequest, point: ContactPoint, customer_id: int, *, at: datetime | None = None
) -> None:
    """Write down a receipt for the address that was confirmed."""
    about = {"contact_point": point, "customer_id": customer_id}
    kind = OutgoingMail.Kind.RECEIPT
    _post(kind, request.address_fingerprint, request.language, at, request, **about)


def post_link(point: ContactPoint, customer_id: int, *, language: str) -> None:
    """Write down a mail with a fresh link to the preference centre, for the address itself."""
    about = {"contact_point": point, "customer_id": customer_id}
    _post(OutgoingMail.Kind.LINK, address_fingerprint(point.value), language, None, None, **about)


def _post(
    kind: OutgoingMail.Kind,
    owner: str,
    language: str,
    at: datetime | None,
    request: OptInRequest | None,
    **about: Any,
) -> None:
    moment = at or now()
    OutgoingMail.objects.create(
        kind=kind,
        request=request,
        language=language,
        address_fingerprint=owner,
        created_at=moment,
        due_at=moment,
        **about,
    )
    transaction.on_commit(ring)


def ring() -> None:
    """Tell a worker that mails wait; the sweeper does so again for what nobody heard."""
    from consent.tasks import send_mails

    try:
        send_mails.apply_async(retry=False)
    except Exception as error:
        logger.warning("Broker unreachable for mails: %s", type(error).__name__)


def ring_if_due() -> None:
    """Ring when a mail waits for longer than it should."""
    late = now() - timedelta(seconds=settings.SWEEP_SECONDS)
    if OutgoingMail.objects.filter(due_at__lte=late).exists():
        ring()


def send_due_mails() -> int:
    """Send what is due, one after the other. Returns how many were sent."""
    sent = 0
    while mail := _claim():
        sent += _send(mail)
    return sent


def _claim() -> OutgoingMail | None:
    """Take the next mail for this process, by moving its due date where it still is."""
    for mail in OutgoingMail.objects.filter(due_at__lte=now()).order_by("due_at")[:20]:
        mine = OutgoingMail.objects.filter(pk=mail.pk, due_at=mail.due_at)
        if mine.update(due_at=now() + _CLAIM, attempt_count=mail.attempt_count + 1):
            return OutgoingMail.objects.select_related(
                "request__collection_point", "contact_point"
            ).get(pk=mail.pk)
    return None


def _send(mail: OutgoingMail) -> bool:
    own = OutgoingMail.objects.filter(pk=mail.pk)
    with override(mail.language):
        message = _message(mail)
    if message is None:  # Settled meanwhile: nothing is to be said any more.
        own.update(due_at=None)
        return False
    try:
        message.send()
    except SMTPRecipientsRefused:
        own.update(due_at=None)
        _note_undeliverable(mail)
    except (OSError, SMTPException) as error:
        logger.warning("Mail=%s not sent yet: %s", mail.pk, type(error).__name__)
        again = None if mail.attempt_count >= _GIVE_UP_AFTER else _later(mail.attempt_count)
        own.update(due_at=again)
    else:
        own.update(due_at=None, sent_at=now())
        return True
    return False


def _later(attempt_count: int) -> datetime:
    """Return when to try again: after one minute, two, four, at most every six hours."""
    return now() + min(timedelta(minutes=2 ** (attempt_count - 1)), timedelta(hours=6))


def _note_undeliverable(mail: OutgoingMail) -> None:
    asking = OptInRequest.objects.filter(mails=mail, state=OptInRequest.State.REQUESTED)
    asking.update(state=OptInRequest.State.UNDELIVERABLE, settled_at=now(), token_hash=None)


def _message(mail: OutgoingMail) -> EmailMultiAlternatives | None:
    if mail.kind == OutgoingMail.Kind.CONFIRM:
        return _confirmation(mail)
    if mail.contact_point is None or mail.customer_id is None:
        return None
    link = make_link(mail.contact_point_id or 0, mail.customer_id)
    values: dict[str, Any] = {"preferences_url": preferences_url(link)}
    if mail.kind == OutgoingMail.Kind.LINK:
        subject = _("Your preferences")
        return _written(mail.contact_point.display, subject, "link", values)
    request = mail.request
    if request is None:
        return None
    values |= {"choices": _choices(request), "request": request, "at": request.settled_at}
    message = _written(mail.contact_point.display, _("You are signed up"), "receipt", values)
    message.extra_headers |= {
        "List-Unsubscribe": f"<{unsubscribe_url(link)}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    return message


def _confirmation(mail: OutgoingMail) -> EmailMultiAlternatives | None:
    request = mail.request
    if request is None or request.state != OptInRequest.State.REQUESTED:
        return None
    # Made here and put nowhere but into the mail: the database knows its hash.
    token = issue_token(request)
    url = settings.PUBLIC_URL + reverse("public:confirm", args=[token])
    values = {"url": url, "choices": _choices(request), "request": request}
    return _written(request.email, _("Please confirm your sign-up"), "confirm", values)


def _choices(request: OptInRequest) -> list[Any]:
    return list(request.choices.select_related("purpose", "notice_version").order_by("pk"))


def _written(
    address: str, subject: str, template: str, values: dict[str, Any]
) -> EmailMultiAlternatives:
    values |= {"company": settings.COMPANY_NAME}
    text = render_to_string(f"consent/mail/{template}.txt", values)
    message = EmailMultiAlternatives(
        f"{subject} · {settings.COMPANY_NAME}",
        text,
        to=[address],
        headers={"Auto-Submitted": "auto-generated"},
    )
    message.attach_alternative(
        render_to_string(f"consent/mail/{template}.html", values), "text/html"
    )
    return message
