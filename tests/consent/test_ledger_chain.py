"""The chain over consent events: whatever is done behind its back is found and named."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils import translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consent import sealing
from consent.append_only import unprotect, unprotect_tables
from consent.models import (
    ConsentEvent,
    EventSeal,
    Evidence,
    LedgerCheck,
    NoticeVersion,
    PermissionState,
    SealBlock,
)
from consent.offline import record_objection
from consent.sealing import seal_events
from consent.verification import verify
from tests.consent.factories import record_event
from tests.factories import UserFactory
from tests.mdm.factories import make_record

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def ledger_folder(settings, tmp_path: Path) -> Iterator[Path]:
    settings.LEDGER_FOLDER = tmp_path / "ledger"
    with translation.override("en"):
        yield settings.LEDGER_FOLDER


@pytest.fixture
def events() -> list[ConsentEvent]:
    """Six events of three people, sealed in two blocks; the second has evidence."""
    records = [make_record(email=f"{name}@example.com") for name in ("ada", "bea", "cleo")]
    first = [record_event(record, "given") for record in records]
    proof = Evidence.objects.create(kind="signed_paper", reference="Box 7, sheet 12")
    proof.events.add(first[1])
    seal_events()
    later = [record_event(record, "withdrawn", channel="email") for record in records]
    seal_events()
    return first + later


@pytest.fixture
def owner() -> Callable[..., None]:
    """Attack as the owner of the tables: the triggers are gone, every statement passes."""
    unprotect_tables(None, connection.schema_editor())

    def execute(sql: str, *values: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute(sql, values)

    return execute


def fault_of(**options: object) -> tuple[str, int | None]:
    """Return the fault and the place of the first bad row that the command names."""
    with pytest.raises(CommandError, match="First bad row"):
        call_command("verify_ledger", **options)
    check = LedgerCheck.objects.first()
    return check.fault, check.place


def test_every_event_gets_its_place_in_the_chain(events, capsys):
    call_command("verify_ledger", "--json")

    found = json.loads(capsys.readouterr().out)
    assert (found["intact"], found["events"], found["unsealed"]) == (True, 6, 0)
    assert list(EventSeal.objects.order_by("number").values_list("number", "event_id")) == [
        (number, event.pk) for number, event in enumerate(events, 1)
    ]
    assert list(SealBlock.objects.order_by("number").values_list("first", "last")) == [
        (1, 3),
        (4, 6),
    ]


def test_a_ledger_without_events_holds(capsys):
    call_command("verify_ledger", "--json")

    assert json.loads(capsys.readouterr().out)["intact"] is True


def test_what_waits_for_its_seal_is_told_with_its_age(events, capsys):
    late = record_event(make_record(email="dora@example.com"), "given")

    call_command("verify_ledger", "--json")

    found = json.loads(capsys.readouterr().out)
    assert (found["intact"], found["events"], found["unsealed"]) == (True, 6, 1)
    assert found["oldest_unsealed_at"] == late.recorded_at.isoformat()


def test_an_act_is_sealed_when_it_is_committed(django_capture_on_commit_callbacks):
    record = make_record(email="ada@example.com")

    with django_capture_on_commit_callbacks(execute=True):
        record_objection(record.customer, by=UserFactory())

    assert EventSeal.objects.get().event == ConsentEvent.objects.get()


def test_nothing_personal_stands_in_the_chain(events):
    stored = b"".join(
        bytes(value)
        for row in EventSeal.objects.values_list("digest", "proof", "hash")
        for value in row
    )

    assert len(stored) == 6 * 32 + 1 * 32 + 6 * 32  # Digests alone, one of them of evidence.
    salts = {bytes(salt) for salt in EventSeal.objects.values_list("salt", flat=True)}
    assert len(salts) == 6


# A-LED-02: the owner of the database changes one event, swaps two, deletes or slips in one.


@pytest.mark.parametrize("column", ["evidence_level = 4", "type = 'confirmed'", "line = 9"])
def test_a_changed_event_is_named(events, owner, column: str):
    owner(f"UPDATE consent_consentevent SET {column} WHERE id = %s", events[1].pk)

    assert fault_of() == ("altered", 2)
    assert LedgerCheck.objects.first().event_uuid == events[1].uuid


def test_changed_evidence_is_named(events):
    Evidence.objects.update(reference="Box 8, sheet 1")

    assert fault_of() == ("payload", 2)


def test_evidence_slipped_under_an_event_is_named(events):
    Evidence.objects.create(kind="signed_paper", reference="forged").events.add(events[2])

    assert fault_of() == ("payload", 3)


def test_changed_words_of_a_notice_are_named():
    notice = NoticeVersion.objects.create(code="web", version=1, body="a", valid_from="2026-01-01")
    record_event(make_record(email="a@example.com"), "given", notice_version_id=notice.pk)
    seal_events()
    unprotect(connection.schema_editor(), "consent_noticeversion", ["id"])

    NoticeVersion.objects.update(body="b")
    assert fault_of() == ("notice", None)
    NoticeVersion.objects.get().save()  # Its digest is made to fit.
    assert fault_of() == ("altered", 1)


def test_two_events_that_changed_places_are_named(events, owner):
    first, second = events[3], events[4]
    columns = [
        field.column
        for field in ConsentEvent._meta.concrete_fields
        if field.column not in {"id", "uuid", "source_event_id"}
    ]
    for unique in ("uuid", "source_event_id"):
        columns.append(unique)
    values = {
        event.pk: ConsentEvent.objects.filter(pk=event.pk).values(
            *[field.attname for field in ConsentEvent._meta.concrete_fields if field.name != "id"]
        )[0]
        for event in (first, second)
    }
    for event in (first, second):
        owner(
            "UPDATE consent_consentevent SET uuid = %s, source_event_id = %s WHERE id = %s",
            f"{event.pk:032d}",
            f"swap{event.pk}",
            event.pk,
        )
    ConsentEvent.objects.filter(pk=first.pk).update(**values[second.pk])
    ConsentEvent.objects.filter(pk=second.pk).update(**values[first.pk])

    assert fault_of(chain_only=True) == ("reordered", 4)


def test_a_deleted_event_is_named(events, owner):
    PermissionState.objects.all().delete()
    owner("DELETE FROM consent_consentevent WHERE id = %s", events[4].pk)

    assert fault_of() == ("missing", 5)


def test_an_event_deleted_with_its_seal_leaves_a_gap(events, owner):
    owner("DELETE FROM consent_eventseal WHERE number = 5")
    owner("DELETE FROM consent_consentevent WHERE id = %s", events[4].pk)

    assert fault_of() == ("missing", 5)


def test_a_back_dated_event_is_named(events, owner):
    forged = ConsentEvent.objects.get(pk=events[0].pk)
    forged.uuid, forged.source_event_id = "0" * 32, "forged"
    owner("DELETE FROM consent_eventseal WHERE event_id = %s", events[2].pk)
    owner("DELETE FROM consent_consentevent WHERE id = %s", events[2].pk)
    forged.pk = events[2].pk
    forged.save(force_insert=True)
    # With a seal and a hash of its own, computed from what stands before it.
    before = EventSeal.objects.get(number=2)
    text = next(sealing.unsealed(above=events[1].pk, limit=1)).text
    salt = bytes(16)
    digest = sealing.salted(salt, text.encode())
    EventSeal.objects.create(
        number=3,
        event=forged,
        salt=salt,
        digest=digest,
        proof=b"",
        hash=sealing.seal_hash(bytes(before.hash), 3, digest, b""),
    )

    # The first row it changes is the head of its block; without the block, the seal after it.
    assert fault_of() == ("rewritten", 3)


def test_an_event_slipped_in_below_what_is_sealed_is_named(events, owner):
    owner("DELETE FROM consent_eventseal WHERE event_id = %s", events[5].pk)
    owner("DELETE FROM consent_sealblock WHERE number = 2")
    owner("DELETE FROM consent_eventseal WHERE number > 3")
    owner(
        "UPDATE consent_consentevent SET id = %s WHERE id = %s",
        events[2].pk - 100_000,
        events[5].pk,
    )

    assert fault_of(chain_only=True) == ("inserted", None)


def test_a_seal_outside_any_block_is_named(events, owner):
    owner("DELETE FROM consent_sealblock WHERE number = 2")

    assert fault_of() == ("inserted", 4)


def test_a_block_with_another_moment_is_named(events, owner):
    SealBlock.objects.filter(number=1).update(sealed_at="2020-01-01T00:00Z")

    assert fault_of() == ("rewritten", 3)


# A-LED-03: cut the end off, go back to yesterday's database, compute everything anew.


def test_a_cut_end_is_found_through_the_checkpoint(events, owner, ledger_folder: Path):
    call_command("seal_ledger")
    (checkpoint,) = ledger_folder.iterdir()

    owner("DELETE FROM consent_sealblock WHERE number = 2")
    owner("DELETE FROM consent_eventseal WHERE number > 3")
    PermissionState.objects.all().delete()
    owner("DELETE FROM consent_consentevent WHERE id > %s", events[2].pk)

    # Without the checkpoint nothing is wrong but the permissions.
    assert verify(with_states=False).bad is None
    assert fault_of() == ("truncated", 6)
    assert fault_of(checkpoint=[str(checkpoint)]) == ("truncated", 6)


def test_a_chain_computed_anew_is_found_through_the_checkpoint(events, owner):
    call_command("seal_ledger")
    ConsentEvent.objects.filter(pk=events[1].pk).update(evidence_level=4)
    owner("DELETE FROM consent_sealblock")
    owner("DELETE FROM consent_eventseal")
    seal_events()
    seal_events()

    assert verify(with_states=False).bad is None
    assert fault_of(chain_only=True)[0] in {"rewritten", "truncated"}


def test_a_forged_checkpoint_is_refused(events, ledger_folder: Path):
    call_command("seal_ledger")
    (path,) = ledger_folder.iterdir()
    path.chmod(0o600)
    path.write_text(path.read_text().replace('"last": 6', '"last": 3'))

    with pytest.raises(CommandError, match="not ours"):
        call_command("verify_ledger")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"block": 1, "signature": "x"}', "\x00"])
def test_a_file_that_is_no_checkpoint_is_refused(content: str, tmp_path: Path):
    path = tmp_path / "checkpoint.json"
    path.write_text(content)

    with pytest.raises(CommandError, match="no checkpoint"):
        call_command("verify_ledger", checkpoint=[str(path)])


def test_a_checkpoint_tells_nobody_and_cannot_be_overwritten(events, ledger_folder: Path):
    call_command("seal_ledger")
    call_command("seal_ledger")

    (path,) = ledger_folder.iterdir()
    assert json.loads(path.read_text()).keys() == {
        "block", "last", "hash", "sealed_at", "key", "signature"
    }  # fmt: skip
    assert path.stat().st_mode & 0o777 == 0o400


# A-LED-04: change the permission and not the events.


def test_a_permission_without_its_event_is_found(events):
    PermissionState.objects.filter(state="withdrawn").update(state="given")

    assert fault_of() == ("states", None)


# Erasure takes the salt: the chain holds, and only where somebody was erased.


def test_a_salt_taken_from_somebody_who_was_not_erased_is_named(events):
    EventSeal.objects.filter(number=3).update(salt=None)

    assert fault_of() == ("ungrounded", 3)


def test_no_statement_changes_the_chain_but_for_the_salt(events):
    for table, change in [
        ("consent_eventseal", "number = number + 100"),
        ("consent_eventseal", "hash = digest"),
        ("consent_eventseal", "salt = digest"),
        ("consent_sealblock", "last = 1"),
        ("consent_consentevent", "erased_at = recorded_at, evidence_level = 4, line = NULL"),
        ("consent_consentevent", "erased_at = recorded_at"),
    ]:
        with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
            connection.cursor().execute(f"UPDATE {table} SET {change}")
    for table in ("consent_eventseal", "consent_sealblock"):
        with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
            connection.cursor().execute(f"DELETE FROM {table}")


# Whatever the order and the sizes, what is recorded is sealed once and in one chain.


@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=4), st.integers(1, 3))
def test_blocks_of_any_size_make_one_chain(counts: list[int], size: int):
    with transaction.atomic():
        savepoint = transaction.savepoint()
        record = make_record(email="ada@example.com")
        original, sealing.BLOCK_EVENTS = sealing.BLOCK_EVENTS, size
        try:
            for count in counts:
                for _ in range(count):
                    record_event(record, "refused")
                assert seal_events() == count
        finally:
            sealing.BLOCK_EVENTS = original
        found = verify()
        transaction.savepoint_rollback(savepoint)

    assert (found.bad, found.event_count, found.unsealed_count) == (None, sum(counts), 0)
