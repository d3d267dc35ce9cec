"""The benchmark page: figures are replaced, words are kept."""

import re
import sys

import pytest
from django.utils.timezone import now

from benchmarks.campaigns import CampaignRun, campaign_tables
from benchmarks.engine import Outcome, engine_tables
from benchmarks.identity import Walk, identity_tables
from benchmarks.import_peer import Comparison, import_plainly
from benchmarks.limits import LimitBroken, run_limited
from benchmarks.load import LoadRun, of_records_alone
from benchmarks.multiply import multiply
from benchmarks.report import load_table, peer_table, replace_section, scale_table
from benchmarks.resembling import known_table
from benchmarks.scale import SOURCES, Run, mapping_of
from benchmarks.steps import Measured, Site, StepFailed
from benchmarks.workers import Search, workers_table
from consent.crowds import Crowd
from consent.evaluation import offer_for
from mdm.mapping_parsing import parse_mapping, read_document
from mdm.models import Customer
from tests.campaigns.factories import consenting
from tests.consent.factories import marketing


def test_only_the_lines_between_the_markers_are_replaced(tmp_path):
    page = tmp_path / "benchmarks.md"
    page.write_text(
        "# Kept\n<!-- scale: written by make bench -->\nold\n<!-- end of scale -->\nKept too\n"
    )

    replace_section(page, "scale", ["new", "lines"])

    begin, end = "<!-- scale: written by make bench -->", "<!-- end of scale -->"
    assert page.read_text() == f"# Kept\n{begin}\nnew\nlines\n{end}\nKept too\n"


def test_a_page_without_the_section_is_refused(tmp_path):
    page = tmp_path / "benchmarks.md"
    page.write_text("# Nothing here\n")

    with pytest.raises(ValueError, match="no section scale"):
        replace_section(page, "scale", [])


def test_two_engines_stand_side_by_side_with_their_ratio():
    steps = ("start", "load", "load again", "match", "match again", "golden", "waterfall")
    alone = {"standardise": Measured(2.0, 1.0, 100, {"core_seconds": 0.05})}
    sqlite = Run("sqlite", 1000, {step: Measured(2.0, 1.0, 100) for step in steps} | alone)
    postgresql = Run("postgresql", 1000, {step: Measured(3.0, 1.0, 120) for step in steps} | alone)

    lines = scale_table([sqlite, postgresql])

    assert "| load three files | 2.0 | 1.0 | 500 | 100 | 3.0 | 1.0 | 333 | 120 | 1.50 |" in lines
    assert any("alone, on one core) | 2.0 | 1.0 | 20,000 |" in line for line in lines)


_TAKEN = {
    "p50": 20.0, "p95": 31.5, "processor_p50": 9.0, "processor_p95": 12.5, "server_mean": 3.0,
}  # fmt: skip


def test_a_walk_that_ran_out_of_time_tells_what_it_measured():
    golden = Measured(9.0, 4.0, 100, {"inner_seconds": 5.0})
    acts = Measured(9.0, 4.0, 100, {"acts": {"link": _TAKEN}})

    lines = identity_tables(
        [Walk("sqlite", 1000, {"golden": golden}), Walk("postgresql", 2000, {"acts": acts})]
    )

    assert (
        "| sqlite | 1,000 | golden records, all anew, with history | 5.0 | 4.0 | 200 | 100 |"
        in lines
    )
    assert "| postgresql | 2,000 | link | 20.0 | 31.5 | 9.0 | 12.5 | 3.0 |" in lines
    assert not any("first search" in line for line in lines)


def test_one_record_against_all_tells_how_long_an_answer_takes():
    times = {"p50_ms": 9.0, "p95_ms": 18.25, "p50_cpu_ms": 8, "p95_cpu_ms": 15, "p99_cpu_ms": 16}

    lines = known_table([("postgresql", {"records": 1_000_000, "keys": 11_900_000, **times})])

    assert lines[-1] == (
        "| postgresql | 1,000,000 | 11,900,000 | 9.0 | 18.2 | 8.0 | 15.0 | 16.0 |"
    )


def test_searches_by_more_workers_stand_beside_that_of_one():
    alone = Search(1, 1000, 8.0, 500, 300, "one digest", 900)
    together = Search(2, 1000, 6.0, 500, 300, "one digest", 900)
    other = Search(2, 1000, 6.0, 501, 300, "another", 900)

    lines = workers_table([alone, together, other])

    assert lines[-2:] == [
        "| 1,000 | 2 | 6.0 | 0.75 | 500 | 300 | 900 | yes |",
        "| 1,000 | 2 | 6.0 | 0.75 | 501 | 300 | 900 | no |",
    ]


