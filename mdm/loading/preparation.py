"""Chunks of a staged file, prepared in a process beside the one that writes them.

Reading, hashing and standardising rows is half of a load's work, and the database needs none of
it. The process beside gets the mapping and the path of the staged file, works ahead of the writer
(by one chunk, and by many while the file is still being staged), and ends when this one does,
however it ends: its standard input is then closed. It is a plain process rather than one of
multiprocessing, which a Celery worker's children may not start, and it opens no connection. When
it dies, the chunks are prepared here: slower, and the same.

What it has prepared waits in a file without a name, which is gone when both processes are: the
database has nothing to do while a file is read, and memory would not hold what can be prepared
meanwhile.
"""

import gc
import logging
import os
import pickle
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from select import POLLIN, poll
from tempfile import TemporaryFile
from types import TracebackType
from typing import IO, Any, Self

from mdm.loading.candidates import Staged, StagedFile
from mdm.loading.rows import RowReader

logger = logging.getLogger(__name__)

_ROOT = Path(__file__).resolve().parents[2]
# Starting a process takes as long as preparing some thousand rows.
_WORTH_A_PROCESS = 5_000
# Rows that are asked for ahead at most, and wait on disk: a kilobyte for each.
_MOST_AHEAD = 1_000_000
# Chunks asked for at most that are not prepared yet. What is prepared once the writer has begun
# goes at the writer's pace, in the time in which it waits for the server and the server for it:
# all at once, it would be in their way first, and leave that time unused later.
_MOST_ASKED = 2
_SIZE_BYTES = 8
# How far the process beside stands back once rows are written: the writer and PostgreSQL are what
# a load waits for, and rows prepared ahead of them only wait (measured: 4 % of the time of a load
# on two processors).
_NICE = 10
_LOST = (EOFError, OSError, pickle.UnpicklingError)


