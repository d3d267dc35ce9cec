"""Chunks of a staged file, prepared in a process beside the one that writes them.

Reading, hashing and standardising rows is half of a load's work, and the database needs none of
it. The process beside gets the mapping and the path of the staged file, works one chunk ahead, and
ends when this one does, however it ends: its standard input is then closed. It is a plain process
rather than one of multiprocessing, which a Celery worker's children may not start, and it opens
no connection. When it dies, the chunks are prepared here: slower, and the same.
"""

import gc
import logging
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from mdm.loading.candidates import Staged, StagedFile
from mdm.loading.rows import RowReader

logger = logging.getLogger(__name__)

_ROOT = Path(__file__).resolve().parents[2]
# Starting a process takes as long as preparing some thousand rows.
_WORTH_A_PROCESS = 5_000
_LOST = (EOFError, OSError, pickle.UnpicklingError)


@dataclass
class Preparation:
    """The chunks of a staged file from an offset on.

    `standardise` may be changed at any time, and holds from the next chunk but one: with False,
    rows come without their standard form, which is the cheaper way when most are stored already.
    """

    path: Path
    reader: RowReader
    line_count: int
    size: int
    offset: int = 0
    standardise: bool = True
    _process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    def __enter__(self) -> Self:
        if self.line_count >= _WORTH_A_PROCESS and (os.cpu_count() or 1) > 1:
            self._process = subprocess.Popen(  # noqa: S603 - our own command line.
                [sys.executable, "-m", __name__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd=_ROOT,
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end_process()

    def __iter__(self) -> Iterator[Staged]:
        """Yield the chunks in order."""
        if self._process:
            try:
                yield from self._prepared_beside(self._process)
            except _LOST as loss:
                logger.warning("The process beside a load was lost: %s", type(loss).__name__)
                self._end_process()
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

    def _prepared_beside(self, process: "subprocess.Popen[bytes]") -> Iterator[Staged]:
        requests, answers = _pipes(process)
        _send(requests, (self.path, self.reader, self.offset, self.size))
        _send(requests, self.standardise)
        # The next chunk is prepared while this one is written, and received by a second thread
        # while the writer waits for the database.
        with ThreadPoolExecutor(max_workers=1) as receiver:
            coming = receiver.submit(_receive, answers)
            while chunk := coming.result():
                _send(requests, self.standardise)
                coming = receiver.submit(_receive, answers)
                self.offset = chunk.end
                yield chunk

    def _end_process(self) -> None:
        if self._process:
            self._process.kill()
            for pipe in _pipes(self._process):
                with suppress(OSError):  # A request that was not sent any more.
                    pipe.close()
            self._process.wait()
            self._process = None


def _pipes(process: "subprocess.Popen[bytes]") -> tuple[IO[bytes], IO[bytes]]:
    assert process.stdin is not None  # noqa: S101 - both pipes were asked for.
    assert process.stdout is not None  # noqa: S101
    return process.stdin, process.stdout


def _receive(pipe: IO[bytes]) -> Staged | None:
    plain = pickle.load(pipe)  # noqa: S301 - our own process wrote it.
    return Staged.of_plain(plain) if plain else None


def _send(pipe: IO[bytes], message: Any) -> None:
    pickle.dump(message, pipe, protocol=pickle.HIGHEST_PROTOCOL)
    pipe.flush()


def main() -> None:
    """Answer requests on standard input until it ends: the process beside."""
    gc.disable()  # Nothing here makes cycles.
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    path, reader, offset, size = pickle.load(requests)  # noqa: S301 - our own parent wrote it.
    file = StagedFile(path, reader, offset=offset, size=size)
    while True:
        chunk = file.next_chunk(standardise=pickle.load(requests))  # noqa: S301
        _send(answers, chunk.plain if chunk else None)


if __name__ == "__main__":
    try:
        main()
    except Exception as error:
        # Its text may carry a customer's values. The parent meets the same error by itself.
        sys.exit(0 if isinstance(error, _LOST) else f"{type(error).__name__} beside a load")