def test_a_campaign_tells_people_per_second_and_how_long_one_answer_takes():
    counted = Measured(9.0, 4.0, 100, {"inner_seconds": 5.0, "people": 1000})
    one = Measured(9.0, 4.0, 100, {"people": 1000, "asked": 400, "p50": 2.0, "p95": 3.5})
    steps = dict.fromkeys(("count", "freeze", "download"), counted) | {"one": one}

    lines = campaign_tables([CampaignRun("sqlite", steps)])

    assert "| sqlite | 1,000 | whom it may reach, by rule | 5.0 | 4.0 | 0.0 | 200 | 100 |" in lines
    assert "| sqlite | 1,000 | 400 times | 2.0 | 3.5 |" in lines


@pytest.mark.django_db
def test_multiplied_people_get_the_answers_of_their_originals():
    record = consenting()
    consenting("Martin", phone="+33639980001")

    multiply(6)

    offer, at = offer_for(marketing()), now()
    keys = list(Customer.objects.order_by("pk").values_list("pk", flat=True))
    rules = Crowd(channel="email", offer=offer, at=at).rules(keys)
    assert rules == {"E1": 6}
    assert record.source.records.count() == 6


def test_a_step_reports_its_own_time_memory_and_answer(tmp_path):
    measured = Site.on_sqlite(tmp_path).module("json.tool", "--help")

    assert measured.seconds > 0
    assert measured.peak_megabytes > 1


def test_a_failed_step_says_its_last_words(tmp_path):
    with pytest.raises(StepFailed, match="No module named"):
        Site.on_sqlite(tmp_path).module("no_such_module")


@pytest.mark.django_db
@pytest.mark.parametrize("way", ["default", "bulk"])
def test_the_peer_imports_every_row(tmp_path, way):
    file = tmp_path / "crm.csv"
    file.write_text("id;nom\n" + "".join(f"C{n};Name {n}\n" for n in range(30)), encoding="cp1252")

    assert import_plainly(way, file)["rows"] == 30


def test_a_load_stands_beside_its_peer_as_a_ratio():
    comparison = Comparison("sqlite", 9000, 2000.0, {"default": 400.0, "bulk": 8000.0})

    assert "| sqlite | 9,000 | 2,000 | 400 | 8,000 | 5.0 | 0.2 |" in peer_table([comparison])


def test_a_larger_load_is_held_against_the_smallest():
    small = LoadRun("sqlite", 1000, Measured(2.0, 1.0, 100), alone_seconds=1.25)
    large = LoadRun("sqlite", 4000, Measured(10.0, 5.0, 120), alone_seconds=8.0)

    lines = load_table([small, large])

    assert "| 1,000 | 2.0 | 1.0 | 500 | 1.00 | 100 | 1.00 | 1.2 | 800 |" in lines
    assert "| 4,000 | 10.0 | 5.0 | 400 | 0.80 | 120 | 1.20 | 8.0 | 500 |" in lines


@pytest.mark.parametrize("code", SOURCES)
def test_records_alone_are_loaded_by_a_mapping_without_what_else_a_file_says(tmp_path, code):
    whole = parse_mapping(read_document(mapping_of(code)))
    alone = parse_mapping(read_document(of_records_alone(tmp_path, code)))

    left = {column.attribute for column in whole.columns} - {c.attribute for c in alone.columns}
    kept = {column.attribute for column in alone.columns}
    assert left
    assert all(re.match("permission|opt_out|sale_|contract_", attribute) for attribute in left)
    assert not any(re.match("permission|opt_out|sale|contract", name) for name in kept)


def test_two_files_loaded_at_once_are_held_against_one_after_the_other():
    run = LoadRun("postgresql", 4000, Measured(10.0, 5.0, 120), 6.4, at_once_seconds=8.0)

    lines = load_table([run])

    assert (
        "| 4,000 | 10.0 | 5.0 | 400 | 1.00 | 120 | 1.00 | 6.4 | 625 | 8.0 | 500 | 1.25 |" in lines
    )


@pytest.mark.parametrize(
    ("code", "limits", "said"),
    [
        ("import time; time.sleep(60)", {"seconds": 0.1, "megabytes": 9999}, "stopped after 0 s"),
        (
            "import time; x = b'1' * 80_000_000; time.sleep(60)",
            {"seconds": 9, "megabytes": 60},
            "stopped at 60 MB",
        ),
    ],
)
def test_a_contestant_is_stopped_at_its_limit(code, limits, said):
    with pytest.raises(LimitBroken, match=said):
        run_limited([sys.executable, "-c", code], **limits)


def test_a_contestant_that_was_stopped_stands_in_both_tables():
    figures = {"seconds": 2.0, "cpu_seconds": 3.0, "pairs": 5, "peak_megabytes": 9, "stages": {}}
    outcomes = [
        Outcome("demo", "Orfèvre", figures, f1=0.95),
        Outcome("demo", "other", stopped="stopped after 200 s"),
    ]

    lines = engine_tables(outcomes)

    assert sum("| demo | other |" in line and "stopped after 200 s" in line for line in lines) == 2
    assert any("| 2.00 | 3.00 | 1.0 | 9 |" in line for line in lines)
