"""The proof pack as a PDF to print or send: verdict, timeline, notices as shown, seals."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.utils.formats import date_format, number_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from reportlab.lib.units import mm
from reportlab.platypus import (
    CondPageBreak,
    Flowable,
    KeepTogether,
    Spacer,
    Table,
    TableStyle,
)

from consent.models import ConflictResolution, NoticeVersion
from consent.paper import (
    ALLOWED,
    DIGEST,
    GOLD,
    HEAD,
    LINE,
    PAPER,
    QUIET,
    REFUSED,
    STRONG,
    TITLE,
    WIDTH,
    grid,
    moment_in_words,
    paragraph,
    printed,
)
from consent.presentation import MatrixRow, TimelineEntry
from consent.proof.pack import Pack, ProvedEvent, SealProof
from consent.proof.words import how_to_verify
from mdm.staff import staff_name


class _Bars(Flowable):
    """The evidence level as four bars."""

    def __init__(self, level: int) -> None:
        super().__init__()
        self.level, self.width, self.height = level, 24, 9

    def draw(self) -> None:
        """Fill the bars reached, outline the others."""
        self.canv.setStrokeColor(GOLD)
        self.canv.setFillColor(GOLD)
        for bar in range(4):
            self.canv.rect(bar * 6, 0, 4, 8, fill=int(bar < self.level), stroke=1)


def as_pdf(pack: Pack) -> bytes:
    """Return the pack as a PDF in the reader's language."""
    parts = (_cover, _verdict, _timeline, _decisions, _notices, _ledger)
    title = _("Proof pack %(number)s") % {"number": pack.uuid}
    return printed(
        lambda: (flowable for part in parts for flowable in part(pack)),
        title=title,
        number=str(pack.uuid),
    )


def _cover(pack: Pack) -> list[Flowable]:
    check = pack.last_check
    state = _("not verified yet")
    if check:
        intact = _("intact") if not check.fault else str(check.get_fault_display())
        state = f"{intact} ({moment_in_words(check.finished_at)})"
    facts = [
        (_("Person"), f"{pack.name} · {pack.customer.display_id}"),
        (_("Made"), moment_in_words(pack.made_at)),
        (_("By"), staff_name(pack.made_by)),
        (_("Number of this pack"), pack.uuid),
        (_("Events"), len(pack.events)),
        (_("Consent ledger"), state),
    ]
    rows = [[paragraph(label, QUIET), paragraph(value)] for label, value in facts]
    return [
        paragraph(settings.COMPANY_NAME, QUIET),
        paragraph(_("Proof of consent"), TITLE),
        Spacer(0, 6),
        grid(rows, [45 * mm, WIDTH - 45 * mm]),
    ]


def _verdict(pack: Pack) -> list[Flowable]:
    purposes = pack.matrix.purposes
    if not purposes:
        return []
    first = 42 * mm
    widths = [first, *[(WIDTH - first) / len(purposes)] * len(purposes)]
    head = [
        paragraph(_("Contact point"), QUIET),
        *[paragraph(purpose, QUIET) for purpose in purposes],
    ]
    rows = [head, *[_answers(row) for row in pack.matrix.rows]]
    return [
        paragraph(_("May this person be contacted?"), HEAD),
        grid(rows, widths, repeatRows=1),
        Spacer(0, 4),
        paragraph(
            _("Answers of %(moment)s under the rule set %(policy)s.")
            % {"moment": moment_in_words(pack.matrix.at), "policy": pack.matrix.policy},
            QUIET,
        ),
    ]


def _answers(row: MatrixRow) -> list[Any]:
    point = row.contact_point.display if row.contact_point else _("none known")
    cells: list[Any] = [[paragraph(row.channel_label, QUIET), paragraph(point)]]
    for cell in row.cells:
        allowed = pgettext("permission", "allowed")
        refused = pgettext("permission", "refused")
        verdict = (
            paragraph(allowed, ALLOWED) if cell.answer.allowed else paragraph(refused, REFUSED)
        )
        if cell.families:
            verdict = paragraph(_("only for") + " " + ", ".join(cell.families), STRONG)
        source = paragraph(f"{cell.shown.rule} · {cell.law}", QUIET)
        cells.append([verdict, paragraph(cell.shown.reason), source])
    return cells


def _timeline(pack: Pack) -> list[Flowable]:
    count = len(pack.events)
    words = ngettext(
        "%(count)s event, the oldest first", "%(count)s events, the oldest first", count
    )
    story: list[Flowable] = [
        paragraph(_("Everything that happened"), HEAD),
        paragraph(words % {"count": number_format(count)}, QUIET),
    ]
    for proved in pack.events:
        story.append(KeepTogether(_event(proved)))
    return story


def _event(proved: ProvedEvent) -> list[Flowable]:
    entry = proved.entry
    what = f"{str(entry.event.get_type_display()).capitalize()} · {entry.channel_label}"
    told = [
        paragraph(what, STRONG),
        paragraph(entry.scope_label),
        *[paragraph(x, QUIET) for x in _origin(entry)],
    ]
    told += _seal(proved.seal)
    when = [
        paragraph(moment_in_words(entry.at)),
        _Bars(entry.evidence.level),
        paragraph(entry.evidence.label, QUIET),
    ]
    return [grid([[when, told]], [42 * mm, WIDTH - 42 * mm])]


