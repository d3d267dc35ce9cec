"""New records are written straight from memory, and come to what the general way comes to."""

import io
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings

from consent.models import ConsentEvent, PermissionState
from consent.projection import project
from mdm import golden_records, jobs
from mdm.loading import work, writing
from mdm.loading.batches import start_load
from mdm.models import (
    ContactPoint,
    Customer,
    GoldenRecord,
    RecordContactPoint,
    SourceRecord,
)
from mdm.signals import Births
from tests.examples import histories
from tests.mdm.loading.files import DOCUMENT, csv_bytes, load, row
from tests.mdm.loading.test_load_properties import Line, cells, derived_differences, lines

Told = dict[str, list[tuple[Any, ...]]]


def told() -> Told:
    """Everything but keys and moments, by the sources' own keys."""
    keys = dict(SourceRecord.objects.values_list("pk", "source_key"))
    golden = [
        field.attname
        for field in GoldenRecord._meta.concrete_fields
        if field.name not in ("customer", "lineage", "search_text", "updated_at")
    ]
    lineage = {
        keys[pk]: {name: (keys.get(record), how) for name, (record, _pin, how) in chosen.items()}
        for pk, chosen in GoldenRecord.objects.values_list("pk", "lineage")
    }
    words = GoldenRecord.objects.values_list("pk", "search_text", "customer__public_id")
    return {
        "golden": _by_key(keys, GoldenRecord.objects.values_list("pk", *golden)),
        "lineage": sorted((key, repr(sorted(chosen.items()))) for key, chosen in lineage.items()),
        "words": _by_key(keys, ((pk, text.replace(i.lower(), "")) for pk, text, i in words)),
        "customers": _by_key(keys, Customer.objects.values_list("pk", "status", "version")),
        "points": sorted(
            ContactPoint.objects.values_list("kind", "value", "display", "region", "shared_by")
        ),
        "carried": _by_key(
            keys,
            RecordContactPoint.objects.values_list("record", "attribute", "contact_point__value"),
        ),
        **_told_of_consent(keys),
        "history": [
            (model.__name__, kind, model.history.filter(history_type=kind).count())
            for model in (SourceRecord, Customer, GoldenRecord)
            for kind in "+~-"
        ],
    }


def _told_of_consent(keys: dict[int, str]) -> Told:
    return {
        "events": _by_key(
            keys,
            ConsentEvent.objects.values_list(
                "source_record", "type", "channel", "purpose__code", "contact_point__value",
                "occurred_at", "evidence_level", "claims_double_opt_in", "line",
            ),
        ),
        "states": _by_key(
            keys,
            PermissionState.objects.values_list(
                "customer", "channel", "purpose__code", "contact_point__value", "state",
                "evidence_level", "deciding_event__type", "deciding_event__occurred_at",
            ),
        ),
    }  # fmt: skip


def _by_key(keys: dict[int, str], rows: Any) -> list[tuple[Any, ...]]:
    return sorted(((keys[pk], *rest) for pk, *rest in rows), key=repr)


def the_general_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Treat new records as if they had been there: read everything back, compare, fold."""
    monkeypatch.setattr(
        golden_records,
        "give_birth",
        lambda newborns: golden_records.consolidate([key for key, _ in newborns]),
    )
    monkeypatch.setattr(writing, "Births", lambda *_: Births())


@pytest.mark.django_db
@settings(
    max_examples=histories(8, long=15),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(earlier=lines, content=lines)
def test_new_records_come_to_what_the_general_way_comes_to(
    monkeypatch: pytest.MonkeyPatch, earlier: list[Line], content: list[Line]
):
    def outcome() -> Told:
        with transaction.atomic():
            load(*map(cells, earlier))
            # Others, who share addresses with those before.
            load(*[cells(line._replace(key=f"D{line.key}")) for line in content])
            project(Customer.objects.values_list("pk", flat=True))
            found = told()
            transaction.set_rollback(True)
        return found

    at_once = outcome()
    with monkeypatch.context() as patch:
        the_general_way(patch)
        assert outcome() == at_once


def at_the_same_time(*tasks: Callable[[], object]) -> None:
    def run(task: Callable[[], object]) -> None:
        try:
            task()
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    failures: list[BaseException] = []
    threads = [threading.Thread(target=run, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


@pytest.mark.django_db(transaction=True)
def test_two_loads_at_once_end_as_one_after_the_other(monkeypatch: pytest.MonkeyPatch):
    """They share every address; each refuses some for itself and for the other's customers."""
    monkeypatch.setattr(work, "CHUNK_SIZE", {"sqlite": 5, "postgresql": 5})

    def one() -> None:
        load(
            *[row(f"A{n}", email=f"p{n}@example.org", accord="ON"[n % 3 == 0]) for n in range(40)]
        )

    def other() -> None:
        turned = reversed(range(40))
        load_other(
            *[row(f"B{n}", email=f"p{n}@example.org", accord="ON"[n % 4 == 0]) for n in turned]
        )

    at_the_same_time(one, other)

    assert set(ContactPoint.objects.values_list("shared_by", flat=True)) == {2}
    assert SourceRecord.objects.count() == Customer.objects.count() == 80
    open_to_mail = PermissionState.objects.filter(channel="email", state="given")
    carried = {f"p{n}@example.org" for n in range(40) if n % 3 and n % 4}
    assert set(open_to_mail.values_list("contact_point__value", flat=True)) == carried
    assert open_to_mail.count() == 2 * len(carried)
    assert derived_differences() == {}


def load_other(*rows: dict[str, str]) -> None:
    batch = start_load(
        io.BytesIO(csv_bytes(rows)),
        file_name="shop.csv",
        source_code="shop",
        document=DOCUMENT,
        by=None,
        is_foreground=True,
    )
    assert batch.job is not None
    jobs.run_now(batch.job)


@pytest.mark.django_db(transaction=True)
def test_the_same_file_twice_at_once_is_loaded_once():
    content = [row(f"C{n}", email=f"c{n}@example.org", accord="O") for n in range(30)]
    load(content[0])  # The source and its mapping are there.

    at_the_same_time(lambda: load(*content), lambda: load(*content))

    assert SourceRecord.objects.count() == ConsentEvent.objects.count() == 30
    assert SourceRecord.history.count() == 30
    assert derived_differences() == {}
