"""An instance starts alone, mends itself and stops whole, as operators expect.

Apart from `test_health.py`: what its worker and sweeper say stays in the database of this module.
"""

import subprocess
import sys

import pytest
from django.conf import settings
from django.test import Client

from config import processes
from tests.instance import ROOT, Instance, wait_until
from tests.sides import LONGEST_SECONDS

pytestmark = pytest.mark.services


def test_an_instance_is_alone_on_its_folder(instance: Instance):
    command = [sys.executable, "manage.py", "up", "--port", "0"]

    second = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert second.returncode == 1
    assert str(settings.DATA_DIR) in second.stderr


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

    assert instance.process.wait(LONGEST_SECONDS) == 0
    assert len(children) >= 3
    assert not any(_lives(child) for child in children)


def _command(pid: int) -> str:
    shown = subprocess.run(
        ["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return shown.stdout


def _lives(pid: int) -> bool:
    return bool(_command(pid).strip())
