"""The proof pack as a PDF to print or send: verdict, timeline, notices as shown, seals.

Fonts are embedded (Bitstream Vera, which comes with reportlab); a letter they lack is written in
Latin letters instead.
"""

import io
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import reportlab
from anyascii import anyascii
from django.conf import settings
from django.utils.formats import date_format, number_format
from django.utils.timezone import localtime
from django.utils.translation import get_language, ngettext, pgettext
from django.utils.translation import gettext as _
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import (
    CondPageBreak,
    Flowable,
    KeepTogether,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
    TableStyle,
)

from consent.models import ConflictResolution, NoticeVersion
from consent.presentation import MatrixRow, TimelineEntry
from consent.proof.pack import Pack, ProvedEvent, SealProof
from consent.proof.words import how_to_verify
from mdm.staff import staff_name

_INK, _SOFT, _LINE = HexColor("#22201c"), HexColor("#6b655b"), HexColor("#d9d3c7")
_YES, _NO, _GOLD = HexColor("#1f6b3a"), HexColor("#a32a22"), HexColor("#7d5c14")
_PAPER = HexColor("#faf7f0")
_MARGIN = 18 * mm
_WIDTH = A4[0] - 2 * _MARGIN
_SANS, _BOLD = "Vera", "VeraBd"

_TEXT = ParagraphStyle("text", fontName=_SANS, fontSize=8.5, leading=12, textColor=_INK)
_QUIET = ParagraphStyle("quiet", _TEXT, fontSize=7.5, leading=10.5, textColor=_SOFT)
_STRONG = ParagraphStyle("strong", _TEXT, fontName=_BOLD)
_DIGEST = ParagraphStyle("digest", _QUIET, fontSize=6.5, leading=9, wordWrap="CJK")
_TITLE = ParagraphStyle("title", _TEXT, fontName=_BOLD, fontSize=20, leading=25)
_HEAD = ParagraphStyle(
    "head", _TEXT, fontName=_BOLD, fontSize=12, leading=16, spaceBefore=12, spaceAfter=6,
    textColor=_GOLD,
)  # fmt: skip
_ALLOWED = ParagraphStyle("allowed", _STRONG, textColor=_YES)
_REFUSED = ParagraphStyle("refused", _STRONG, textColor=_NO)
_GRID = TableStyle(
    [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, _LINE),
        ("LEFTPADDING", (0, 0), (-1, -1), 4),
        ("RIGHTPADDING", (0, 0), (-1, -1), 4),
        ("TOPPADDING", (0, 0), (-1, -1), 4),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 4),
    ]
)


class _Bars(Flowable):
    """The evidence level as four bars."""

    def __init__(self, level: int) -> None:
        super().__init__()
        self.level, self.width, self.height = level, 24, 9

    def draw(self) -> None:
        """Fill the bars reached, outline the others."""
        self.canv.setStrokeColor(_GOLD)
        self.canv.setFillColor(_GOLD)
        for bar in range(4):
            self.canv.rect(bar * 6, 0, 4, 8, fill=int(bar < self.level), stroke=1)


def as_pdf(pack: Pack) -> bytes:
    """Return the pack as a PDF in the reader's language."""
    _register_fonts()
    file = io.BytesIO()
    document = SimpleDocTemplate(
        file,
        pagesize=A4,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=20 * mm,
        title=_("Proof pack %(number)s") % {"number": pack.uuid},
        author=settings.COMPANY_NAME,
        lang=get_language(),
    )
    parts = (_cover, _verdict, _timeline, _decisions, _notices, _ledger)
    story = [flowable for part in parts for flowable in part(pack)]

    def frame(canvas: Any, page: Any) -> None:
        canvas.setFont(_SANS, 7)
        canvas.setFillColor(_SOFT)
        canvas.drawString(_MARGIN, 12 * mm, f"{_plain(settings.COMPANY_NAME)} · {pack.uuid}")
        canvas.drawRightString(A4[0] - _MARGIN, 12 * mm, str(canvas.getPageNumber()))

    document.build(story, onFirstPage=frame, onLaterPages=frame)
    return file.getvalue()


