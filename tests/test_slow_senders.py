"""Whoever sends a request byte by byte holds no thread that a person needs (A-IMP-12)."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest

from config.patient_worker import Patience, Sender
from tests.instance import Instance, wait_until
from tests.sides import LONGEST_SECONDS

_SLOW = 20


def trickling(host: str, port: int) -> socket.socket:
    """Return a connection that has announced an upload and sent the first bytes of it."""
    sender = socket.create_connection((host, port), timeout=LONGEST_SECONDS)
    sender.sendall(
        b"POST /admin/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9000000\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\n\r\na"
    )
    return sender


@contextmanager
def going_on(senders: list[socket.socket]) -> Iterator[None]:
    """Have each send a byte now and then, for the length of the block."""
    ended = threading.Event()

    def send() -> None:
        while not ended.wait(0.2):
            for sender in senders:
                with suppress(OSError):  # It was let go.
                    sender.send(b"a")

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    yield
    ended.set()
    thread.join()


@pytest.mark.services
def test_pages_answer_while_many_senders_trickle(instance: Instance):
    host, port = urlsplit(instance.url).netloc.split(":")
    with ExitStack() as stack:
        senders = [trickling(host, int(port)) for _number in range(_SLOW)]
        for sender in senders:
            stack.enter_context(closing(sender))
        stack.enter_context(going_on(senders))
        # Those that came first hold what they may; the others are let go one after the other.
        # Without patience no answer ever comes: the senders go on.
        answers = [
            urlopen(f"{instance.url}/healthz", timeout=LONGEST_SECONDS).status for _n in range(5)
        ]

    assert answers == [200] * 5


def test_the_latest_of_too_many_senders_is_let_go_and_a_quick_one_never():
    patience = Patience(most=1)
    pairs = [socket.socketpair() for _number in range(3)]
    ends: dict[int, str] = {}

    def read(number: int) -> None:
        sender = Sender(pairs[number][1], patience)
        try:
            ends[number] = sender.recv(10).decode()
        except ConnectionResetError:
            ends[number] = "let go"

    threads = [threading.Thread(target=read, args=(number,)) for number in range(3)]
    for number, thread in enumerate(threads, 1):
        thread.start()
        wait_until(lambda: len(patience._waiting) == number, "it is waited for")  # noqa: B023
    pairs[2][0].sendall(b"quick")
    threads[2].join(LONGEST_SECONDS)
    threads[0].join(LONGEST_SECONDS)
    pairs[1][0].sendall(b"late")
    threads[1].join(LONGEST_SECONDS)

    assert ends == {0: "let go", 1: "late", 2: "quick"}
    for pair in pairs:
        for end in pair:
            end.close()
