"""The summary of an access pack as a PDF, in the person's language: what GDPR 15(1) asks for.

It says in words what the tables say in full, and names the table.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.formats import date_format, number_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from reportlab.lib.units import mm
from reportlab.platypus import CondPageBreak, Flowable, Spacer

from config.access.making import Told
from config.access.words import left_of_erased
from consent.models import AccessPack, Channel, ConsentEvent, Purpose
from consent.paper import HEAD, QUIET, STRONG, TITLE, WIDTH, grid, paragraph, printed
from consent.policies import pack_at
from consent.presentation import BASIS_LABELS, channel_label
from mdm.lineage import label_of
from mdm.models import PersonValues, SourceRecord
from mdm.survivorship import ADDRESS, GROUPS

_FIRST = 45 * mm
_Row = Mapping[str, Any]


def as_pdf(row: AccessPack, told: Told) -> bytes:
    """Return the summary in the language that is active."""
    parts = (
        _who_we_are, _left_of_her, _sources, _values, _purposes, _permissions, _history,
        _recipients, _retention, _machine, _rights, _others, _contents,
    )  # fmt: skip

    def story() -> Iterator[Flowable]:
        for part in parts:
            yield from part(row, told)

    title = _("Access pack %(number)s") % {"number": row.uuid}
    return printed(story, title=title, number=str(row.uuid))


def _who_we_are(row: AccessPack, told: Told) -> Iterator[Flowable]:
    yield paragraph(settings.COMPANY_NAME, QUIET)
    yield paragraph(_("Your personal data"), TITLE)
    yield Spacer(0, 6)
    ids = ", ".join(issued.display_id for issued in told.subject.ids)
    yield _facts(
        [
            (_("Controller"), settings.COMPANY_NAME),
            (_("Your customer number"), ids),
            (_("Made on"), _moment(row.made_at)),
            (_("Number of this pack"), row.uuid),
        ]
    )
    yield Spacer(0, 6)
    yield paragraph(
        _(
            "You asked what we hold about you (GDPR 15). This summary says it in words; the file "
            "data.json and the tables (CSV) hold every value. What you provided yourself stands "
            "in provided.json and provided.csv, for you to take along (GDPR 20)."
        )
    )


def _left_of_her(row: AccessPack, told: Told) -> Iterator[Flowable]:
    if not told.subject.is_erased:
        return
    yield from _head(_("You were erased: what is left, and why"))
    for words in left_of_erased():
        yield paragraph(f"• {words}")


def _sources(row: AccessPack, told: Told) -> Iterator[Flowable]:
    yield from _head(_("Where the data come from, and since when"))
    first: dict[tuple[str, str], str] = {}
    for version in told.by_name["source_record_versions"]:
        first.setdefault((version["source"], version["source_key"]), version["recorded_at"])
    statuses = dict(SourceRecord.Status.choices)
    lines = []
    for record in told.by_name["source_records"]:
        since = first.get((record["source"], record["source_key"]))
        origin = record["source"]
        if record["broker"]:
            origin += " · " + _("bought or rented from %(broker)s") % {"broker": record["broker"]}
        lines.append(
            (
                origin,
                record["source_key"],
                _day(record["created_in_source"]),
                _day(since),
                statuses[record["status"]],
            )
        )
    header = (_("Source"), _("Number there"), _("Known there since"), _("Here since"), _("State"))
    yield _table(header, lines)


def _values(row: AccessPack, told: Told) -> Iterator[Flowable]:
    yield from _head(_("Who you are to us"))
    group_of = {name: group for group, names in GROUPS.items() for name in names}
    said: dict[str, list[_Row]] = {}
    for value in told.by_name["golden_record"]:
        said.setdefault(group_of[value["attribute"]], []).append(value)
    lines = [
        (
            label_of(group).capitalize(),
            (", " if group == ADDRESS else " ").join(map(_value, values)),
            values[0]["source"] or _("chosen by staff"),
        )
        for group in GROUPS
        if (values := said.get(group))
    ]
    yield _table((_("What"), _("Value"), _("From")), lines)


def _value(told: _Row) -> str:
    choices = {"civility": PersonValues.Civility, "sex": PersonValues.Sex}
    if told["attribute"] == "birth_date":
        return _day(told["value"])
    words = choices.get(told["attribute"])
    return str(words(told["value"]).label if words else told["value"])


def _purposes(row: AccessPack, told: Told) -> Iterator[Flowable]:
    yield from _head(_("What we use them for, and on what legal basis"))
    yield paragraph(
        _(
            "Keeping one customer file right and up to date, out of what our systems know: our "
            "legitimate interest (GDPR 6(1)(f)). Sales and contracts: the contract and the law on "
            "accounts (GDPR 6(1)(b) and (c)). Proof of consents and objections, and answers to "
            "requests: legal duty (GDPR 6(1)(c), 7(1)). Prospecting: only what the answers below "
            "allow, each on the basis named there. The purposes of prospecting are:"
        )
    )
    purposes = Purpose.objects.filter(is_active=True)
    for purpose in purposes.exclude(nature=Purpose.Nature.SERVICE):
        yield paragraph(f"• {purpose} ({purpose.get_nature_display()})")


def _permissions(row: AccessPack, told: Told) -> Iterator[Flowable]:
    answers = told.by_name["permissions"]
    if not answers:
        return
    yield from _head(_("May we contact you?"))
    purposes = {purpose.code: str(purpose) for purpose in Purpose.objects.all()}
    lines = []
    for answer in answers:
        where = [Channel(answer["channel"]).label, answer["contact_point"]]
        basis = BASIS_LABELS.get(answer["legal_basis"], "")
        why = [answer["why"], basis, answer["law"]]
        if answer["product_families"]:
            why.insert(0, _("only for") + " " + ", ".join(answer["product_families"]))
        lines.append(
            (
                " · ".join(str(part) for part in where if part),
                purposes[answer["purpose"]],
                _allowed(answer["allowed"]),
                " · ".join(str(part) for part in why if part),
            )
        )
    yield _table((_("Where"), _("For"), "", _("Why")), lines, (38, 32, 20))


def _allowed(state: str) -> str:
    return {"yes": _("yes"), "partly": _("in part")}.get(state, _("no"))


def _history(row: AccessPack, told: Told) -> Iterator[Flowable]:
    events = told.by_name["consent_events"]
    yield from _head(_("Your consents, refusals and objections"))
    if not events:
        yield paragraph(_("None is on record."))
        return
    purposes = {purpose.code: str(purpose) for purpose in Purpose.objects.all()}
    kinds, actors = dict(ConsentEvent.Type.choices), dict(ConsentEvent.ActorType.choices)
    lines = []
    for event in events:
        about = [
            channel_label(event["channel"]),
            purposes.get(event["purpose"], _("all prospecting")),
            event["contact_point"],
        ]
        origin = [actors[event["by"]], event["source"], event["notice"]]
        lines.append(
            (
                _day(event["occurred_at"]) or _("unknown date"),
                str(kinds[event["event"]]).capitalize(),
                " · ".join(str(part) for part in about if part),
                " · ".join(str(part) for part in origin if part),
            )
        )
    yield _table((_("When"), _("What"), _("About"), _("Told by")), lines)


def _recipients(row: AccessPack, told: Told) -> Iterator[Flowable]:
    yield from _head(_("Who received them"))
    yield paragraph(
        _(
            "Our staff, each as far as their work needs it: when your file was opened stands in "
            "tables/accesses.csv. Contact data leave only as a file that somebody downloads from "
            "a target list; who is no longer permitted at that moment is not in the file."
        )
    )
    downloads: dict[int, list[_Row]] = {}
    for download in told.by_name["downloads"]:
        downloads.setdefault(download["list"], []).append(download)
    lines = []
    for one in told.by_name["target_lists"]:
        taken = [
            f"{_instant(d['at'])} · {d['by']} · {d['reason']}"
            for d in downloads.get(one["list"], [])
        ]
        about = [Channel(one["channel"]).label, one["contact_point"], _day(one["frozen_at"])]
        lines.append(
            (
                one["campaign"],
                " · ".join(str(part) for part in about if part),
                "\n".join(taken) or _("never downloaded"),
            )
        )
    if lines:
        yield paragraph(_("You were on these lists:"), STRONG)
        yield _table((_("Campaign"), _("List"), _("Downloaded")), lines)
    else:
        yield paragraph(_("You were on no list."), STRONG)


def _retention(row: AccessPack, told: Told) -> Iterator[Flowable]:
    years = pack_at(row.made_at).inactive_after_years
    yield from _head(_("How long we keep them"))
    words = [
        ngettext(
            "For prospecting: %(years)d year after your last contact with us; then we no longer "
            "write to you.",
            "For prospecting: %(years)d years after your last contact with us; then we no longer "
            "write to you.",
            years,
        )
        % {"years": years},
        _("Sales and contracts: as long as the law on accounts says."),
        _(
            "Consents and objections: as long as they count, and as long as they may have to be "
            "proved; objections stay on record, so that they are kept to."
        ),
        _("Everything else: as long as you are a customer, or until you ask for erasure."),
    ]
    for text in words:
        yield paragraph(f"• {text}")


def _machine(row: AccessPack, told: Told) -> Iterator[Flowable]:
    yield from _head(_("What machines decide"))
    linked = sum(record["link_rule"] == "auto" for record in told.by_name["source_records"])
    yield paragraph(
        _(
            "A program compares records of our systems by name, birth date, address and contact "
            "points, and joins those that are surely one person; where it is not sure, staff "
            "decide. It decides nothing else about you."
        )
    )
    words = ngettext(
        "%(count)d of your records was joined so; its score stands in tables/source_records.csv.",
        "%(count)d of your records were joined so; their scores stand in "
        "tables/source_records.csv.",
        linked,
    )
    yield paragraph(words % {"count": linked})


def _rights(row: AccessPack, told: Told) -> Iterator[Flowable]:
    yield from _head(_("Your rights"))
    yield paragraph(
        _(
            "You may have your data corrected (GDPR 16) or erased (17), have their use limited "
            "(18), take along what you provided (20), object to any prospecting at any time, "
            "without a reason (21), and withdraw a consent as easily as you gave it (7(3)). "
            "Answer the message this pack came with, or use the link to your preferences in any "
            "of our mails."
        )
    )
    yield paragraph(
        _(
            "You may complain to the supervisory authority: in France the CNIL, 3 place de "
            "Fontenoy, TSA 80715, 75334 Paris Cedex 07, www.cnil.fr."
        )
    )


def _others(row: AccessPack, told: Told) -> Iterator[Flowable]:
    if not told.left_out:
        return
    kinds = ("point", "relation", "record", "document", "note")
    count_of = {kind: told.left_out.get(kind, 0) for kind in kinds}
    yield from _head(_("What was left out, as it concerns other people too"))
    words = {
        "point": ngettext(
            "%(count)d contact point that other customers carry too",
            "%(count)d contact points that other customers carry too",
            count_of["point"],
        ),
        "relation": ngettext(
            "%(count)d note on how you belong together with somebody",
            "%(count)d notes on how you belong together with somebody",
            count_of["relation"],
        ),
        "record": ngettext(
            "%(count)d record that was taken for yours and is somebody else's",
            "%(count)d records that were taken for yours and are somebody else's",
            count_of["record"],
        ),
        "document": ngettext(
            "%(count)d document of evidence that shows somebody else too",
            "%(count)d documents of evidence that show somebody else too",
            count_of["document"],
        ),
        "note": ngettext(
            "%(count)d note of our staff that names somebody else",
            "%(count)d notes of our staff that name somebody else",
            count_of["note"],
        ),
    }
    for kind, text in words.items():
        if count := count_of[kind]:
            yield paragraph("• " + text % {"count": count})
    yield paragraph(
        _(
            "The right to a copy must not harm the rights of others (GDPR 15(4)). If one of them "
            "is yours alone, tell us."
        ),
        QUIET,
    )


def _contents(row: AccessPack, told: Told) -> Iterator[Flowable]:
    yield from _head(_("What the tables hold"))
    lines = [
        (f"tables/{table.name}.csv", table.table.title, number_format(len(table.rows)))
        for table in told.tables
    ]
    lines += [(document.file_name, document.words, "") for document in told.subject.told_documents]
    yield _table((_("File"), _("What"), _("Lines")), lines, (70, 80))


def _head(text: str) -> Iterator[Flowable]:
    yield CondPageBreak(30 * mm)
    yield paragraph(text, HEAD)


def _facts(facts: Iterable[tuple[str, object]]) -> Flowable:
    rows = [[paragraph(label, QUIET), paragraph(value)] for label, value in facts]
    return grid(rows, [_FIRST, WIDTH - _FIRST])


def _table(
    header: Sequence[object], lines: Iterable[Sequence[object]], widths: Sequence[int] = ()
) -> Flowable:
    """Return a table; `widths` of the first columns are millimetres, the others share the rest."""
    first = [width * mm for width in widths]
    rest = len(header) - len(first)
    columns = [*first, *[(WIDTH - sum(first)) / rest] * rest]
    rows = [[paragraph(name, QUIET) for name in header]]
    rows += [[paragraph(cell) for cell in line] for line in lines]
    return grid(rows, columns, repeatRows=1)


def _moment(moment: datetime) -> str:
    return date_format(localtime(moment), "DATETIME_FORMAT")


def _instant(text: str) -> str:
    moment = parse_datetime(text)
    return date_format(localtime(moment), "SHORT_DATETIME_FORMAT") if moment else ""


def _day(text: str | None) -> str:
    """Return the day of an instant or date as the tables have it; nothing where unknown."""
    if not text:
        return ""
    if "T" in text and (moment := parse_datetime(text)):
        return date_format(localtime(moment), "SHORT_DATE_FORMAT")
    day = parse_date(text)
    return date_format(day, "SHORT_DATE_FORMAT") if day else ""
