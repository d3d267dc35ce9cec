"""The demo company's cases: what its staff did that gives the data protection officer work.

Merges by hand that bring a refusal and a later consent together, registers that were asked, a
broker's file whose proofs are being checked, and a policy pack under which texts run out.
Everything goes through the services that the pages use, by the demo's users.
"""

import io
import textwrap
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random

import reportlab
from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.utils.timezone import localdate, now
from PIL import Image, ImageDraw, ImageFont

from config import roles
from consent.demo import come_by_the_form
from consent.histories import foreseen_conflicts
from consent.ledger import RESTRICTIVE
from consent.models import (
    ALL_CHANNELS,
    Channel,
    ConsentEvent,
    NoticeVersion,
    PolicyVersion,
    SuppressionList,
)
from consent.notice_pictures import add_picture
from consent.offline import record_objection
from consent.policy_documents import document_of
from consent.policy_packs import FR_2026_11, PARIS
from consent.policy_versions import activate, open_draft, save_draft, sign, simulate
from consent.quarantine import draw_sample, note_proof
from consent.suppression import Asked, LeftOut, add_list, read_contacts
from matching import review
from matching.decisions import Verdict
from matching.foresight import preview_same
from matching.models import ReviewTask
from mdm import jobs
from mdm.demo.company import write_company
from mdm.models import ContactPoint, LoadBatch, SourceRecord, SourceSystem

BROKER = "leads"
TEXT_MONTHS = 24
_CONFLICTS = 2
_FONT = str(Path(reportlab.__file__).parent / "fonts" / "Vera.ttf")
_LEADS_ROWS = 120
_ANSWERS = (True, True, True, False, True)


@dataclass(frozen=True, slots=True)
class Staff:
    """The demo's users that act here."""

    steward: User
    officer: User
    administrator: User

    @classmethod
    def find(cls) -> "Staff | None":
        """Return them, named as their roles; None where the demo's logins were not made."""
        names = (roles.STEWARD, roles.DPO, roles.ADMINISTRATOR)
        users = {user.username: user for user in User.objects.filter(username__in=names)}
        try:
            return cls(*(users[name] for name in names))
        except KeyError:
            return None


def make_cases(folder: Path, *, seed: int) -> bool:
    """Let the staff act, once, and tell whether they did; not without the demo's logins."""
    staff = Staff.find()
    if staff is None or SourceSystem.objects.filter(code=BROKER).exists():
        return False
    # Named first: what was begun is not begun again.
    SourceSystem.objects.create(
        code=BROKER,
        label="Fichier loué",
        trust=20,
        broker="Contacts & Compagnie",
        broker_contract="CC-2026-118",
    )
    picture_the_form(staff.officer)
    merge_contradictions(staff.steward)
    ask_registers(staff.officer, seed=seed)
    let_texts_run_out(staff)
    check_a_broker(folder, seed, staff.officer)
    return True


def picture_the_form(officer: User) -> None:
    """Keep a picture of each box of the form; the one about calls was forgotten."""
    for notice in NoticeVersion.objects.exclude(code="offers-phone").order_by("pk"):
        add_picture(notice, ContentFile(_drawn(notice)), by=officer)


def _drawn(notice: NoticeVersion) -> bytes:
    """Draw the words of a notice beside an empty box, as PNG."""
    picture = Image.new("RGB", (760, 150), "#faf8f3")
    pen = ImageDraw.Draw(picture)
    pen.rectangle((24, 26, 46, 48), outline="#5c5340", width=2)
    words, small = (ImageFont.truetype(_FONT, size) for size in (19, 14))
    pen.text((60, 26), notice.checkbox_label, fill="#221f18", font=words)
    lines = textwrap.wrap(notice.body, 88)
    pen.multiline_text((60, 62), "\n".join(lines), fill="#5c5340", font=small, spacing=6)
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def merge_contradictions(steward: User) -> None:
    """Answer Same where one side told staff to stop and the other came by the form since.

    The pairs are those the search left to stewards; the last one stays in the queue, where its
    page announces what Same would open.
    """
    tasks = ReviewTask.objects.filter(state=ReviewTask.State.OPEN, kind=ReviewTask.Kind.PAIR)
    answered = 0
    for task in tasks.select_related("left__customer", "right__customer").order_by("-score", "pk"):
        agreeing = _who_may_agree(task)
        if agreeing is None or not _say_opposite_things(task, agreeing, steward):
            continue
        if answered == _CONFLICTS:
            return
        review.answer(task.pk, Verdict.SAME, by=steward)
        answered += 1


