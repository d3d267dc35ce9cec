"""The demo company's doors: a sign-up form, a preference centre, and people who came through them.

Everybody comes through the same services as real visitors, with a clock of the past; only their
mails are never sent.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from random import Random

from django.db import transaction
from django.utils.timezone import now

from consent.double_opt_in import SignUp, TickedBox, TokenRefused, confirm, sign_up
from consent.mails import address_fingerprint
from consent.models import (
    Channel,
    CollectionChoice,
    CollectionPoint,
    ConsentEvent,
    Evidence,
    NoticeVersion,
    OptInRequest,
    OutgoingMail,
    Purpose,
    RightsRequest,
)
from consent.notices import OfferedChoice, offered_choices
from consent.pauses import start_pause
from consent.phone_lines import is_mobile
from consent.rights import receive_request
from consent.tokens import issue_token
from consent.withdrawals import Holder, withdraw
from mdm.models import RecordContactPoint, SourceRecord

FORM = "newsletter"
_SINCE = date(2024, 1, 1)
_OLDEST_DAYS = 400
_TWO_YEARS = 730
_COMPANY = {
    "fr": "Responsable : la Maison Dorée (société de démonstration), 1 rue de l’Exemple, Nantes.",
    "en": "Controller: Maison Dorée (a demonstration company), 1 rue de l’Exemple, Nantes.",
}
_FREEDOM = {
    "fr": "Vous pouvez arrêter à tout moment, par le lien de chaque message.",
    "en": "You can stop at any time, by the link in each message.",
}
# Notice code → language → (label of the box, what it is about).
_NOTICES = {
    "offers-email": {
        "fr": ("J’accepte de recevoir vos offres par e-mail", "Au plus deux offres par mois."),
        "en": ("I agree to receive your offers by e-mail", "At most two offers a month."),
    },
    "news-email": {
        "fr": (
            "J’accepte de recevoir la lettre d’information",
            "Une lettre par mois.",
        ),
        "en": ("I agree to receive the newsletter", "One letter a month."),
    },
    "offers-sms": {
        "fr": ("J’accepte de recevoir vos offres par SMS", "Au plus un SMS par mois, en journée."),
        "en": ("I agree to receive your offers by text", "At most one text a month, by day."),
    },
    "offers-phone": {
        "fr": ("J’accepte d’être appelé pour vos offres", "Au plus un appel par trimestre."),
        "en": ("I agree to be called about your offers", "At most one call a quarter."),
    },
}
_BOXES = (
    ("marketing", Channel.EMAIL, "offers-email"),
    ("news", Channel.EMAIL, "news-email"),
    ("marketing", Channel.SMS, "offers-sms"),
    ("marketing", Channel.PHONE, "offers-phone"),
)
_QUESTIONS = (
    (RightsRequest.Kind.ACCESS, "Bonjour, quelles données avez-vous sur moi ? Merci."),
    (RightsRequest.Kind.RECTIFICATION, "J’ai déménagé en septembre, corrigez mon adresse svp."),
    (RightsRequest.Kind.ERASURE, "Je ne suis plus cliente, effacez mon compte."),
)


def open_doors(*, seed: int, people: int) -> int:
    """Create forms and notices, and let some customers through. Returns how many consented.

    Once: when the form is there, nothing is done.
    """
    if CollectionPoint.objects.filter(code=FORM).exists():
        return 0
    form = _create_forms()
    rng = Random(seed)  # noqa: S311 - invented people, nothing secret
    came = [
        address
        for place, record in enumerate(_visitors(rng, people))
        if _sign_up(rng, form, record, address := _typed(record, place), _asked_at(rng, place))
    ]
    _change_their_minds(came)
    _ask(came)
    return len(came)


def come_by_the_form(record: SourceRecord, *, at: datetime) -> bool:
    """Let the person of a record agree to offers by e-mail. Returns whether she could."""
    form = CollectionPoint.objects.get(code=FORM)
    rng = Random(record.pk)  # noqa: S311 - invented people, nothing secret
    return _sign_up(rng, form, record, record.email, at)


@transaction.atomic
def _create_forms() -> CollectionPoint:
    for code, languages in _NOTICES.items():
        for language, (label, about) in languages.items():
            NoticeVersion.objects.create(
                code=code,
                version=1,
                language=language,
                body=f"{about} {_FREEDOM[language]} {_COMPANY[language]}",
                checkbox_label=label,
                valid_from=_SINCE,
            )
    form = CollectionPoint.objects.create(
        code=FORM,
        method=CollectionPoint.Method.WEB,
        title_fr="Restons en contact",
        title_en="Stay in touch",
        intro_fr="Nos idées pour la maison et le jardin, par les canaux de votre choix.",
        intro_en="Our ideas for home and garden, by the channels you choose.",
    )
    centre = CollectionPoint.objects.create(
        code="preferences",
        method=CollectionPoint.Method.PREFERENCES,
        title_fr="Centre de préférences",
        title_en="Preference centre",
    )
    _add_boxes(form, _BOXES)
    _add_boxes(centre, _BOXES[:2])
    return form


def _add_boxes(point: CollectionPoint, boxes: Sequence[tuple[str, str, str]]) -> None:
    purposes = {purpose.code: purpose for purpose in Purpose.objects.all()}
    CollectionChoice.objects.bulk_create(
        CollectionChoice(
            collection_point=point,
            purpose=purposes[purpose],
            channel=channel,
            notice_code=notice,
            position=position,
        )
        for position, (purpose, channel, notice) in enumerate(boxes)
    )


def _visitors(rng: Random, people: int) -> list[SourceRecord]:
    """Return records that carry an address and a mobile number nobody else does."""
    numbers = RecordContactPoint.objects.filter(
        attribute="phone", contact_point__shared_by=1, record__status="active"
    )
    mobiles = [
        record for record, value in numbers.values_list("record_id", "contact_point__value")
        if is_mobile(value)
    ]  # fmt: skip
    found = SourceRecord.objects.filter(pk__in=mobiles).exclude(email="").order_by("pk")
    records = list(found)
    return rng.sample(records, min(people, len(records)))


def _typed(record: SourceRecord, place: int) -> str:
    """Return the address that somebody typed: every eighth has another one for such forms.

    They become records of the form, whom the next search may find again.
    """
    return f"lettres.{record.email}" if place % 8 == 3 else record.email


def _asked_at(rng: Random, place: int) -> datetime:
    """Return when somebody signed up: every seventh about two years ago, where texts run out."""
    first, last = (_TWO_YEARS - 60, _TWO_YEARS + 8) if place % 7 == 6 else (1, _OLDEST_DAYS)
    return now() - timedelta(days=rng.randrange(first, last), seconds=rng.randrange(86_400))


def _sign_up(
    rng: Random, form: CollectionPoint, record: SourceRecord, address: str, asked_at: datetime
) -> bool:
    """Let one person sign up and confirm some minutes later, in one step that no worker sees."""
    asked = SignUp(
        email=address,
        boxes=[
            _ticked(offer)
            for offer in _choose(rng, offered_choices(form, "fr"))
            if offer.choice.channel == Channel.EMAIL or is_mobile(record.phone)
        ],
        language="fr",
        given_name=record.given_name,
        family_name=record.family_name,
        phone=record.phone,
        origin="https://www.maison-doree.example",
        network="192.0.2.0",
    )
    try:
        return _confirm_later(rng, form, asked, asked_at)
    except TokenRefused:  # She refused since: the later word counts.
        return False


def _confirm_later(rng: Random, form: CollectionPoint, asked: SignUp, asked_at: datetime) -> bool:
    with transaction.atomic():
        sign_up(form, asked, at=asked_at)
        request = OptInRequest.objects.filter(
            address_fingerprint=address_fingerprint(asked.email),
            state=OptInRequest.State.REQUESTED,
        ).first()
        if request is None:
            return False
        confirmed_at = asked_at + timedelta(minutes=rng.randrange(1, 240))
        confirm(issue_token(request), network="192.0.2.0", at=confirmed_at)
        OutgoingMail.objects.filter(request=request).update(due_at=None, sent_at=confirmed_at)
    return True


def _choose(rng: Random, offered: Sequence[OfferedChoice]) -> Iterator[OfferedChoice]:
    rates = {"offers-email": 1.0, "news-email": 0.5, "offers-sms": 0.75, "offers-phone": 0.3}
    return (offer for offer in offered if rng.random() < rates[offer.choice.notice_code])


def _ticked(offer: OfferedChoice) -> TickedBox:
    return TickedBox(offer.choice.purpose, offer.choice.channel, offer.notice)


def _holder(address: str) -> Holder:
    event = ConsentEvent.objects.filter(
        type=ConsentEvent.Type.CONFIRMED, contact_point__value=address.casefold()
    ).latest("pk")
    assert event.contact_point is not None  # noqa: S101  (a consent names its contact point)
    return Holder(event.source_record, event.contact_point)


def _change_their_minds(came: Sequence[str]) -> None:
    """Let every ninth unsubscribe, and one take a pause."""
    for address in came[::9]:
        proof = Evidence(kind=Evidence.Kind.ONE_CLICK, confirmed_at=now())
        withdraw(_holder(address), channel=Channel.EMAIL, purpose=None, proof=proof)
    for address in came[1:2]:
        start_pause(_holder(address), months=3)


def _ask(came: Sequence[str]) -> None:
    """Let three ask the company something about their data."""
    for address, (kind, message) in zip(came[2:], _QUESTIONS, strict=False):
        holder = _holder(address)
        customer = holder.record.customer
        point = holder.contact_point
        receive_request(customer, kind=kind, message=message, contact_point=point)
