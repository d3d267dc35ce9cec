"""`make test`: every test on SQLite, then every test of a database on PostgreSQL and Redis.

Finds PostgreSQL, Redis and Chromium, or installs them (Debian, as root), or unpacks them beside
the project (Debian, as anybody), and starts its own servers on free ports. What cannot be had is
named as skipped; with CI=true that is a failure. `--get-servers` gets them and ends.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests import services  # noqa: E402

_SUMMARY = re.compile(r"^=*\s*(\d+ (?:passed|failed|error|skipped|deselected)\b.* in [^=]*)=*$")


@dataclass(frozen=True)
class Tool:
    """A program the tests need, and the Debian packages that bring it."""

    name: str
    find: Callable[[], Path]
    packages: tuple[str, ...]


TOOLS = (
    Tool("PostgreSQL", services.find_postgresql, ("postgresql",)),
    Tool("Redis", services.find_redis, ("redis-server",)),
    Tool("Chromium", services.find_chromium, ("chromium",)),
)


def main(arguments: list[str]) -> int:
    """Run both halves; the exit status is 0 only when everything passed."""
    missing = [tool for tool in TOOLS if not _is_here(tool)]
    if missing:
        _get(missing)
    if arguments == ["--get-servers"]:
        return 0
    halves = [_half("SQLite", {"CELERY_BROKER_URL": "filesystem://"}, arguments)]
    with ExitStack() as running:
        try:
            environment = {
                "DATABASE_URL": running.enter_context(services.postgresql()),
                "CELERY_BROKER_URL": f"{running.enter_context(services.redis_server())}/0",
            }
        except services.Unavailable as error:
            halves.append((1 if _in_ci() else 0, f"PostgreSQL and Redis: SKIPPED ({error})"))
        else:
            rest = ["--database-only", *arguments]  # The others have just run.
            halves.append(_half("PostgreSQL and Redis", environment, rest))
    print()
    for _status, summary in halves:
        print(summary)
    return max(status for status, _summary in halves)


def _half(name: str, environment: Mapping[str, str], arguments: list[str]) -> tuple[int, str]:
    """Run the suite once, showing it as it goes; return its status and pytest's last line."""
    print(f"\n=== {name} ===", flush=True)
    started = time.monotonic()
    # Compiled code is kept: tests start many processes, and each would compile all modules anew.
    left_out = ("DATABASE_URL", "PYTHONDONTWRITEBYTECODE")
    surroundings = {key: v for key, v in os.environ.items() if key not in left_out}
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "--numprocesses", _processes()]
    suite = subprocess.Popen(
        [*command, "--dist", "loadgroup", *arguments],
        cwd=ROOT,
        env=surroundings | dict(environment),
        stdout=subprocess.PIPE,
        text=True,
    )
    summary = f"no summary after {time.monotonic() - started:.0f} s"
    for line in suite.stdout or ():
        print(line, end="", flush=True)
        if found := _SUMMARY.match(line.strip()):
            summary = found[1].strip()
    return suite.wait(), f"{name}: {summary}"


def _processes() -> str:
    """Return one more than there are processors: a fifth of the time tests wait for servers."""
    return str(min(3, (os.cpu_count() or 1) + 1))


def _is_here(tool: Tool) -> bool:
    try:
        tool.find()
    except services.Unavailable:
        return False
    return True


def _get(missing: list[Tool]) -> None:
    """Install what is missing with Debian's packages, as far as this user may."""
    packages = [package for tool in missing for package in tool.packages]
    print(f"Getting {', '.join(tool.name for tool in missing)}…", flush=True)
    if not shutil.which("apt-get"):
        return _say_what_lacks(missing)
    if os.geteuid() == 0:
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-q"], env=quiet, check=False)
        install = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *packages]
        subprocess.run(install, env=quiet, check=False)
    else:
        _unpack(packages)
    return _say_what_lacks([tool for tool in missing if not _is_here(tool)])


def _unpack(packages: list[str]) -> None:
    """Unpack packages, with what they need, beside the project: takes no right to install."""
    folder = services.UNPACKED
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [name for name in packages if name != "chromium"]  # Needs a whole desktop.
    depends = ["apt-cache", "depends", "--recurse", "--important", *wanted]
    installed = _lines(["dpkg-query", "--show", "--showformat", "${Package}\\n"])
    for name in sorted(_lines(depends) - installed):
        if re.fullmatch(r"[a-z0-9][a-z0-9.+-]+", name):  # Not the lines about relations.
            subprocess.run(["apt-get", "download", "-q", name], cwd=folder, check=False)
    for archive in folder.glob("*.deb"):
        subprocess.run(["dpkg", "-x", archive, folder], check=False)
        archive.unlink()


def _lines(command: list[str]) -> set[str]:
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    return set(said.stdout.splitlines())


def _say_what_lacks(missing: list[Tool]) -> None:
    for tool in missing:
        print(f"{tool.name} cannot be had: its tests are skipped.", flush=True)


def _in_ci() -> bool:
    return os.environ.get("CI") == "true"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
