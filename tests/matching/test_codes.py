"""Records are coded when they are loaded or changed, and a search starts from the codes."""

import json
from contextlib import suppress
from io import StringIO
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from matching import codes, runs
from matching.linkage import engine, pages
from matching.linkage.columns import ATTRIBUTES, Columns
from matching.linkage.encoding import fold
from matching.models import CodedPage, MatchRun, PairEvidence
from matching.records import read_columns
from mdm import jobs
from mdm.loading.undo import start_undo
from mdm.models import SourceRecord
from tests.matching.factories import anne, make_company, run_match
from tests.matching.people import households
from tests.mdm.factories import make_record, make_records
from tests.mdm.loading.files import load, row

NAMES = ("Anne", "Anné", "Paul", "de La Tour", "", None)

Written = list[tuple[int, bool, str | None, str | None]]
"""(record, whether it is live, family name, e-mail) of one page."""

written = st.lists(
    st.tuples(
        st.integers(1, 8),
        st.booleans(),
        st.sampled_from(NAMES),
        st.sampled_from(["a@example.com", "é@example.com", None]),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda entry: entry[0],
)


def page(entries: Written) -> bytes:
    rows = sorted(entries, key=lambda entry: entry[0])
    values = {
        "family_name": np.array([name if live else None for _, live, name, _ in rows], object),
        "email": np.array([email if live else None for _, live, _, email in rows], object),
    }
    ids = np.array([record for record, *_ in rows], np.int64)
    records = fold(Columns(ids, values, ids.astype(np.int32)))
    return pages.pack(records, np.array([live for _, live, *_ in rows]))


@given(st.lists(written, max_size=4))
def test_the_last_page_that_speaks_of_a_record_is_right(written_pages: list[Written]):
    reader = pages.Reader()
    for entries in written_pages:
        reader.add(page(entries))
    records = reader.records()

    last = {entry[0]: entry for entries in written_pages for entry in entries}
    expected = fold(
        Columns.from_rows(
            (record, {"family_name": name, "email": email})
            for record, live, name, email in sorted(last.values(), key=lambda e: e[0])
            if live
        )
    )
    assert records.ids.tolist() == expected.ids.tolist() == records.sources.tolist()
    assert records.ids.tolist() == reader.live_ids().tolist()
    for name in ATTRIBUTES:
        assert words(records, name) == words(expected, name)


@given(st.lists(written, max_size=5))
def test_heads_tell_which_page_has_the_last_word(written_pages: list[Written]):
    heads = [pages.head_of(page(entries)) for entries in written_pages]

    found = pages.last_words(heads)

    last = {entry[0]: (n, entry[1]) for n, told in enumerate(written_pages) for entry in told}
    assert [sorted(ids.tolist()) for ids in found] == [
        sorted(key for key, (place, live) in last.items() if place == n and live)
        for n in range(len(written_pages))
    ]


def words(records: Any, name: str) -> list[str | None]:
    coded = records.column(name)
    return [coded.words[code] for code in coded.codes.tolist()]


def evidence() -> list[tuple[Any, ...]]:
    rows = PairEvidence.objects.order_by("left", "right")
    return list(rows.values_list("left", "right", "pattern", "score", "automatic"))


def checked() -> int:
    out = StringIO()
    with suppress(CommandError):
        call_command("rebuild", "--check", "--json", stdout=out)
    return int(json.loads(out.getvalue())["codes"])


@pytest.mark.django_db
@pytest.mark.parametrize("at_once", [1, 3])
def test_the_check_finds_what_differs_in_any_of_the_pages(at_once, monkeypatch):
    monkeypatch.setattr(codes, "_RECORDS_COMPARED", at_once)
    load(row("C1"), row("C2"))
    load(row("C1", nom="DURAND", maj="03/02/2024"))
    load(row("C4"), row("C5"), row("C6"))
    assert codes.check() == 0

    records = SourceRecord.objects.order_by("pk")
    records.filter(source_key__in=["C1", "C5"]).update(family_name="Autre")  # Coded otherwise.
    records.filter(source_key="C4").update(status="deleted")  # Coded, and live no more.
    assert codes.check() == 3
    codes.rebuild()
    assert codes.check() == 0
    CodedPage.objects.all().delete()
    assert codes.check() == 4


@pytest.mark.django_db
def test_loading_changing_deleting_and_undoing_keep_the_codes_right():
    load(row("C1"), row("C2"), row("C3", prenom="Anne"))
    assert checked() == 0
    batch = load(row("C1", nom="DURAND", maj="03/02/2024"), row("C4"))
    assert checked() == 0
    jobs.run_now(start_undo(batch, by=None, is_foreground=True))
    assert checked() == 0
    load(*[row(f"D{n}", nom=f"N{n}") for n in range(40)])
    load(row("C1"), *[row(f"D{n}", nom=f"N{n}") for n in range(40)], row("C2"), mode="full")
    assert SourceRecord.objects.filter(source_key="C3").get().status == "deleted"
    assert checked() == 0
    call_command("restandardise", stdout=StringIO())
    assert checked() == 0


@pytest.mark.django_db
def test_a_search_reads_the_codes_and_finds_what_the_values_give(monkeypatch):
    make_company(40)
    columns = read_columns(lambda _done, _total: None)
    expected = engine.link(columns).pairs
    monkeypatch.delattr(codes, "rows_of_records")  # No value is read any more.

    run_match()

    found = zip(
        *(
            getattr(expected, name).tolist()
            for name in ("left", "right", "pattern", "score", "automatic")
        ),
        strict=True,
    )
    assert evidence() == sorted(found)
    assert len(evidence()) > 10


@pytest.mark.django_db
def test_a_record_changed_behind_our_back_is_found_and_coded_anew():
    record, _other = make_records([anne(), anne("shop")])
    SourceRecord.objects.filter(pk=record.pk).update(family_name="Roux")

    assert checked() == 1
    with pytest.raises(CommandError, match="differs"):
        call_command("rebuild", "--check", stdout=StringIO())
    call_command("rebuild", stdout=StringIO())

    assert checked() == 0


@pytest.mark.django_db
def test_codes_of_another_version_or_none_are_made_by_the_next_search():
    make_company(20)
    run_match()
    before = evidence()
    CodedPage.objects.update(version=pages.VERSION + 1)
    make_record(**{**anne(), "given_name": "Zoé"})
    CodedPage.objects.filter(version=pages.VERSION).delete()

    run_match()

    assert [pair for pair in evidence() if pair[:2] in {one[:2] for one in before}]
    assert set(CodedPage.objects.values_list("version", flat=True)) == {pages.VERSION}
    assert checked() == 0


@pytest.mark.django_db
def test_many_pages_are_put_together_and_say_the_same(monkeypatch):
    monkeypatch.setattr(codes, "MOST_PAGES", 3)
    monkeypatch.setattr(codes, "RECORDS_PER_BASE_PAGE", 7)
    load(row("C1"))
    rows = [{"source": "shop", **values} for _, _, values in households(12)]
    for one in rows:
        make_records([{name: value for name, value in one.items() if value}])
    gone = make_record("shop", family_name="Roux")
    SourceRecord.objects.filter(pk=gone.pk).update(status="deleted")
    run_match()
    first = evidence()
    assert CodedPage.objects.filter(is_base=False).count() == 0
    run_match()
    assert evidence() == first

    load(row("C1", nom="DURAND", maj="03/02/2024"))

    assert checked() == 0


@pytest.mark.django_db
def test_what_a_search_has_seen_is_no_change_until_it_is_written_again():
    one, other, gone = make_records([anne("a"), anne("shop"), anne("web", given_name="Odile")])
    assert codes.changed_records() == {one.pk, other.pk, gone.pk}
    run_match()
    assert codes.changed_records() == set()

    batch = load(row("C1"))
    new = SourceRecord.objects.get(source_key="C1")
    assert codes.changed_records() == {new.pk}
    jobs.run_now(runs.prepare_run(by=None, simulate=True))
    assert codes.changed_records() == {new.pk}
    run_match(scope="changed")
    assert codes.changed_records() == set()
    jobs.run_now(start_undo(batch, by=None, is_foreground=True))
    assert codes.changed_records() == {new.pk}


@pytest.mark.django_db
def test_what_an_unfinished_search_has_seen_is_still_a_change():
    make_records([anne(), anne("shop")])
    run_match()
    record = make_record(**{**anne(), "given_name": "Zoé"})
    unfinished = MatchRun.objects.create(rule_set=MatchRun.objects.latest("pk").rule_set)

    codes.mark_seen(CodedPage.objects.values_list("pk", flat=True), unfinished)

    assert codes.changed_records() == {record.pk}
