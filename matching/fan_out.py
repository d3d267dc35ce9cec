"""One search by several workers, on as many machines as there are.

The job of the search cuts it into parts by rule and key, rings for helpers and takes part itself:
whoever is free claims the next part with a lease and an attempt number, so a part of a worker that
died is done by another one, and nobody writes late. With one worker the job does all parts alone;
helpers that come when nothing is left do nothing. In two phases, parts count their patterns, the
job trains the model once, and parts give the pairs that are kept. Parts that are done stay done
when the job itself starts again, as long as it reads the same records.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils.timezone import now

from matching import codes
from matching.models import MatchPart, MatchRun
from mdm import bulk, jobs
from mdm.jobs import JobRun
from mdm.models import Job

if TYPE_CHECKING:
    from matching.linkage.columns import Ids
    from matching.linkage.frame import SpreadRun
    from matching.linkage.pairing import Candidates
    from matching.linkage.parts import Counted, Part, Work

KIND = "match_help"
SPREAD_FROM = 10_000_000
"""Pairs from which on a search is cut: below, one process is done before others have read."""
PAIRS_PER_PART = 2_000_000
MOST_HELPERS = 7
_WAIT_SECONDS = 0.2

Phase = MatchPart.Phase
State = MatchPart.State


class JobCrew:
    """The job of a search and its helpers, as `linkage.frame.Crew` wants them."""

    def __init__(self, run: JobRun, row: MatchRun, page_ids: Sequence[int], ids: "Ids") -> None:
        self.run, self.row, self.page_ids, self.ids = run, row, page_ids, ids

    def runner(self) -> "Callable[..., SpreadRun]":
        """Return what `engine.link` is to run by."""
        from matching.linkage.frame import SpreadRun

        return partial(SpreadRun, crew=self, spread_from=SPREAD_FROM, part_size=PAIRS_PER_PART)

    def count(self, work: "Work", parts: "Sequence[Part]") -> "list[Counted]":
        """Return what each part counts."""
        from matching.linkage.parts import Counted, unpack

        self._begin(work, len(parts))
        return [Counted(*unpack(content, 3)) for content in self._done(work, parts, Phase.COUNT)]

    def collect(self, work: "Work", parts: "Sequence[Part]", wanted: "Ids") -> "list[Candidates]":
        """Return the pairs of each part that have one of the wanted patterns."""
        from matching.linkage.pairing import Candidates
        from matching.linkage.parts import unpack

        with self.run.chunk(cursor=self.run.cursor, phase="score"):
            self.row.plan["wanted"] = wanted.tolist()
            self.row.save(update_fields=["plan"])
            _lay_out(self.row, Phase.PAIRS, len(parts))
        return [
            Candidates(*unpack(content, 4)) for content in self._done(work, parts, Phase.PAIRS)
        ]

    def _begin(self, work: "Work", part_count: int) -> None:
        """Lay out the parts, or keep those that an earlier attempt laid out and did."""
        fingerprint = work.fingerprint(self.ids)
        with self.run.chunk(cursor=self.run.cursor, phase="compare"):
            if self.row.plan.get("fingerprint") != fingerprint:
                MatchPart.objects.filter(run=self.row).delete()
                self.row.plan = {
                    "fingerprint": fingerprint,
                    "pages": list(self.page_ids),
                    "rules": [one.rule.name for one in work.blocks],
                    "size": PAIRS_PER_PART,
                }
                self.row.save(update_fields=["plan"])
                _lay_out(self.row, Phase.COUNT, part_count)
            # Whoever did one when this job was killed may be dead as well; the fence tells.
            _open(self.row).update(state=State.WAITING)
        for _ in range(min(part_count - 1, MOST_HELPERS)):
            jobs.submit(KIND, {"run": self.row.pk}, by=None)

    def _done(self, work: "Work", parts: "Sequence[Part]", phase: str) -> Iterator[bytes]:
        """Do parts until all are done; yield what they gave, in their order."""
        own = MatchPart.objects.filter(run=self.row, phase=phase)
        while left := own.exclude(state=State.DONE).count():
            self.run.progress(len(parts) - left, len(parts), "compare")
            if not _do_one(self.row, work, parts, phase):
                time.sleep(_WAIT_SECONDS)
        yield from (bytes(one) for one in own.order_by("number").values_list("content", flat=True))


def end_of_work(row: MatchRun) -> None:
    """Take the parts of a search away, and call off helpers that have not come yet."""
    MatchPart.objects.all().delete()  # One search is cut at a time.
    helpers = Job.objects.filter(kind=KIND, parameters__run=row.pk, state=Job.State.QUEUED)
    helpers.update(state=Job.State.CANCELLED, finished_at=now())


@jobs.job(KIND)
def help_out(run: JobRun) -> Mapping[str, Any]:
    """Do parts of a search as long as it goes on and has any."""
    row = MatchRun.objects.get(pk=run.parameters["run"])
    built = _build(row) if _is_under_way(row) else None
    done = 0
    while built and _is_under_way(row):
        did = any(_do_one(row, *built, phase) for phase in Phase.values)
        done += did
        run.progress(done, None, "compare")
        if not did:
            time.sleep(_WAIT_SECONDS)
    return {"parts": done}


def _is_under_way(row: MatchRun) -> bool:
    """Say whether the search goes on and has parts to do, or will have once it has learnt."""
    row.refresh_from_db(fields=["plan"])
    is_learning = "fingerprint" in row.plan and "wanted" not in row.plan
    return _goes_on(row) and (is_learning or _open(row).exists())


def _goes_on(row: MatchRun) -> bool:
    live = Job.objects.filter(match_run=row, state__in=Job.LIVE_STATES, cancel_requested=False)
    return live.exists()


def _open(row: MatchRun) -> "QuerySet[MatchPart]":
    """Return the parts that are not done."""
    return MatchPart.objects.filter(run=row).exclude(state=State.DONE)


def _build(row: MatchRun) -> "tuple[Work, list[Part]] | None":
    """Build from the plan what the job itself works with; None when the pages have changed."""
    from matching.linkage.encoding import encode
    from matching.linkage.keys import Rule
    from matching.linkage.pairing import Scope
    from matching.linkage.parts import Work, cut
    from matching.linkage.proposals import build_all
    from matching.rule_sets import Parameters
    from matching.searching import settings_of

    chosen = settings_of(Parameters.read(row.rule_set.parameters))
    records = codes.read_pages(row.plan["pages"])
    encoded = encode(records)
    rules = [Rule(tuple(name.split("+")), budget=float("inf")) for name in row.plan["rules"]]
    blocks = build_all(encoded, rules, chosen.block_cap, workers=chosen.workers)
    work = Work(encoded, blocks, Scope(None, records.sources, chosen.clean_sources))
    if work.fingerprint(records.ids) != row.plan["fingerprint"]:
        return None
    return work, cut(blocks, row.plan["size"])


def _lay_out(row: MatchRun, phase: str, count: int) -> None:
    known = MatchPart.objects.filter(run=row, phase=phase).exists()
    if not known:
        columns = ("run_id", "phase", "number", "state", "attempt", "content")
        rows = [(row.pk, phase, number, State.WAITING, 0, b"") for number in range(count)]
        bulk.insert(MatchPart, columns, rows)


def _do_one(row: MatchRun, work: "Work", parts: "Sequence[Part]", phase: str) -> bool:
    """Claim a part, do it and keep what it gives; False when none is free."""
    claimed = _claim(row, phase)
    if claimed is None:
        return False
    part, attempt = claimed
    content = _give(row, work, parts[part.number], phase)
    own = MatchPart.objects.filter(pk=part.pk, attempt=attempt, state=State.RUNNING)
    own.update(state=State.DONE, content=content, lease_until=None)
    return True


def _claim(row: MatchRun, phase: str) -> tuple[MatchPart, int] | None:
    free = MatchPart.objects.filter(
        Q(state=State.WAITING) | Q(state=State.RUNNING, lease_until__lt=now()),
        run=row,
        phase=phase,
    )
    lease = now() + timedelta(seconds=settings.JOB_LEASE_SECONDS)
    for part in free.order_by("number").defer("content")[:MOST_HELPERS]:
        attempt = part.attempt + 1
        mine = free.filter(pk=part.pk, attempt=part.attempt)
        if mine.update(state=State.RUNNING, attempt=attempt, lease_until=lease):
            return part, attempt
    return None


def _give(row: MatchRun, work: "Work", part: "Part", phase: str) -> bytes:
    import numpy as np

    from matching.linkage.engine import Settings
    from matching.linkage.frame import compare_part
    from matching.linkage.parts import count_part, pack

    found = compare_part(work, part, Settings.workers)
    if phase == Phase.COUNT:
        counted = count_part(work, found)
        return pack(counted.distinct, counted.counts, counted.by_rule)
    wanted = np.array(row.plan["wanted"], np.int64)
    kept = found.chosen(np.flatnonzero(np.isin(found.pattern, wanted)))
    return pack(kept.left, kept.right, kept.pattern, kept.rule)
