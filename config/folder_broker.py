"""The broker in a folder, whose messages appear whole: a worker that reads half of one ends."""

from pathlib import Path
from time import monotonic
from typing import Any
from uuid import uuid4

from kombu.exceptions import ChannelError
from kombu.transport import filesystem
from kombu.utils.json import dumps


class Channel(filesystem.Channel):
    """Kombu's own, which writes a message where workers already look."""

    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:  # type: ignore[override]
        """Write a message under a name that nobody looks for, then give it its own."""
        folder = Path(self.data_folder_out)
        path = folder / f"{round(monotonic() * 1000)}_{uuid4()}.{queue}.msg"
        unfinished = path.with_suffix(".part")
        try:
            unfinished.write_text(dumps(payload), encoding="utf-8")
            unfinished.rename(path)
        except OSError as error:
            raise ChannelError(f"No message can be written into {folder}.") from error


class Transport(filesystem.Transport):
    """The transport of `filesystem://`."""

    Channel = Channel