@cache
def _register_fonts() -> None:
    folder = Path(reportlab.__file__).parent / "fonts"
    for name in (_SANS, _BOLD):
        pdfmetrics.registerFont(TTFont(name, str(folder / f"{name}.ttf")))


def _plain(text: object) -> str:
    """Write letters that the font lacks in Latin ones."""
    known = pdfmetrics.getFont(_SANS).face.charToGlyph
    return "".join(
        letter if ord(letter) in known or letter == "\n" else anyascii(letter)
        for letter in str(text)
    )


def _p(text: object, style: ParagraphStyle = _TEXT) -> Paragraph:
    return Paragraph(escape(_plain(text)).replace("\n", "<br/>"), style)


def _moment(moment: Any) -> str:
    return date_format(localtime(moment), "DATETIME_FORMAT")


def _table(rows: Sequence[Sequence[Any]], widths: Sequence[float], **options: Any) -> Table:
    return Table(rows, colWidths=list(widths), style=_GRID, hAlign="LEFT", **options)


def _cover(pack: Pack) -> list[Flowable]:
    check = pack.last_check
    state = _("not verified yet")
    if check:
        intact = _("intact") if not check.fault else str(check.get_fault_display())
        state = f"{intact} ({_moment(check.finished_at)})"
    facts = [
        (_("Person"), f"{pack.name} · {pack.customer.display_id}"),
        (_("Made"), _moment(pack.made_at)),
        (_("By"), staff_name(pack.made_by)),
        (_("Number of this pack"), pack.uuid),
        (_("Events"), len(pack.events)),
        (_("Consent ledger"), state),
    ]
    rows = [[_p(label, _QUIET), _p(value)] for label, value in facts]
    return [
        _p(settings.COMPANY_NAME, _QUIET),
        _p(_("Proof of consent"), _TITLE),
        Spacer(0, 6),
        _table(rows, [45 * mm, _WIDTH - 45 * mm]),
    ]


def _verdict(pack: Pack) -> list[Flowable]:
    purposes = pack.matrix.purposes
    if not purposes:
        return []
    first = 42 * mm
    widths = [first, *[(_WIDTH - first) / len(purposes)] * len(purposes)]
    head = [_p(_("Contact point"), _QUIET), *[_p(purpose, _QUIET) for purpose in purposes]]
    rows = [head, *[_answers(row) for row in pack.matrix.rows]]
    return [
        _p(_("May this person be contacted?"), _HEAD),
        _table(rows, widths, repeatRows=1),
        Spacer(0, 4),
        _p(
            _("Answers of %(moment)s under the rule set %(policy)s.")
            % {"moment": _moment(pack.matrix.at), "policy": pack.matrix.policy},
            _QUIET,
        ),
    ]


def _answers(row: MatrixRow) -> list[Any]:
    point = row.contact_point.display if row.contact_point else _("none known")
    cells: list[Any] = [[_p(row.channel_label, _QUIET), _p(point)]]
    for cell in row.cells:
        allowed = pgettext("permission", "allowed")
        refused = pgettext("permission", "refused")
        verdict = _p(allowed, _ALLOWED) if cell.answer.allowed else _p(refused, _REFUSED)
        if cell.families:
            verdict = _p(_("only for") + " " + ", ".join(cell.families), _STRONG)
        source = _p(f"{cell.shown.rule} · {cell.law}", _QUIET)
        cells.append([verdict, _p(cell.shown.reason), source])
    return cells


def _timeline(pack: Pack) -> list[Flowable]:
    count = len(pack.events)
    words = ngettext(
        "%(count)s event, the oldest first", "%(count)s events, the oldest first", count
    )
    story: list[Flowable] = [
        _p(_("Everything that happened"), _HEAD),
        _p(words % {"count": number_format(count)}, _QUIET),
    ]
    for proved in pack.events:
        story.append(KeepTogether(_event(proved)))
    return story


