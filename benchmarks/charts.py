"""Draw the charts of docs/matching.md from a search: `python -m benchmarks.charts`."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from benchmarks.steps import REPOSITORY
from benchmarks.tables import demo_rows
from benchmarks.thresholds import judge_pairs
from matching.levels import LEVELS, level_name
from matching.linkage import engine
from matching.linkage.columns import Columns, Flags, Floats
from matching.linkage.encoding import encode
from matching.linkage.judging import blocking_recall, true_pairs
from matching.linkage.keys import Rule
from matching.linkage.proposals import build_all
from matching.scoring import ScoreModel

FOLDER = REPOSITORY / "docs" / "images"
ROWS = 10_000
FIELDS = ("birth_date", "given_name", "family_name", "phone", "email")
_HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 {height}" width="720" '
    'height="{height}" font-family="sans-serif" font-size="12">'
    '<rect width="720" height="{height}" fill="#fffdf8"/>'
)


def main() -> None:
    """Search once, and write a picture each of weights, thresholds and blocking."""
    rows = list(demo_rows(ROWS))
    entity = np.unique([row.pop("entity") for row in rows], return_inverse=True)[1]
    columns = Columns.from_rows(enumerate(rows))
    found = engine.link(columns)
    FOLDER.mkdir(parents=True, exist_ok=True)
    _write("weights", _weights(ScoreModel.from_state(found.model)))
    right = entity[found.pairs.left] == entity[found.pairs.right]
    _write("thresholds", _thresholds(right, found.pairs.score, true_pairs(entity)))
    rules = [Rule(tuple(one.rule.split("+"))) for one in found.rules if one.used]
    reports = blocking_recall(build_all(encode(columns), rules), entity)
    _write("blocking", _bars([(r.rule, r.recall, r.cumulative) for r in reports]))


def _weights(model: ScoreModel) -> str:
    """Bars from the middle: to the right for one person, to the left for two."""
    prior = model.score({})
    lines = [
        (f"{field}: {level_name(field, int(level))}", model.score({field: int(level)}) - prior)
        for field in FIELDS
        for level in LEVELS[field]
        if level
    ]
    widest = max(abs(bits) for _, bits in lines)
    parts = []
    for place, (label, bits) in enumerate(lines):
        y, width = 20 + 18 * place, 220 * abs(bits) / widest
        x, tone = (480, "#2f6f5e") if bits >= 0 else (480 - width, "#b0413e")
        parts.append(
            f'<text x="235" y="{y + 10}" text-anchor="end">{label.replace("_", " ")}</text>'
        )
        parts.append(f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="12" fill="{tone}"/>')
        parts.append(f'<text x="712" y="{y + 10}" text-anchor="end">{bits:+.1f}</text>')
    return _picture(30 + 18 * len(lines), parts)


def _thresholds(right: Flags, score: Floats, total: int) -> str:
    """Precision, recall and F1 of the pairs at or above each threshold."""
    bits = np.arange(-3, 12.01, 0.25)
    figures = [judge_pairs(right, score, total, one) for one in bits.tolist()]
    curves = (
        ("precision", "#2f6f5e", [one.precision for one in figures]),
        ("recall", "#b0413e", [one.recall for one in figures]),
        ("F1", "#b8892b", [one.f1 for one in figures]),
    )
    least = 0.7
    parts = [
        f'<text x="34" y="{_height(one, least) + 4:.0f}" text-anchor="end">{one:.2f}</text>'
        f'<line x1="40" x2="700" y1="{_height(one, least):.0f}" y2="{_height(one, least):.0f}" '
        'stroke="#ddd"/>'
        for one in (0.7, 0.8, 0.9, 1.0)
    ]
    for name, tone, values in curves:
        points = " ".join(
            f"{40 + 44 * (x + 3):.1f},{_height(max(y, least), least):.1f}"
            for x, y in zip(bits.tolist(), values, strict=True)
        )
        parts.append(f'<polyline points="{points}" fill="none" stroke="{tone}" stroke-width="2"/>')
        place = 60 + 110 * [curve[0] for curve in curves].index(name)
        parts.append(f'<text x="{place}" y="300" fill="{tone}">{name}</text>')
    parts += [
        f'<text x="{40 + 44 * (x + 3)}" y="275" text-anchor="middle">{x:+d}</text>'
        for x in range(-3, 13, 3)
    ]
    return _picture(310, parts)


def _height(value: float, least: float) -> float:
    return 255 - 235 * (value - least) / (1 - least)


def _bars(rows: Sequence[tuple[str, float, float]]) -> str:
    """Recall of each rule alone (dark) and with those before it (light)."""
    parts = []
    for place, (name, alone, together) in enumerate(rows):
        y = 14 + 16 * place
        parts += [
            f'<text x="265" y="{y + 10}" text-anchor="end">{name.replace("_", " ")}</text>',
            f'<rect x="275" y="{y}" width="{380 * together:.1f}" height="11" fill="#e7d9b4"/>',
            f'<rect x="275" y="{y}" width="{380 * alone:.1f}" height="11" fill="#b8892b"/>',
            f'<text x="712" y="{y + 10}" text-anchor="end">{100 * together:.1f} %</text>',
        ]
    return _picture(24 + 16 * len(rows), parts)


def _picture(height: int, parts: Iterable[str]) -> str:
    return "\n".join([_HEAD.format(height=height), *parts, "</svg>\n"])


def _write(name: str, picture: str) -> Path:
    path = FOLDER / f"matching-{name}.svg"
    path.write_text(picture, encoding="utf-8")
    return path


if __name__ == "__main__":
    main()
