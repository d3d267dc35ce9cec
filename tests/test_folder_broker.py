"""The broker of the embedded mode: a folder of messages."""

from pathlib import Path

import pytest
from kombu import Connection

from config.broker import broker_from_url


def test_a_worker_sees_a_message_whole_or_not_at_all(tmp_path, monkeypatch: pytest.MonkeyPatch):
    options = broker_from_url("filesystem://", folder=tmp_path)
    with Connection("filesystem://", transport_options=options) as connection:
        queue = connection.SimpleQueue("jobs")
        looked_for_while_written = []
        rename = Path.rename

        def look_and_rename(source, target):
            # Workers look for names that end so.
            looked_for_while_written.append(list(tmp_path.rglob("*.msg")))
            rename(source, target)

        monkeypatch.setattr(Path, "rename", look_and_rename)
        queue.put("17")

        assert looked_for_while_written == [[]]
        assert queue.get(timeout=60).payload == "17"
        queue.close()
