"""What the tests of the persons' own doors share: a form, a preference centre, a mailbox."""

import re
from datetime import date
from typing import Any

from django.core import mail
from django.test import Client
from django.urls import reverse

from consent.evaluation import may_contact, offer_for
from consent.links import make_link
from consent.mails import send_due_mails
from consent.models import CollectionChoice, CollectionPoint, NoticeVersion, Purpose
from mdm import identity
from mdm.models import ContactPoint, SourceRecord

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
WORDS = "We write once a month. You can stop at any time."


def notice(code: str = "web-email", *, version: int = 1, language: str = "fr") -> NoticeVersion:
    """Publish a notice."""
    return NoticeVersion.objects.create(
        code=code,
        version=version,
        language=language,
        body=f"{WORDS} ({code} v{version} {language})",
        checkbox_label=f"I agree to {code}",
        valid_from=date(2026, 1, 1),
    )


def collection_point(
    code: str = "newsletter",
    *,
    method: str = "web",
    choices: tuple[tuple[str, str], ...] = (("marketing", "email"), ("marketing", "sms")),
    **traits: Any,
) -> CollectionPoint:
    """Create a collection point with a published notice for each of its boxes."""
    point = CollectionPoint.objects.create(
        code=code, method=method, title_fr="Nos offres", title_en="Our offers", **traits
    )
    for purpose, channel in choices:
        words = f"{code}-{purpose}-{channel}"
        CollectionChoice.objects.create(
            collection_point=point,
            purpose=Purpose.objects.get(code=purpose),
            channel=channel,
            notice_code=words,
        )
        notice(words)
    return point


def visitor(**headers: str) -> Client:
    """Return somebody without account or cookie, who reads English."""
    return Client(headers={"accept-language": "en", **headers})


def typed(point: CollectionPoint, *channels: str, email: str = "ada@example.com", **values: str):
    """Return what a person types into a form, with the boxes of these channels ticked."""
    boxes = {}
    for choice in point.choices.filter(channel__in=channels or ["email"]):
        shown = NoticeVersion.objects.filter(code=choice.notice_code).latest("version")
        boxes[f"choice-{choice.pk}"] = str(shown.pk)
    return {"email": email, **boxes, **values}


def sign_up(point: CollectionPoint, *channels: str, client: Client | None = None, **values: str):
    """Send the form as a browser does."""
    address = reverse("public:sign-up", args=[point.code])
    return (client or visitor()).post(address, typed(point, *channels, **values))


def mailed_token() -> str:
    """Have the waiting mails sent and return the token of the last one that asks to confirm."""
    send_due_mails()
    bodies = [str(message.body) for message in mail.outbox]
    return [found[1] for body in bodies if (found := re.search(r"/confirm/([^/\s]+)/", body))][-1]


def confirm(token: str, client: Client | None = None, act: str = "confirm"):
    """Click on the button of the confirmation page."""
    return (client or visitor()).post(reverse("public:confirm", args=[token]), {"act": act})


def link_of(record: SourceRecord, *, purpose_id: int = 0) -> str:
    """Return the link of a record's e-mail address."""
    point = ContactPoint.objects.get(kind="email", value=record.email.casefold())
    return make_link(point.pk, record.customer_id, purpose_id=purpose_id)


def unsubscribe(link: str, data: dict[str, str] | None = None, **headers: str):
    """Post to a link as a mail program does, or with other data."""
    return visitor(**headers).post(
        reverse("public:unsubscribe", args=[link]), ONE_CLICK if data is None else data
    )


def act(link: str, name: str, **values: object):
    """Press a button of the preference centre."""
    return visitor().post(
        reverse("public:preferences", args=[link]), {"act": name, **values}, follow=True
    )


def may_write_to(record: SourceRecord, *, channel: str = "email", code: str = "marketing") -> bool:
    """Tell whether the gate lets somebody write to her, or to whom she was merged into."""
    offer = offer_for(Purpose.objects.get(code=code))
    customer = identity.resolve(record.customer.public_id)
    return may_contact(customer, channel=channel, offer=offer).answer.allowed
