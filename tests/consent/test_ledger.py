"""Consent events only grow: the database itself refuses everything else."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from consent.append_only import TABLES
from consent.ledger import NewEvent, record_events
from consent.models import ConsentEvent, NoticeVersion
from mdm.models import ContactPoint
from tests.consent.factories import marketing, record_event
from tests.mdm.factories import make_record
from tests.sides import Side

pytestmark = pytest.mark.django_db

MEANWHILE_SECONDS = 0.3


@pytest.fixture
def event() -> ConsentEvent:
    return record_event(make_record(email="ada@example.com"), "given")


ATTACKS = [
    "UPDATE consent_consentevent SET evidence_level = 4 WHERE id = %s",
    "UPDATE consent_consentevent SET occurred_at = NULL WHERE id = %s",
    "DELETE FROM consent_consentevent WHERE id = %s",
]


@pytest.mark.parametrize("sql", ATTACKS)
def test_no_statement_changes_or_deletes_an_event(event: ConsentEvent, sql: str):
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        connection.cursor().execute(sql, [event.pk])

    assert ConsentEvent.objects.get(pk=event.pk).evidence_level == event.evidence_level


def test_the_orm_cannot_either(event: ConsentEvent):
    for attack in (
        event.save,
        event.delete,
        lambda: ConsentEvent.objects.update(type="refused"),
        lambda: ConsentEvent.objects.filter(pk=event.pk)._raw_delete("default"),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            attack()

    assert ConsentEvent.objects.count() == 1


def wholesale_attacks() -> list[str]:
    """Return the statements that get round row triggers, in the database's own dialect.

    PostgreSQL empties tables, SQLite replaces the rows in the way of an insert.
    """
    if connection.vendor == "postgresql":
        return ["TRUNCATE consent_consentevent CASCADE"]
    columns = [field.column for field in ConsentEvent._meta.concrete_fields]
    others = {"evidence_level": "4", "id": "987654", "uuid": "'x'", "source_event_id": "'y'"}
    statements = []
    for key in TABLES["consent_consentevent"]:
        kept = key.split()
        chosen = ", ".join(name if name in kept else others.get(name, name) for name in columns)
        statements.append(
            f"INSERT OR REPLACE INTO consent_consentevent ({', '.join(columns)})"
            f" SELECT {chosen} FROM consent_consentevent"
        )
    return statements


def test_no_statement_replaces_or_empties_the_table(event: ConsentEvent):
    cursor = connection.cursor()
    if connection.vendor == "sqlite":
        cursor.execute("PRAGMA recursive_triggers = OFF")  # Any client may connect without it.
    else:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    for attack in wholesale_attacks():
        with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
            cursor.execute(attack)

    assert ConsentEvent.objects.get().evidence_level == 2


@contextmanager
def checked_transaction() -> Iterator[None]:
    """A transaction at whose end deferred constraints are checked, as at a commit."""
    with transaction.atomic():
        yield
        connection.check_constraints()


@pytest.mark.parametrize(
    "named", ["record_id", "contact_point_id", "actor_id", "notice_version_id"]
)
def test_an_event_names_what_is_there(event: ConsentEvent, named: str):
    known: dict[str, int | None] = {
        "record_id": event.source_record_id,
        "contact_point_id": event.contact_point_id,
    }
    events = [
        NewEvent(
            type="refused",
            channel="email",
            purpose_id=None,
            actor_type="import",
            fact=(places,),
            **places,
        )
        for places in (known, {**known, named: 987654})
    ]

    with pytest.raises(IntegrityError), checked_transaction():
        record_events(events)

    assert ConsentEvent.objects.get() == event


@pytest.mark.parametrize("attack", ["DELETE FROM {}", "UPDATE {} SET id = 987654"])
def test_what_an_event_names_stays(event: ConsentEvent, attack: str):
    named = {
        "mdm_sourcerecord": event.source_record_id,
        "mdm_contactpoint": event.contact_point_id,
    }
    for table, key in named.items():
        statement = f"{attack.format(table)} WHERE id = %s"
        with pytest.raises(IntegrityError), checked_transaction():
            connection.cursor().execute(statement, [key])


def test_an_event_and_the_end_of_what_it_names_do_not_pass_each_other(
    transactional_db: None,
):
    record, purpose = make_record(email="ada@example.com"), marketing().pk
    named, gone = (
        ContactPoint.objects.create(kind="email", value=f"{name}@example.com")
        for name in ("named", "gone")
    )

    def record_of(point: ContactPoint) -> None:
        fact = (point.value,)
        record_events([NewEvent(record.pk, "given", "email", purpose, point.pk, "import", fact)])

    with transaction.atomic():
        record_of(named)
        deletion = Side(named.delete)
        time.sleep(MEANWHILE_SECONDS)
    with transaction.atomic():
        ContactPoint.objects.filter(pk=gone.pk).delete()
        event = Side(lambda: record_of(gone))
        time.sleep(MEANWHILE_SECONDS)

    assert isinstance(deletion.result(), IntegrityError)
    assert isinstance(event.result(), IntegrityError)
    assert ConsentEvent.objects.get().contact_point == named


def test_words_once_published_stay():
    notice = NoticeVersion.objects.create(
        code="web-form", version=1, body="We write about shoes.", valid_from="2026-01-01"
    )

    notice.body = "We write about anything."
    with pytest.raises(DatabaseError), transaction.atomic():
        notice.save()
    with pytest.raises(DatabaseError), transaction.atomic():
        NoticeVersion.objects.all().delete()

    assert len(NoticeVersion.objects.get().sha256) == 64
    assert NoticeVersion.objects.get().body == "We write about shoes."


def test_the_same_fact_is_recorded_once():
    record = make_record(email="ada@example.com")
    fact = NewEvent(record.pk, "objection", "*", None, None, "import", fact=("a", 1))

    first, again = record_events([fact, fact]), record_events([fact])

    assert (len(first), len(again), ConsentEvent.objects.count()) == (1, 0, 1)


def test_an_act_told_of_another_record_of_hers_is_the_same_fact():
    one, other = make_record(), make_record()
    acts = [
        NewEvent(record.pk, "objection", "*", None, None, "person", fact=("stop", 7))
        for record in (one, other)
    ]

    assert [len(record_events([act])) for act in acts] == [1, 0]
    forged = ConsentEvent.objects.get()
    forged.pk, forged.uuid, forged.source_record = None, uuid4(), other
    with pytest.raises(DatabaseError), transaction.atomic():
        forged.save(force_insert=True)
