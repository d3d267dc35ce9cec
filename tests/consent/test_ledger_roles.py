"""On PostgreSQL the application connects as a role that can add to the ledger and nothing else."""

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from consent.models import ConsentEvent, EventSeal
from consent.offline import record_objection
from consent.sealing import seal_events
from consent.verification import verify
from tests.consent.factories import record_event
from tests.factories import UserFactory
from tests.mdm.factories import make_record

pytestmark = pytest.mark.django_db

ATTACKS = [
    "UPDATE consent_consentevent SET evidence_level = 4",
    "DELETE FROM consent_consentevent",
    "TRUNCATE consent_consentevent CASCADE",
    "DROP TABLE consent_consentevent CASCADE",
    "ALTER TABLE consent_consentevent DISABLE TRIGGER ALL",
    "DROP TRIGGER consent_consentevent_values_stay ON consent_consentevent",
    "SET session_replication_role = 'replica'",
    "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS"
    " 'BEGIN RETURN NEW; END'",
    "INSERT INTO consent_consentevent SELECT * FROM consent_consentevent"
    " ON CONFLICT (id) DO UPDATE SET evidence_level = 4",
    "UPDATE consent_noticeversion SET body = ''",
    "DELETE FROM consent_noticeversion",
    "UPDATE consent_eventseal SET hash = digest",
    "UPDATE consent_eventseal SET salt = digest",
    "DELETE FROM consent_eventseal",
    "UPDATE consent_sealblock SET last = 0",
    "DELETE FROM consent_sealblock",
    "TRUNCATE consent_sealblock",
    "DELETE FROM campaigns_listdownload",
]


@pytest.fixture
def as_application():
    """One event and its seal; then the connection acts as the application's role."""
    record_event(make_record(email="ada@example.com"), "given")
    seal_events()
    # Roles belong to the whole server, which the processes of the suite share.
    role = f"{connection.settings_dict['NAME']}_application"
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"CREATE ROLE {role} NOLOGIN")
        call_command("grant_application_role", role)
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        cursor.execute(f"SET ROLE {role}")
        yield
        cursor.execute("RESET ROLE")


@pytest.mark.postgresql
@pytest.mark.parametrize("statement", ATTACKS)
def test_the_role_of_the_application_cannot(as_application, statement: str):
    with pytest.raises(DatabaseError), transaction.atomic():
        connection.cursor().execute(statement)

    assert ConsentEvent.objects.get().evidence_level == 2
    assert verify(with_states=False).bad is None


@pytest.mark.postgresql
def test_the_role_of_the_application_records_and_seals(as_application):
    user, record = UserFactory(), make_record(email="bea@example.com")

    record_objection(record.customer, by=user)
    seal_events()

    assert EventSeal.objects.count() == 2
    assert verify().bad is None


def test_an_unknown_role_is_refused():
    reason = "no role nobody" if connection.vendor == "postgresql" else "PostgreSQL alone"

    with pytest.raises(CommandError, match=reason):
        call_command("grant_application_role", "nobody_there")
