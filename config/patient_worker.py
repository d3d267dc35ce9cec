"""The web server's worker: slow senders may hold some of its threads, never all of them.

A client that trickles its request byte by byte holds the thread that reads it for as long as it
likes. Here the threads that wait for more of a request are counted; when so many wait that few are
left for people, the sender that is latest is let go, and its connection with it. A proxy that
buffers requests does this better, for thousands of senders; see docs/operating.md.
"""

import errno
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from gunicorn.workers.gthread import _DEFER, TConn, ThreadWorker

_FIRST_BYTE_SECONDS = 0.2
_LOOK_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 60.0
# A slow line is none of an attack: it may be a second late, and sends more than this.
_ALLOWED_SECONDS = 1.0
_BYTES_A_SECOND = 4096


class Sender:
    """A client's socket as the parser of requests reads it; knows how late its bytes are."""

    def __init__(self, client: socket.socket, patience: "Patience") -> None:
        self._client, self._patience = client, patience
        self._waited = 0.0
        self._received = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def recv(self, size: int) -> bytes:
        """Return what came, waiting as long as there is patience.

        Raises:
            ConnectionResetError: when the sender is let go.
        """
        if not self._is_readable(0):
            began = time.monotonic()
            with self._patience.of(self):
                self._wait()
            self._waited += time.monotonic() - began
        content = self._client.recv(size)
        self._received += len(content)
        return content

    def late_seconds(self, pause: float) -> float:
        """Return how much longer it was waited for than its bytes deserve."""
        return self._waited + pause - self._received / _BYTES_A_SECOND

    def _wait(self) -> None:
        began = time.monotonic()
        longest = min(self._client.gettimeout() or _LONGEST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS)
        while not self._is_readable(_LOOK_SECONDS):
            if time.monotonic() - began > longest or self._patience.is_over(self):
                raise ConnectionResetError(errno.ECONNRESET, "The request came too slowly.")

    def _is_readable(self, seconds: float) -> bool:
        poll = select.poll()
        poll.register(self._client, select.POLLIN)
        return bool(poll.poll(seconds * 1000))


class Patience:
    """The senders whose threads wait for more bytes, with the moment each wait began."""

    def __init__(self, most: int) -> None:
        """Let at most so many wait longer than a moment."""
        self._most = most
        self._lock = threading.Lock()
        self._waiting: dict[Sender, float] = {}

    @contextmanager
    def of(self, sender: Sender) -> Iterator[None]:
        """Count a sender among those that are waited for, for the length of the block."""
        with self._lock:
            self._waiting[sender] = time.monotonic()
        try:
            yield
        finally:
            with self._lock:
                self._waiting.pop(sender, None)

    def is_over(self, sender: Sender) -> bool:
        """Tell whether more wait than may, and none of them is later than this sender."""
        moment = time.monotonic()
        with self._lock:
            if len(self._waiting) <= self._most:
                return False
            late = {one: one.late_seconds(moment - at) for one, at in self._waiting.items()}
            latest = max(late, key=late.__getitem__)
            if latest is not sender or late[sender] <= _ALLOWED_SECONDS:
                return False
            del self._waiting[sender]
            return True


class PatientWorker(ThreadWorker):
    """gunicorn's worker of threads, of which some are always left for whoever asks quickly."""

    def init_process(self) -> None:
        """Leave half of the threads to those who do not let them wait."""
        self._patience = Patience(most=self.cfg.threads // 2)
        super().init_process()

    def handle(self, conn: TConn) -> Any:
        """Read the request patiently; a client that says nothing yet holds no thread."""
        if not conn.initialized:
            if not conn.wait_for_data(_FIRST_BYTE_SECONDS):
                return _DEFER
            conn.init()
            conn.parser.unreader.sock = Sender(conn.sock, self._patience)
        is_kept = super().handle(conn)
        if not is_kept:
            # gunicorn closes in the thread that takes connections, and would wait there for what
            # a slow sender still has to say.
            with suppress(OSError):
                conn.sock.shutdown(socket.SHUT_RD)
        return is_kept
