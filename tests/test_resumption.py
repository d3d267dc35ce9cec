"""Killing the worker with everything it started costs some seconds, and nothing else.

On SQLite the broker is a folder, whose messages die with the worker; on PostgreSQL it is Redis,
which gives them back an hour later. On both, the job's row brings the work back.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.models import Model

from consent.models import ConsentEvent, PermissionState
from matching.models import MatchPart, PairEvidence, ReviewTask, RuleSet
from matching.runs import start_run
from mdm.demo.company import write_company
from mdm.loading import work
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
from tests.database_copies import Copy, copied_database
from tests.held_worker import LINES_PER_CHUNK
from tests.instance import ROOT, Worker, instance_environment, wait_until

pytestmark = [pytest.mark.services, pytest.mark.slow]

_MAPPINGS = ROOT / "mdm" / "mappings"
_CODES = ("crm", "shop", "newsletter")
Facts = dict[str, Collection[Any]]


@dataclass(frozen=True)
class Company:
    """A small company, its database before and after its files, and what there is in the end."""

    crm: Path
    empty: Copy
    loaded: Copy
    facts_of_crm: Facts
    facts_once_matched: Facts


@pytest.fixture(scope="module")
def company(committed: Copy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """Load and match a company as nobody interrupts it."""
    folder = tmp_path_factory.mktemp("company")
    files = write_company(folder, rows=1_000, seed=7)
    with pytest.MonkeyPatch.context() as patch:
        # The ids of events hold keys of contact points, which are numbered chunk by chunk.
        patch.setitem(work.CHUNK_SIZE, connection.vendor, LINES_PER_CHUNK)
        _load_here(files.crm, "crm")
    facts_of_crm = _facts()
    for code in _CODES[1:]:
        _load_here(getattr(files, code), code)
    with copied_database("loaded", folder) as loaded:
        call_command("match", stdout=StringIO())
        yield Company(files.crm, committed, loaded, facts_of_crm, _facts())


@pytest.fixture
def gates(tmp_path: Path) -> Path:
    """The folder of the gates: a file there closes the one of its name."""
    folder = tmp_path / "gates"
    folder.mkdir()
    return folder


@pytest.fixture
def workers(company: Company, gates: Path) -> Iterator[tuple[Worker, Worker]]:
    """Workers that share out every search, and wait at the gates that are closed."""
    surroundings = {
        **instance_environment(connection),
        "MATCH_SPREAD_FROM_PAIRS": "1",
        "MATCH_PAIRS_PER_PART": "131072",
        "ORFEVRE_TEST_GATES": str(gates),
    }
    both = [Worker(surroundings, app="tests.held_worker") for _ in range(2)]
    yield both[0], both[1]
    for one in both:
        one.kill()


@pytest.fixture
def worker(company: Company, gates: Path) -> Iterator[Worker]:
    """A worker that does every search alone, and waits at the gates that are closed."""
    surroundings = {**instance_environment(connection), "ORFEVRE_TEST_GATES": str(gates)}
    process = Worker(surroundings, app="tests.held_worker")
    yield process
    process.kill()


def test_the_broker_is_the_one_that_belongs_to_the_database():
    schemes = {"sqlite": "filesystem", "postgresql": "redis"}

    assert settings.CELERY_BROKER_URL.startswith(schemes[connection.vendor])


def test_a_load_killed_between_chunks_ends_as_an_uninterrupted_one(
    company: Company, worker: Worker, gates: Path
):
    company.empty.restore()

    job = _queue_load(company.crm, "crm")
    _kill_at(gates / "loading", worker, job, lambda row: row.phase == "loading")
    assert job.done_count == LINES_PER_CHUNK
    worker.start()
    _end(job)

    assert job.attempt == 2
    assert _facts() == company.facts_of_crm


def test_a_match_killed_in_the_middle_ends_as_an_uninterrupted_one(
    company: Company, worker: Worker, gates: Path
):
    company.loaded.restore()

    job = start_run(by=None)
    _kill_at(gates / "compare", worker, job, lambda row: row.phase == "compare")
    _kill_at(gates / "links", worker, job, lambda row: row.cursor == {"phase": "links"})
    worker.start()
    _end(job)

    assert job.attempt == 3
    assert _facts() == company.facts_once_matched


def test_a_match_that_loses_a_worker_in_either_phase_ends_as_one_that_nobody_shared(
    company: Company, workers: tuple[Worker, Worker], gates: Path
):
    company.loaded.restore()
    for phase in MatchPart.Phase.values:
        (gates / phase).touch()

    job = start_run(by=None)
    for one in workers:
        one.start()
    _wait_for_claims(2, "count")
    job.refresh_from_db()
    searching, helping = sorted(workers, key=lambda one: one.does(job), reverse=True)
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
    assert _facts() == company.facts_once_matched
    assert not MatchPart.objects.exists()


@pytest.mark.parametrize("attempts", [1, 2], ids=["the one that helps", "the one that searches"])
def test_a_match_by_what_was_learnt_that_loses_a_worker_ends_as_one_that_nobody_shared(
    company: Company, workers: tuple[Worker, Worker], gates: Path, attempts: int
):
    company.loaded.restore()
    RuleSet.objects.create(version=1, status="active", parameters={"learns_anew": False})
    call_command("match", stdout=StringIO())
    once_matched = _facts()
    PairEvidence.objects.all().delete()
    (gates / "pairs").touch()

    job = start_run(by=None)
    for one in workers:
        one.start()
    _wait_for_claims(2, "pairs")
    job.refresh_from_db()
    helping, searching = sorted(workers, key=lambda one: one.does(job))
    (searching if attempts == 2 else helping).kill()
    (gates / "pairs").unlink()
    _end(job)

    assert job.attempt == attempts
    assert _facts() == once_matched
    assert not MatchPart.objects.exists()


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


def _kill_at(gate: Path, worker: Worker, job: Job, is_there: Callable[[Job], bool]) -> None:
    """Start a worker that this gate alone holds, and kill it once it waits there."""

    def waits() -> bool:
        job.refresh_from_db()
        assert job.state in Job.LIVE_STATES, f"ended too early: {job.state} {job.error}"
        return job.state == Job.State.RUNNING and is_there(job)

    gate.touch()
    worker.start()
    wait_until(waits, f"the job waits at {gate.name}")
    worker.kill()
    gate.unlink()


def _end(job: Job) -> None:
    def ended() -> bool:
        job.refresh_from_db()
        return job.state not in Job.LIVE_STATES

    wait_until(ended, "the job ends", seconds=180)
    assert job.state == Job.State.DONE, job.error


def _facts() -> Facts:
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