def _origin(entry: TimelineEntry) -> Iterable[str]:
    event = entry.event
    yield _("recorded on %(day)s") % {"day": moment_in_words(event.recorded_at)}
    if entry.is_of_another:
        yield _("another holder of this contact point")
        return
    yield f"{event.get_actor_type_display()} · {event.source_record.source}"
    if event.batch:
        yield _("file %(name)s, line %(line)s") % {
            "name": event.batch.file_name,
            "line": event.line or "–",
        }
    if event.notice_version:
        yield _("words shown: %(notice)s") % {"notice": event.notice_version}
    for proof in event.evidence.all():
        parts = [proof.get_kind_display(), proof.collection_point, proof.reference]
        parts += [proof.form_origin, proof.requested_from, proof.confirmed_from]
        yield " · ".join(str(part) for part in parts if part)
        if proof.file_sha256:
            yield f"SHA-256 {proof.file_sha256}"
    if entry.taken_back:
        yield _("counts as never given since %(day)s") % {
            "day": moment_in_words(entry.taken_back.recorded_at)
        }


def _seal(seal: SealProof | None) -> list[Flowable]:
    if seal is None:
        return [paragraph(_("not sealed yet"), DIGEST)]
    place = _("place %(place)s in the chain, block %(block)s") % {
        "place": seal.place,
        "block": seal.block,
    }
    lines = [
        place,
        _("salt %(value)s") % {"value": seal.salt or "–"},
        _("text %(value)s") % {"value": seal.event},
        _("digest %(value)s") % {"value": seal.digest},
        _("hash before %(value)s") % {"value": seal.previous},
        _("hash %(value)s") % {"value": seal.hash},
    ]
    if seal.proof:
        lines.insert(4, _("digest of the evidence %(value)s") % {"value": seal.proof})
    return [paragraph(line, DIGEST) for line in lines]


def _decisions(pack: Pack) -> list[Flowable]:
    if not pack.decisions:
        return []
    story: list[Flowable] = [
        CondPageBreak(40 * mm),
        paragraph(_("Decisions on contradictory consents"), HEAD),
    ]
    return [*story, *[KeepTogether([_decision(decided)]) for decided in pack.decisions]]


def _decision(decided: ConflictResolution) -> Flowable:
    about = [decided.get_channel_display(), decided.purpose, decided.contact_point]
    told = [
        paragraph(decided.get_verdict_display(), STRONG),
        paragraph(" · ".join(str(part) for part in about if part)),
        paragraph(decided.reason, QUIET),
        paragraph(decided.reference, QUIET),
    ]
    for event in decided.events.all():
        told.append(paragraph(f"{event.get_type_display()} · {event.source_record.source}", QUIET))
        told.append(paragraph(event.uuid, DIGEST))
    by = staff_name(decided.decided_by)
    return grid(
        [[[paragraph(moment_in_words(decided.decided_at)), paragraph(by, QUIET)], told]],
        [42 * mm, WIDTH - 42 * mm],
    )


def _notices(pack: Pack) -> list[Flowable]:
    if not pack.notices:
        return []
    heading = paragraph(_("The words as shown to the person"), HEAD)
    story: list[Flowable] = [CondPageBreak(50 * mm), heading]
    for notice in pack.notices:
        story += [_notice(notice), Spacer(0, 8)]
    return story


def _notice(notice: NoticeVersion) -> Flowable:
    shown: list[Flowable] = []
    if notice.checkbox_label:
        shown.append(paragraph(f"[  ] {notice.checkbox_label}", STRONG))
    shown += [paragraph(notice.body), Spacer(0, 4), paragraph(notice, QUIET)]
    shown.append(paragraph(f"SHA-256 {notice.sha256}", DIGEST))
    for picture in notice.pictures.all():
        words = _("Picture of the form, kept since %(day)s") % {
            "day": date_format(localtime(picture.added_at), "DATE_FORMAT")
        }
        shown += [paragraph(words, QUIET), paragraph(f"SHA-256 {picture.sha256}", DIGEST)]
    frame = TableStyle(
        [
            ("BOX", (0, 0), (-1, -1), 0.6, LINE),
            ("BACKGROUND", (0, 0), (-1, -1), PAPER),
            ("LEFTPADDING", (0, 0), (-1, -1), 10),
            ("RIGHTPADDING", (0, 0), (-1, -1), 10),
            ("TOPPADDING", (0, 0), (-1, -1), 8),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 8),
        ]
    )
    return Table([[shown]], colWidths=[WIDTH], style=frame)


def _ledger(pack: Pack) -> list[Flowable]:
    story: list[Flowable] = [CondPageBreak(60 * mm), paragraph(_("How to check this pack"), HEAD)]
    story += [paragraph(f"{number}. {step}") for number, step in enumerate(how_to_verify(), 1)]
    if pack.head:
        words = _("Head of the chain when this pack was made: block %(block)s")
        story += [Spacer(0, 6), paragraph(words % {"block": pack.head.number}, QUIET)]
        story.append(paragraph(bytes(pack.head.hash).hex(), DIGEST))
    story += [Spacer(0, 6), paragraph(_("Public key of the checkpoints (Ed25519)"), QUIET)]
    story.append(paragraph("".join(pack.public_key.splitlines()[1:-1]), DIGEST))
    return story
