"""Killing the worker with everything it started costs some seconds, and nothing else.

On SQLite the broker is a folder, whose messages die with the worker; on PostgreSQL it is Redis,
which gives them back an hour later. On both, the job's row brings the work back.
"""

from collections.abc import Callable, Collection, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.models import Model

from consent.models import ConsentEvent, PermissionState
from matching.models import MatchPart, PairEvidence, ReviewTask
from matching.runs import start_run
from mdm.demo.company import CompanyFiles, write_company
from mdm.loading.batches import start_load
from mdm.mapping_parsing import read_document
from mdm.models import (
    ContactPoint,
    Customer,
    GoldenRecord,
    Job,
    RecordContactPoint,
    Sale,
    SourceRecord,
)
from tests.database_copies import copied_database
from tests.instance import ROOT, Worker, instance_environment, wait_until

pytestmark = [pytest.mark.services, pytest.mark.slow]

_MAPPINGS = ROOT / "mdm" / "mappings"
_CODES = ("crm", "shop", "newsletter")


@pytest.fixture
def big_crm(tmp_path: Path) -> Path:
    """A file of several chunks on either database."""
    return write_company(tmp_path / "company", rows=12_000, seed=7).crm


@pytest.fixture
def loaded_company(transactional_db: None, tmp_path: Path) -> CompanyFiles:
    """A small company, loaded and not yet matched."""
    return _load_company(tmp_path, rows=3_000)


@pytest.fixture
def gates(tmp_path: Path) -> Path:
    """Gates before the parts of a search, closed in either phase."""
    folder = tmp_path / "gates"
    folder.mkdir()
    for phase in MatchPart.Phase.values:
        (folder / phase).touch()
    return folder


@pytest.fixture
def two_workers(transactional_db: None, gates: Path) -> Iterator[tuple[Worker, Worker]]:
    """Workers that share out every search, and wait at the gates."""
    surroundings = {
        **instance_environment(connection),
        "MATCH_SPREAD_FROM_PAIRS": "1",
        "MATCH_PAIRS_PER_PART": "131072",
        "ORFEVRE_TEST_GATES": str(gates),
    }
    workers = [Worker(surroundings, app="tests.held_worker") for _ in range(2)]
    yield workers[0], workers[1]
    for one in workers:
        one.kill()


def test_the_broker_is_the_one_that_belongs_to_the_database():
    schemes = {"sqlite": "filesystem", "postgresql": "redis"}

    assert settings.CELERY_BROKER_URL.startswith(schemes[connection.vendor])


def test_a_load_killed_between_chunks_ends_as_an_uninterrupted_one(
    big_crm: Path, worker: Worker, tmp_path: Path
):
    with copied_database("before", tmp_path) as before:
        _load_here(big_crm, "crm")
        expected = _facts()
        before.restore()

    job = _queue_load(big_crm, "crm")
    _kill_in_the_middle(worker, job, lambda row: row.done_count > 0)
    _finish(worker, job)

    assert _facts() == expected


@pytest.mark.parametrize(
    "is_there",
    [
        pytest.param(lambda row: row.phase not in ("", "evidence"), id="while comparing"),
        pytest.param(lambda row: row.cursor == {"phase": "links"}, id="before linking"),
    ],
)
def test_a_match_killed_in_the_middle_ends_as_an_uninterrupted_one(
    loaded_company: CompanyFiles, worker: Worker, tmp_path: Path, is_there: Callable[[Job], bool]
):
    with copied_database("loaded", tmp_path) as loaded:
        call_command("match", stdout=StringIO())
        expected = _facts()
        loaded.restore()

    job = start_run(by=None)
    _kill_in_the_middle(worker, job, is_there)
    _finish(worker, job)

    assert _facts() == expected


def test_a_match_that_loses_a_worker_in_either_phase_ends_as_one_that_nobody_shared(
    two_workers: tuple[Worker, Worker], gates: Path, tmp_path: Path
):
    _load_company(tmp_path, rows=600)
    with copied_database("loaded", tmp_path) as loaded:
        call_command("match", stdout=StringIO())
        expected = _facts()
        loaded.restore()

    job = start_run(by=None)
    for one in two_workers:
        one.start()
    _wait_for_claims(2, "count")
    job.refresh_from_db()
    searching, helping = sorted(two_workers, key=lambda one: one.does(job), reverse=True)
    searching.kill()
    (gates / "count").unlink()
    _wait_for_claims(1, "pairs")  # The helper has taken the search over.
    searching.start()
    _wait_for_claims(2, "pairs")
    job.refresh_from_db()
    assert helping.does(job)
    searching.kill()
    (gates / "pairs").unlink()
    _end(job)

    assert job.attempt == 2
    assert _facts() == expected
    assert not MatchPart.objects.exists()