@dataclass
class Preparation:
    """The chunks of a staged file from an offset on.

    Those of lines laid down already are prepared while others still are (`lay_down`).
    `standardise` may be changed at any time, and holds for what is asked for from then on: with
    False, rows come without their standard form, which is the cheaper way when most are stored
    already.
    """

    path: Path
    reader: RowReader
    size: int
    offset: int = 0
    standardise: bool = True
    _line_count: int = field(default=0, init=False)
    _asked_count: int = field(default=0, init=False)
    _process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)
    _is_lost: bool = field(default=False, init=False)
    _spool: "IO[bytes] | None" = field(default=None, init=False)
    _place: int = field(default=0, init=False)
    """Where the next answer begins in the spool."""
    _coming: "deque[bool]" = field(default_factory=deque, init=False)
    """Of each answer that was not read yet, whether the spool begins anew with it."""
    _sizes: "deque[int]" = field(default_factory=deque, init=False)
    """Of each answer that was given and not read yet, its size in bytes."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end_process()

    def lay_down(self, line_count: int) -> None:
        """Say that so many lines stand in the file, and have full chunks of them prepared."""
        self._line_count = line_count
        try:
            self._start_if_worth_it()
            # Behind an offset nobody knows how many lines there are.
            if self._process and not self.offset:
                self._ask_ahead(self._process, min(line_count, _MOST_AHEAD) // self.size)
        except _LOST as loss:
            self._lose(loss)

    def __iter__(self) -> Iterator[Staged]:
        """Yield the chunks in order, once all lines are laid down."""
        if self._process:
            _let_others_first(self._process)
            try:
                yield from self._prepared_beside(self._process)
            except _LOST as loss:
                self._lose(loss)
            else:
                return
        yield from self._prepared_here()

    def _prepared_here(self) -> Iterator[Staged]:
        file = StagedFile(self.path, self.reader, offset=self.offset, size=self.size)
        try:
            while chunk := file.next_chunk(standardise=self.standardise):
                self.offset = chunk.end
                yield chunk
        finally:
            file.close()

    @property
    def is_ready(self) -> bool:
        """Whether the process beside has prepared the next chunk, so that nobody waits for it."""
        return self._process is not None and (bool(self._sizes) or _has_answered(self._process))

    def _prepared_beside(self, process: "subprocess.Popen[bytes]") -> Iterator[Staged]:
        self._ask_for_one(process)
        while chunk := self._receive(process):
            # The next one is prepared while this one is written.
            self._ask_for_one(process)
            self.offset = chunk.end
            yield chunk

    def _ask_ahead(self, process: "subprocess.Popen[bytes]", chunk_count: int) -> None:
        """Ask for as many chunks of the file as that, a few at a time."""
        while _has_answered(process):
            self._sizes.append(_answer(process))
        asked = range(len(self._coming) - len(self._sizes), _MOST_ASKED)
        for _ in asked[: max(0, chunk_count - self._asked_count)]:
            self._ask(process)

    def _ask_for_one(self, process: "subprocess.Popen[bytes]") -> None:
        """Ask for another chunk for each that is read, and for none where too much would wait."""
        if not self._coming or self._asked_count * self.size < _MOST_AHEAD:
            self._ask(process)

    def _ask(self, process: "subprocess.Popen[bytes]") -> None:
        is_alone = not self._coming
        _send(_pipes(process)[0], (self.standardise, is_alone))
        self._asked_count += 1
        self._coming.append(is_alone)

    def _receive(self, process: "subprocess.Popen[bytes]") -> Staged | None:
        assert self._spool is not None  # noqa: S101 - it was made with the process.
        size = self._sizes.popleft() if self._sizes else _answer(process)
        if self._coming.popleft():
            self._place = 0
        content = os.pread(self._spool.fileno(), size, self._place)
        self._place += size
        if len(content) < size:
            raise EOFError
        plain = pickle.loads(content)  # noqa: S301 - our own process wrote it.
        return Staged.of_plain(plain) if plain else None

    def _start_if_worth_it(self) -> None:
        if self._process or self._is_lost or self._line_count < _WORTH_A_PROCESS:
            return
        if (os.cpu_count() or 1) > 1:
            self._spool = TemporaryFile(dir=self.path.parent)  # noqa: SIM115
            spool = self._spool.fileno()
            self._process = subprocess.Popen(  # noqa: S603 - our own command line.
                [sys.executable, "-m", __name__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                pass_fds=[spool],
                cwd=_ROOT,
            )
            requests, _answers = _pipes(self._process)
            _send(requests, (self.path, self.reader, self.offset, self.size, spool))

    def _lose(self, loss: BaseException) -> None:
        logger.warning("The process beside a load was lost: %s", type(loss).__name__)
        self._is_lost = True
        self._end_process()

    def _end_process(self) -> None:
        if self._process:
            self._process.kill()
            for pipe in _pipes(self._process):
                with suppress(OSError):  # A request that was not sent any more.
                    pipe.close()
            self._process.wait()
            self._process = None
        if self._spool:
            self._spool.close()


def _let_others_first(process: "subprocess.Popen[bytes]") -> None:
    # It may have ended, and not every platform knows how.
    with suppress(OSError, AttributeError):
        own = os.getpriority(os.PRIO_PROCESS, 0)
        os.setpriority(os.PRIO_PROCESS, process.pid, own + _NICE)


def _pipes(process: "subprocess.Popen[bytes]") -> tuple[IO[bytes], IO[bytes]]:
    assert process.stdin is not None  # noqa: S101 - both pipes were asked for.
    assert process.stdout is not None  # noqa: S101
    return process.stdin, process.stdout


def _has_answered(process: "subprocess.Popen[bytes]") -> bool:
    asked = poll()  # Unlike `select`, it takes whatever number the system gave the pipe.
    asked.register(_pipes(process)[1], POLLIN)
    return bool(asked.poll(0))


def _answer(process: "subprocess.Popen[bytes]") -> int:
    """Return the size of the next answer."""
    # Past the buffer, so that `_has_answered` sees all that was not read.
    told = os.read(_pipes(process)[1].fileno(), _SIZE_BYTES)
    if not told:
        raise EOFError
    return int.from_bytes(told)


def _send(pipe: IO[bytes], message: Any) -> None:
    pickle.dump(message, pipe, protocol=pickle.HIGHEST_PROTOCOL)
    pipe.flush()


def main() -> None:
    """Answer requests on standard input until it ends: the process beside.

    An answer is a pickle in the spool, and its size on standard output.
    """
    gc.disable()  # Nothing here makes cycles.
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    path, reader, offset, size, spool = pickle.load(requests)  # noqa: S301 - our own parent's.
    file = StagedFile(path, reader, offset=offset, size=size)
    place = 0
    while True:
        standardise, is_alone = pickle.load(requests)  # noqa: S301
        chunk = file.next_chunk(standardise=standardise)
        content = pickle.dumps(chunk.plain if chunk else None, pickle.HIGHEST_PROTOCOL)
        place = 0 if is_alone else place
        place += os.pwrite(spool, content, place)
        answers.write(len(content).to_bytes(_SIZE_BYTES))
        answers.flush()


if __name__ == "__main__":
    try:
        main()
    except Exception as error:
        # Its text may carry a customer's values. The parent meets the same error by itself.
        sys.exit(0 if isinstance(error, _LOST) else f"{type(error).__name__} beside a load")
