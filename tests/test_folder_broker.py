"""The broker of the embedded mode: a folder of messages."""

from pathlib import Path

import pytest
from kombu import Connection

from config.broker import broker_from_url


def test_a_worker_sees_a_message_whole_or_not_at_all(tmp_path, monkeypatch: pytest.MonkeyPatch):
    options = broker_from_url("filesystem://", folder=tmp_path)
    with Connection("filesystem://", transport_options=options) as connection:
        queue = connection.SimpleQueue("jobs")
        seen_while_written = []
        rename = Path.rename

        def look_and_rename(source, target):
            with pytest.raises(queue.Empty):
                queue.get_nowait()
            seen_while_written.append(source.stat().st_size)
            rename(source, target)

        monkeypatch.setattr(Path, "rename", look_and_rename)
        queue.put("17")

        assert len(seen_while_written) == 1
        assert queue.get(timeout=60).payload == "17"
        queue.close()
