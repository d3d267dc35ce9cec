"""A search over what changed finds what a search over everything would."""

import random
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from matching import codes, key_table, learnt, searching
from matching.learnt import learnt_by
from matching.models import BlockingKey, CodedPage, PairEvidence, WholeFile
from matching.runs import last_run
from mdm import identity, jobs
from mdm.models import Job, SourceRecord
from mdm.signals import swept
from tests.matching.factories import anne, customers_of, links, make_company, run_match
from tests.mdm.factories import make_record, make_records

pytestmark = pytest.mark.django_db


def evidence() -> set[tuple[Any, ...]]:
    return set(PairEvidence.objects.values_list("left", "right", "pattern", "score", "automatic"))


def write_keys() -> None:
    jobs.run_now(key_table.prepare())


def change(record: SourceRecord, **values: Any) -> None:
    """Change a record as an undoing or a deletion does: values, then what follows from them."""
    SourceRecord.objects.filter(pk=record.pk).update(**values)
    identity.refresh([record.customer_id], record_ids=[record.pk])


def everything_by_what_was_learnt() -> set[tuple[Any, ...]]:
    """Compare all records with all, by the parameters that the last search used."""
    from matching.linkage.engine import link

    known = learnt_by(last_run())
    assert known is not None
    ids = list(SourceRecord.objects.active().values_list("pk", flat=True))
    chosen = searching.settings_of(known.parameters)
    pairs = link(
        codes.records_now(ids),
        searching.replace(chosen, rules=known.rules),
        model=known.model.to_state(),
        known=known.known,
    ).pairs
    columns = (pairs.left, pairs.right, pairs.pattern, pairs.score, pairs.automatic)
    return set(zip(*(column.tolist() for column in columns), strict=True))


VALUES = {
    "given_name": ("Anne", "Marie", "Paul", ""),
    "family_name": ("Lefebvre", "Martin", "Dubois"),
    "email": ("anne.lefebvre@example.com", "", "other@example.com"),
    "phone": ("+33199001122", ""),
    "city": ("Nantes", "Ville A"),
}
acts = st.lists(
    st.tuples(
        st.sampled_from(["new", "change", "copy", "delete", "revive"]), st.integers(0, 10_000)
    ),
    min_size=1,
    max_size=6,
)


@pytest.fixture
def company() -> list[SourceRecord]:
    found = make_company(30)
    run_match()
    write_keys()
    return found


@settings(
    max_examples=10,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(acts)
def test_any_changes_searched_alone_give_what_a_search_of_everything_gives(company, done):
    for act, seed in done:
        _do(act, random.Random(seed))

    run_match(scope="changed")

    assert evidence() == everything_by_what_was_learnt()
    assert codes.changed_records() == set()


def _do(act: str, chance: random.Random) -> None:
    records = list(SourceRecord.objects.order_by("pk"))
    one, other = chance.sample(records, 2)
    values = {name: chance.choice(choices) for name, choices in VALUES.items()}
    if act == "new":
        make_record("shop", **values)
    elif act == "change":
        change(one, **values)
    elif act == "copy":
        change(one, **{name: getattr(other, name) for name in (*VALUES, "birth_date")})
    elif act == "delete":
        change(one, status="deleted")
    else:
        change(one, status="active")


def test_a_deleted_record_leaves_its_evidence_and_its_customer(company):
    pair = PairEvidence.objects.filter(automatic=True).order_by("pk").first()
    assert pair is not None
    assert customers_of(pair.left, pair.right) == [pair.left_id] * 2
    change(pair.right, status="deleted")

    run_match(scope="changed")

    assert not PairEvidence.objects.filter(right=pair.right).exists()
    assert customers_of(pair.right) == [pair.right_id]


def test_nothing_changed_is_found_at_once_and_changes_nothing(company, monkeypatch):
    before = (evidence(), links())
    WholeFile.objects.update(is_keyed=False)
    monkeypatch.delattr(codes, "read_stock")

    figures = run_match(scope="changed")

    assert (evidence(), links()) == before
    assert figures["candidate_pairs"] == 0
    assert figures["records"] == len(company)


def test_a_search_of_changes_reads_the_candidates_alone(company, monkeypatch):
    twin = company[0]
    new = make_record("shop", given_name=twin.given_name, family_name=twin.family_name,
                      birth_date=twin.birth_date, email=twin.email)  # fmt: skip
    monkeypatch.delattr(codes, "read_stock")

    figures = run_match(scope="changed")

    assert customers_of(new) == customers_of(twin)
    assert figures["records"] == len(company) + 1


def test_without_keys_or_with_many_changes_all_codes_are_read(company, monkeypatch):
    make_records([anne(), anne("shop")])
    monkeypatch.setattr(searching, "MOST_BY_KEYS", 1)
    run_match(scope="changed")
    assert evidence() == everything_by_what_was_learnt()

    monkeypatch.undo()
    WholeFile.objects.update(is_keyed=False)
    make_records([anne("web")])
    run_match(scope="changed")
    assert evidence() == everything_by_what_was_learnt()


def test_a_value_that_too_many_carry_leads_to_nobody(company, monkeypatch):
    crowd = make_records([anne("shop", given_name=f"Anne{n}") for n in range(8)])
    run_match()
    write_keys()
    rules = last_run().rule_set
    rules.parameters = {"block_cap": 5}
    rules.save()
    learnt._read.cache_clear()
    new = make_record("web", email=crowd[0].email)

    run_match(scope="changed")

    assert not PairEvidence.objects.filter(right=new).exists()
    assert evidence() >= {pair for pair in everything_by_what_was_learnt() if new.pk in pair[:2]}


def test_the_sweeper_has_the_keys_of_a_load_written(django_capture_on_commit_callbacks):
    make_company(20)
    run_match()
    with django_capture_on_commit_callbacks(execute=False):
        swept.send(sender=None)
        swept.send(sender=None)
    job = Job.objects.get(kind=key_table.KIND)

    jobs.run_now(job)

    assert WholeFile.objects.filter(is_keyed=True).exists()
    assert not CodedPage.objects.filter(is_keyed=False).exists()
    with django_capture_on_commit_callbacks(execute=False):
        swept.send(sender=None)
    assert Job.objects.filter(kind=key_table.KIND).count() == 1


def test_keys_are_written_though_a_search_puts_the_pages_together_meanwhile(monkeypatch):
    for name in ("Anne", "Marie", "Paul", "Odile"):
        make_records([anne(given_name=name), anne("shop", given_name=name)])
    run_match()
    original, written = key_table._write, []

    def put_together_meanwhile(records: Any, known: Any) -> None:
        original(records, known)
        written.append(len(records))
        if len(written) == 2:
            codes._put_together(CodedPage.objects.all())

    with monkeypatch.context() as patched:
        patched.setattr(key_table, "_write", put_together_meanwhile)
        write_keys()

    assert written == [2, 2, 8]
    assert not CodedPage.objects.filter(is_keyed=False).exists()
    assert key_table.rebuild(check=True) == 0


def test_missing_keys_are_found_by_the_check_and_written_by_a_rebuild(company):
    BlockingKey.objects.filter(record=company[3].pk).delete()

    with pytest.raises(CommandError):
        call_command("rebuild", "--check", stdout=StringIO())
    call_command("rebuild", stdout=StringIO())

    assert BlockingKey.objects.filter(record=company[3].pk).exists()
    call_command("rebuild", "--check", stdout=StringIO())
