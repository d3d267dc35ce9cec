"""The instance says whether it is well, and starts, sweeps and stops as operators expect."""

import subprocess
import sys

import pytest
from django.conf import settings
from django.test import Client
from django.utils.timezone import now

from config import processes
from mdm import heartbeats
from mdm.models import Heartbeat
from tests.instance import ROOT, Instance, wait_until


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


@pytest.mark.services
def test_an_instance_is_alone_on_its_folder(instance: Instance):
    command = [sys.executable, "manage.py", "up", "--port", "0"]

    second = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert second.returncode == 1
    assert str(settings.DATA_DIR) in second.stderr


@pytest.mark.services
def test_an_instance_mends_itself_becomes_ready_and_ends_whole_when_asked(
    instance: Instance, client: Client
):
    web = next(pid for pid in instance.children() if "gunicorn" in _command(pid))
    port = int(instance.url.rpartition(":")[2])

    subprocess.run(["kill", "-9", str(web)], check=True)

    wait_until(lambda: not _lives(web), "the web server is gone")
    wait_until(lambda: processes.answers("127.0.0.1", port), "the web server answers again")
    wait_until(lambda: client.get("/readyz").status_code == 200, "worker and sweeper speak")
    children = instance.children()

    instance.process.terminate()  # Nobody uses it after this test.

    assert instance.process.wait(20) == 0
    assert len(children) >= 3
    assert not any(_lives(child) for child in children)


def _command(pid: int) -> str:
    shown = subprocess.run(
        ["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return shown.stdout


def _lives(pid: int) -> bool:
    return bool(_command(pid).strip())
