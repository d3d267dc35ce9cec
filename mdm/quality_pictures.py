"""The figures of data quality, ready to draw: tiles, the heat table, the worst issues, the trend.

Nothing here reads records: everything comes from the counted figures and from the load batches.
Lengths are percentages as SVG attributes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import F, Window
from django.db.models.functions import RowNumber
from django.urls import reverse

from mdm import attribute_words
from mdm.models import ATTRIBUTES, LoadBatch, SourceQuality, SourceSystem
from mdm.standardise.issues import ISSUES, is_doubtful

TREND_LENGTH = 20
# How much an error weighs beside a warning when the worst issues are put in order.
_ERROR_WEIGHT = 3
# From which share of the records on an attribute is said to be full: the steps of the heat table.
_STEPS = (0.25, 0.5, 0.75, 0.95)
# From which share of doubtful records on a cell is marked, gently and loudly.
_SOME, _MANY = 0.01, 0.1
# A trend of a few in a thousand is not drawn as tall as one of half the rows.
_LOWEST_TOP = 0.05
_LEAST_BAR = 0.015


@dataclass(frozen=True, slots=True)
class Tile:
    """One source: how many of its records are doubtful, and the length of that bar."""

    figures: SourceQuality
    width: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One attribute of one source: how many records have it, how many of them are doubtful."""

    record_count: int
    filled_count: int
    different_count: int
    doubtful_count: int
    url: str
    is_counted: bool = True
    """False for what is split, or kept elsewhere: only its doubts are counted."""

    @property
    def step(self) -> int:
        """Return how dark the cell is: 0 for never given, then 1 to 5."""
        share = _share(self.filled_count, self.record_count)
        return 1 + sum(share >= step for step in _STEPS) if self.filled_count else 0

    @property
    def tone(self) -> str:
        """Return the tone of the doubts: none, `close` or `conflict`."""
        share = _share(self.doubtful_count, self.record_count)
        return "conflict" if share >= _MANY else "close" if share >= _SOME else ""

    @property
    def is_silent(self) -> bool:
        """True when the source says nothing about the attribute, not even something doubtful."""
        return not self.filled_count and not self.doubtful_count


@dataclass(frozen=True, slots=True)
class HeatRow:
    """One attribute across the sources, in their order."""

    label: str
    cells: list[Cell]


@dataclass(frozen=True, slots=True)
class IssueRow:
    """One issue of one attribute of one source, and the records that have it."""

    source: SourceSystem
    attribute: str
    code: str
    record_count: int
    whole: int
    url: str

    @property
    def attribute_label(self) -> str:
        """Return the name of the attribute."""
        return attribute_words.label(self.attribute)

    @property
    def sentence(self) -> str:
        """Return what is wrong, in words."""
        return issue_sentence(self.code)

    @property
    def severity(self) -> str:
        """Return `error`, `warning` or `note`."""
        return issue_severity(self.code)

    @property
    def badness(self) -> int:
        """Return how far up the issue stands: many records, and errors before warnings."""
        return self.record_count * (_ERROR_WEIGHT if self.severity == "error" else 1)

    @property
    def width(self) -> str:
        """Return the length of the bar: its share of the source's records, always visible."""
        return _percent(max(_share(self.record_count, self.whole), _LEAST_BAR))


@dataclass(frozen=True, slots=True)
class Point:
    """One load of a source in its trend: two bars that stand beside each other."""

    batch: LoadBatch
    written_count: int
    read_count: int
    x: str
    doubtful_y: str
    doubtful_height: str
    rejected_x: str
    rejected_y: str
    rejected_height: str
    width: str


@dataclass(frozen=True, slots=True)
class Trend:
    """The latest loads of one source, the oldest first, and the share at the top of the chart."""

    source: SourceSystem
    points: list[Point]
    top: int

    @property
    def latest(self) -> Point:
        """Return the last load."""
        return self.points[-1]

    @property
    def before(self) -> Point | None:
        """Return the load before the last."""
        return self.points[-2] if len(self.points) > 1 else None


def counted() -> list[SourceQuality]:
    """Return the counted figures of every source that has records, in the order of their names."""
    figures = SourceQuality.objects.select_related("source").exclude(counted_at=None)
    return list(figures.filter(record_count__gt=0).order_by("source__label"))


def tiles(figures: Sequence[SourceQuality]) -> list[Tile]:
    """Return a tile for each source."""
    return [Tile(row, _percent(_share(row.doubtful_count, row.record_count))) for row in figures]


