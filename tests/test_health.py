"""The instance says whether it is well."""

import pytest
from django.test import Client
from django.utils.timezone import now

from mdm import heartbeats
from mdm.models import Heartbeat


def test_a_living_process_answers_without_asking_the_database(client: Client):
    assert client.get("/healthz").content == b"ok"


@pytest.mark.django_db
def test_an_instance_whose_worker_and_sweeper_never_spoke_is_not_ready(client: Client):
    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["database"] == answer.json()["broker"] == "ok"
    assert answer.json()["worker"] != "ok"
    assert answer.json()["sweeper"] != "ok"


@pytest.mark.django_db
def test_an_instance_whose_worker_and_sweeper_spoke_is_ready(client: Client):
    heartbeats.beat(heartbeats.WORKER)
    heartbeats.beat(heartbeats.SWEEPER)

    assert client.get("/readyz").status_code == 200


@pytest.mark.django_db
def test_an_unanswered_pulse_is_not_followed_by_others():
    heartbeats.ask_workers()
    asked_at = Heartbeat.objects.get(name=heartbeats.WORKER).asked_at

    heartbeats.ask_workers()

    assert Heartbeat.objects.get(name=heartbeats.WORKER).asked_at == asked_at
    assert asked_at <= now()