def _load_company(folder: Path, *, rows: int) -> CompanyFiles:
    files = write_company(folder / "company", rows=rows, seed=7)
    for code in _CODES:
        _load_here(getattr(files, code), code)
    return files


def _wait_for_claims(count: int, phase: str) -> None:
    """Wait until parts of a phase were claimed so often; each claim is held at the gate."""
    attempts = MatchPart.objects.filter(phase=phase).values_list("attempt", flat=True)
    wait_until(lambda: sum(attempts.all()) == count, f"{count} are in {phase}", seconds=180)


def _load_here(path: Path, code: str) -> None:
    mapping = str(_MAPPINGS / f"demo-{code}.toml")
    call_command("load", str(path), source=code, mapping=mapping, stdout=StringIO())


def _queue_load(path: Path, code: str) -> Job:
    document = read_document(_MAPPINGS / f"demo-{code}.toml")
    with path.open("rb") as file:
        batch = start_load(file, file_name=path.name, source_code=code, document=document, by=None)
    assert batch.job is not None
    return batch.job


def _kill_in_the_middle(worker: Worker, job: Job, is_there: Callable[[Job], bool]) -> None:
    def reached() -> bool:
        job.refresh_from_db()
        assert job.state in Job.LIVE_STATES, f"ended too early: {job.state} {job.error}"
        return job.state == Job.State.RUNNING and is_there(job)

    worker.start()
    wait_until(reached, "the job is in the middle")
    worker.kill()
    job.refresh_from_db()
    assert job.state == Job.State.RUNNING, "the kill came too late to prove anything"


def _finish(worker: Worker, job: Job) -> None:
    worker.start()
    _end(job)
    assert job.attempt >= 2


def _end(job: Job) -> None:
    def ended() -> bool:
        job.refresh_from_db()
        return job.state not in Job.LIVE_STATES

    wait_until(ended, "the job ends", seconds=180)
    assert job.state == Job.State.DONE, job.error


def _facts() -> dict[str, Collection[Any]]:
    """Everything a load or a match leaves, by natural keys, without moments and row numbers."""
    names = dict(_source_keys())
    records = SourceRecord.objects.values_list(
        "pk", "customer", "content_hash", "status", "link_rule", "raw", "line"
    )
    return {
        "records": {names[pk]: (names[customer], *rest) for pk, customer, *rest in records},
        "customers": {
            names[pk]: (status, into and names[into], version)
            for pk, status, into, version in Customer.objects.values_list(
                "pk", "status", "merged_into", "version"
            )
        },
        "golden records": _golden_records(names),
        "contact points": set(ContactPoint.objects.values_list("kind", "value")),
        "carriers": _named(
            RecordContactPoint, names, "record", "contact_point__value", "attribute"
        ),
        "sales": _named(Sale, names, "record", "reference", "sold_on", "amount"),
        "consent events": sorted(ConsentEvent.objects.values_list("source_event_id", flat=True)),
        "permissions": _named(
            PermissionState, names, "customer", "channel", "purpose__code", "state", "since"
        ),
        "evidence": _pairs(PairEvidence, names, "pattern", "automatic"),
        "tasks": _pairs(ReviewTask, names, "kind", "reason", "state"),
        "history": {
            model.__name__: model.history.count()
            for model in (SourceRecord, Customer, GoldenRecord)
        },
    }


def _source_keys() -> Iterator[tuple[int, tuple[str, str]]]:
    for pk, code, key in SourceRecord.objects.values_list("pk", "source__code", "source_key"):
        yield pk, (code, key)


def _golden_records(names: dict[int, tuple[str, str]]) -> dict[tuple[str, str], Any]:
    fields = [
        field.attname
        for field in GoldenRecord._meta.concrete_fields
        if field.name not in ("customer", "lineage", "search_text", "updated_at")
    ]
    rows = GoldenRecord.objects.values_list("customer", *fields)
    return {names[customer]: tuple(values) for customer, *values in rows}


def _named(model: type[Model], names: dict[int, Any], owner: str, *fields: str) -> list[str]:
    rows = model._default_manager.values_list(owner, *fields)
    return sorted(repr((names[key], *values)) for key, *values in rows)


def _pairs(model: type[Model], names: dict[int, Any], *fields: str) -> list[str]:
    rows = model._default_manager.values_list("left", "right", "score", *fields)
    return sorted(
        repr((*sorted([names[left], names[right]]), round(score, 6), *rest))
        for left, right, score, *rest in rows
    )