def heat_table(figures: Sequence[SourceQuality]) -> list[HeatRow]:
    """Return every attribute that a source gives or has trouble with, in the order of pages."""
    names = {name for row in figures for name in row.attributes}
    ordered = [name for name in ATTRIBUTES if name in names]
    ordered += sorted(names.difference(ATTRIBUTES))
    return [
        HeatRow(attribute_words.label(name), [cell_of(row, name) for row in figures])
        for name in ordered
    ]


def cell_of(figures: SourceQuality, attribute: str) -> Cell:
    """Return what one source says about one attribute."""
    filled, different, doubtful = figures.attributes.get(attribute, (0, 0, 0))
    url = attribute_url(figures.source, attribute)
    return Cell(
        figures.record_count, filled, different, doubtful, url, is_counted=attribute in ATTRIBUTES
    )


def worst_issues(figures: Sequence[SourceQuality]) -> list[IssueRow]:
    """Return what is doubtful, the worst first; what was mended is left out."""
    rows = [row for source in figures for row in issues_of(source) if is_doubtful(row.code)]
    return sorted(rows, key=lambda row: -row.badness)


def issues_of(figures: SourceQuality, attribute: str = "") -> list[IssueRow]:
    """Return the issues of a source, or of one of its attributes, the most frequent first."""
    source, whole = figures.source, figures.record_count
    return [
        IssueRow(source, name, code, count, whole, attribute_url(source, name, code))
        for name, code, count in figures.issues
        if attribute in ("", name)
    ]


def attribute_url(source: SourceSystem, attribute: str, code: str = "") -> str:
    """Return the address of the records of a source with this attribute in doubt."""
    address = reverse("mdm:quality-attribute", args=[source.code, attribute])
    return f"{address}?code={code}" if code else address


def trends(source: SourceSystem | None = None) -> list[Trend]:
    """Return the latest loads of each source (or of one) that wrote or refused a row and stand."""
    batches = LoadBatch.objects.filter(source=source) if source else LoadBatch.objects.all()
    latest = (
        batches.filter(finished_at__isnull=False, undo_job=None)
        .annotate(written=F("new_count") + F("changed_count"))
        .annotate(refused_or_written=F("written") + F("rejected_count"))
        .filter(refused_or_written__gt=0)
        .annotate(rank=Window(RowNumber(), partition_by="source", order_by=F("pk").desc()))
        .filter(rank__lte=TREND_LENGTH)
        .select_related("source")
        .order_by("source__label", "pk")
    )
    by_source: dict[SourceSystem, list[LoadBatch]] = {}
    for batch in latest:
        by_source.setdefault(batch.source, []).append(batch)
    return [_trend(of, found) for of, found in by_source.items()]


def issue_sentence(code: str) -> str:
    """Return an issue in words; a code that nobody describes stands for itself."""
    return str(ISSUES[code].sentence) if code in ISSUES else code


def issue_severity(code: str) -> str:
    """Return how bad an issue is."""
    return ISSUES[code].severity if code in ISSUES else "warning"


def _trend(source: SourceSystem, batches: Sequence[LoadBatch]) -> Trend:
    top = max(_LOWEST_TOP, *(max(_shares(batch)) for batch in batches))
    slot = 100 / max(len(batches), 6)
    points = [
        _point(batch, slot * place + 100 - slot * len(batches), slot, top)
        for place, batch in enumerate(batches)
    ]
    return Trend(source, points, round(100 * top))


def _point(batch: LoadBatch, x: float, slot: float, top: float) -> Point:
    doubtful, rejected = (100 * share / top for share in _shares(batch))
    return Point(
        batch=batch,
        written_count=_written(batch),
        read_count=_read(batch),
        x=f"{x + 0.12 * slot:.2f}%",
        doubtful_y=f"{100 - doubtful:.2f}%",
        doubtful_height=f"{doubtful:.2f}%",
        rejected_x=f"{x + 0.52 * slot:.2f}%",
        rejected_y=f"{100 - rejected:.2f}%",
        rejected_height=f"{rejected:.2f}%",
        width=f"{0.36 * slot:.2f}%",
    )


def _shares(batch: LoadBatch) -> tuple[float, float]:
    """Return the doubtful share of the rows written and the rejected share of the rows read."""
    doubtful = _share(batch.doubtful_count or 0, _written(batch))
    return doubtful, _share(batch.rejected_count, _read(batch))


def _written(batch: LoadBatch) -> int:
    return batch.new_count + batch.changed_count


def _read(batch: LoadBatch) -> int:
    return _written(batch) + batch.same_count + batch.stale_count + batch.rejected_count


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _percent(share: float) -> str:
    return f"{100 * min(share, 1):.2f}%"