def _event(proved: ProvedEvent) -> list[Flowable]:
    entry = proved.entry
    what = f"{str(entry.event.get_type_display()).capitalize()} · {entry.channel_label}"
    told = [_p(what, _STRONG), _p(entry.scope_label), *[_p(x, _QUIET) for x in _origin(entry)]]
    told += _seal(proved.seal)
    when = [_p(_moment(entry.at)), _Bars(entry.evidence.level), _p(entry.evidence.label, _QUIET)]
    return [_table([[when, told]], [42 * mm, _WIDTH - 42 * mm])]


def _origin(entry: TimelineEntry) -> Iterable[str]:
    event = entry.event
    yield _("recorded on %(day)s") % {"day": _moment(event.recorded_at)}
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
            "day": _moment(entry.taken_back.recorded_at)
        }


def _seal(seal: SealProof | None) -> list[Flowable]:
    if seal is None:
        return [_p(_("not sealed yet"), _DIGEST)]
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
    return [_p(line, _DIGEST) for line in lines]


def _decisions(pack: Pack) -> list[Flowable]:
    if not pack.decisions:
        return []
    story: list[Flowable] = [
        CondPageBreak(40 * mm),
        _p(_("Decisions on contradictory consents"), _HEAD),
    ]
    return [*story, *[KeepTogether([_decision(decided)]) for decided in pack.decisions]]


def _decision(decided: ConflictResolution) -> Flowable:
    about = [decided.get_channel_display(), decided.purpose, decided.contact_point]
    told = [
        _p(decided.get_verdict_display(), _STRONG),
        _p(" · ".join(str(part) for part in about if part)),
        _p(decided.reason, _QUIET),
        _p(decided.reference, _QUIET),
    ]
    for event in decided.events.all():
        told.append(_p(f"{event.get_type_display()} · {event.source_record.source}", _QUIET))
        told.append(_p(event.uuid, _DIGEST))
    by = staff_name(decided.decided_by)
    return _table(
        [[[_p(_moment(decided.decided_at)), _p(by, _QUIET)], told]], [42 * mm, _WIDTH - 42 * mm]
    )


def _notices(pack: Pack) -> list[Flowable]:
    if not pack.notices:
        return []
    heading = _p(_("The words as shown to the person"), _HEAD)
    story: list[Flowable] = [CondPageBreak(50 * mm), heading]
    for notice in pack.notices:
        story += [_notice(notice), Spacer(0, 8)]
    return story


def _notice(notice: NoticeVersion) -> Flowable:
    shown: list[Flowable] = []
    if notice.checkbox_label:
        shown.append(_p(f"[  ] {notice.checkbox_label}", _STRONG))
    shown += [_p(notice.body), Spacer(0, 4), _p(notice, _QUIET)]
    shown.append(_p(f"SHA-256 {notice.sha256}", _DIGEST))
    for picture in notice.pictures.all():
        words = _("Picture of the form, kept since %(day)s") % {
            "day": date_format(localtime(picture.added_at), "DATE_FORMAT")
        }
        shown += [_p(words, _QUIET), _p(f"SHA-256 {picture.sha256}", _DIGEST)]
    frame = TableStyle(
        [
            ("BOX", (0, 0), (-1, -1), 0.6, _LINE),
            ("BACKGROUND", (0, 0), (-1, -1), _PAPER),
            ("LEFTPADDING", (0, 0), (-1, -1), 10),
            ("RIGHTPADDING", (0, 0), (-1, -1), 10),
            ("TOPPADDING", (0, 0), (-1, -1), 8),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 8),
        ]
    )
    return Table([[shown]], colWidths=[_WIDTH], style=frame)


def _ledger(pack: Pack) -> list[Flowable]:
    story: list[Flowable] = [CondPageBreak(60 * mm), _p(_("How to check this pack"), _HEAD)]
    story += [_p(f"{number}. {step}") for number, step in enumerate(how_to_verify(), 1)]
    if pack.head:
        words = _("Head of the chain when this pack was made: block %(block)s")
        story += [Spacer(0, 6), _p(words % {"block": pack.head.number}, _QUIET)]
        story.append(_p(bytes(pack.head.hash).hex(), _DIGEST))
    story += [Spacer(0, 6), _p(_("Public key of the checkpoints (Ed25519)"), _QUIET)]
    story.append(_p("".join(pack.public_key.splitlines()[1:-1]), _DIGEST))
    return story