def _who_may_agree(task: ReviewTask) -> SourceRecord | None:
    """Return the side with a name and an address of its own that never refused e-mail."""
    one, other = task.left, task.right
    if one.email.casefold() == other.email.casefold():
        return None
    for side in (one, other):
        refused = ConsentEvent.objects.filter(
            source_record__customer=side.customer, type__in=RESTRICTIVE, channel__in=("email", "*")
        )
        if side.email and side.family_name and not refused.exists():
            return side
    return None


def _say_opposite_things(task: ReviewTask, agreeing: SourceRecord, steward: User) -> bool:
    """Let one side object by telephone and the other sign up; tell whether that contradicts."""
    refusing = task.left if agreeing == task.right else task.right
    moment = now()
    record_objection(refusing.customer, by=steward, at=moment - timedelta(days=41))
    if not come_by_the_form(agreeing, at=moment - timedelta(days=12)):
        return False
    outcome = preview_same(task.left_id, task.right_id)
    if outcome is None:
        return False
    return bool(foreseen_conflicts(dict.fromkeys(outcome.record_ids, outcome.customer_id)))


def ask_registers(officer: User, *, seed: int) -> None:
    """Bring a list of an old system, and the last answers of Bloctel and e-Robinson."""
    chance = Random(seed)  # noqa: S311 - invented people, nothing secret
    addresses = _some(chance, ContactPoint.Kind.EMAIL, 6)
    numbers = _some(chance, ContactPoint.Kind.PHONE, 9)
    today = localdate()
    last_call = date(2026, 8, 10)  # The day after which calls need consent, listed or not.
    registers = SuppressionList.Register
    for name, lines, channel, asked in (
        ("Ancien routeur, désinscrits", addresses[:4], Channel.EMAIL, None),
        ("Bloctel", numbers, ALL_CHANNELS, Asked(registers.BLOCTEL, last_call, "BT-2026-0810")),
        ("e-Robinson", addresses[4:], ALL_CHANNELS, Asked(registers.E_ROBINSON, today, "ER-118")),
    ):
        add_list(name, read_contacts(lines, LeftOut()), channel=channel, asked=asked, by=officer)


def _some(chance: Random, kind: str, count: int) -> list[str]:
    points = ContactPoint.objects.filter(kind=kind).order_by("pk")
    values = list(points.values_list("value", flat=True))
    return chance.sample(values, min(count, len(values)))


def let_texts_run_out(staff: Staff) -> PolicyVersion:
    """Draft a pack under which consents to texts are good for two years; two people enact it."""
    draft = open_draft(by=staff.officer)
    validity = [{"channel": Channel.SMS.value, "purpose": "*", "months": TEXT_MONTHS}]
    draft = save_draft(
        draft,
        {**document_of(FR_2026_11), "consent_validity": validity},
        valid_from=localdate(timezone=PARIS),
        note="Accord de la direction : les SMS se redemandent tous les deux ans.",
        by=staff.officer,
    )
    jobs.run_now(simulate(draft, by=staff.officer))
    draft.refresh_from_db()
    return activate(sign(draft, by=staff.officer), by=staff.administrator)


def check_a_broker(folder: Path, seed: int, officer: User) -> LoadBatch:
    """Load addresses that were rented, draw the sample, and note the first answers."""
    files = write_company(folder / BROKER, rows=_LEADS_ROWS, seed=seed + 1)
    file = files.newsletter.rename(folder / "contacts-loues.csv")
    mapping = settings.BASE_DIR / "mdm" / "mappings" / "demo-newsletter.toml"
    call_command("load", str(file), source=BROKER, mapping=str(mapping))
    batch = LoadBatch.objects.filter(source__code=BROKER).latest("pk")
    claims = draw_sample(batch, by=officer).claims.order_by("event__line", "pk")
    for claim, is_proved in zip(claims, _ANSWERS, strict=False):
        reference = f"Contacts & Compagnie, pièce {claim.event.line}" if is_proved else ""
        note_proof(claim, is_proved=is_proved, reference=reference, by=officer)
    return batch
