"""What every contestant does alike: read the table, take the time, save pairs and clusters."""

import json
import os
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

# The rules of a customer file, safest first; each contestant leaves out what a table lacks.
RULES = (
    ("identifier",),
    ("email",),
    ("phone",),
    ("family_name", "given_name"),
    ("birth_date", "given_name"),
    ("birth_date", "family_name"),
    ("postcode", "street"),
    ("family_name", "postcode"),
    ("given_name", "street"),
    ("birth_date", "postcode"),
)
# Where there is neither e-mail nor phone, one field must do.
SPARSE_RULES = (
    ("identifier",),
    ("family_name",),
    ("given_name",),
    ("birth_date",),
    ("street",),
    ("postcode",),
)
# No home at all: what Splink's own page on this data set uses.
HOMELESS_RULES = (
    ("given_name", "family_name"),
    ("birth_date",),
    ("email",),
    ("given_name", "city"),
    ("family_name", "city"),
)
# Neither birth dates nor numbers nor mailboxes: two of what is left.
SCARCE_RULES = (
    ("identifier",),
    ("organisation",),
    ("organisation", "postcode"),
    ("website",),
    ("phone",),
    ("family_name", "given_name"),
    ("birth_date", "given_name"),
    ("birth_date", "family_name"),
    ("postcode", "street"),
    ("city", "street"),
    ("family_name", "postcode"),
    ("family_name", "city"),
    ("given_name", "postcode"),
    ("given_name", "street"),
)
FIELDS = (
    "given_name",
    "family_name",
    "street",
    "postcode",
    "city",
    "phone",
    "email",
    "birth_date",
    "identifier",
)


def rules_for(columns: Sequence[str]) -> list[tuple[str, ...]]:
    """Give the blocking rules that suit the columns of a table."""
    rules: Sequence[tuple[str, ...]] = RULES
    if {"sex", "organisation"} & set(columns) or not {"email", "birth_date"} & set(columns):
        rules = SCARCE_RULES
    elif "postcode" not in columns:
        rules = HOMELESS_RULES
    elif "email" not in columns:
        rules = SPARSE_RULES
    return [rule for rule in rules if set(rule) <= set(columns)]


class Clock:
    """Wall, processor time and stages of one run."""

    def __init__(self) -> None:
        self.started = self.last = time.perf_counter()
        self.cpu = _cpu()
        self.stages: dict[str, float] = {}

    def lap(self, stage: str) -> None:
        """End a stage."""
        now = time.perf_counter()
        self.stages[stage] = round(self.stages.get(stage, 0.0) + now - self.last, 3)
        self.last = now

    def report(self, **figures: Any) -> None:
        """Print the figures as one line of JSON, the last line of the output."""
        answer = {
            "seconds": round(time.perf_counter() - self.started, 3),
            "cpu_seconds": round(_cpu() - self.cpu, 3),
            "peak_megabytes": round(_peak_kilobytes() / 1024),
            "stages": self.stages,
            **figures,
        }
        print(json.dumps(answer), flush=True)


def save(path: Path, left: Any, right: Any, bits: Any, *, threshold: float, clusters: Any) -> None:
    """Write pairs by position in the table, their scores in bits, and a cluster per record."""
    np.savez(path, left=left, right=right, bits=bits, threshold=threshold, clusters=clusters)


def arguments() -> tuple[Path, Path, list[str]]:
    """Give the table, the result's path and the columns to use."""
    return Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3].split(",")


def _peak_kilobytes() -> int:
    """Return the most memory this program held: the rusage also counts what started it."""
    status = Path("/proc/self/status")
    if status.exists():
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(lines["VmHWM"].split()[0])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _cpu() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
