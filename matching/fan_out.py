"""One search by several workers, on as many machines as there are.

The job of the search cuts it into parts by rule and key, rings for helpers and takes part itself:
whoever is free claims the next part with a lease, so a part of a worker that died is done by
another one; what a part gives depends on the plan alone, so whoever ends it first has done it.
With one worker the job does all parts alone; helpers that come when nothing is left do nothing. In
two phases, parts count their patterns, the job trains the model once, and parts give the pairs
that are kept. By what an earlier search learnt they do both at once. Parts that are done stay done
when the job itself starts again, as long as it reads the same records; until then helpers make
room for it, which may have no other worker.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import timedelta
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils.timezone import now

from matching import codes
from matching.models import MatchPart, MatchRun
from matching.scoring import ModelState, ScoreModel
from mdm import bulk, jobs
from mdm.jobs import JobRun
from mdm.models import Job

if TYPE_CHECKING:
    from matching.linkage.columns import Ids
    from matching.linkage.frame import SpreadRun
    from matching.linkage.pairing import Candidates
    from matching.linkage.parts import Counted, Part, Scored, Work

KIND = "match_help"
MOST_HELPERS = 7
_WAIT_SECONDS = 0.2

Phase = MatchPart.Phase
State = MatchPart.State
_COUNTS, _PAIRS = 3, 4  # Arrays of what is counted, and of pairs, as they are packed.


class JobCrew:
    """The job of a search and its helpers, as `linkage.frame.Crew` wants them."""

    def __init__(self, run: JobRun, row: MatchRun, page_ids: Sequence[int], ids: "Ids") -> None:
        self.run, self.row, self.page_ids, self.ids = run, row, page_ids, ids

    def runner(self) -> "Callable[..., SpreadRun]":
        """Return what `engine.link` is to run by."""
        from matching.linkage.frame import SpreadRun

        return partial(
            SpreadRun,
            crew=self,
            spread_from=settings.MATCH_SPREAD_FROM_PAIRS,
            part_size=settings.MATCH_PAIRS_PER_PART,
        )

    def count(self, work: "Work", parts: "Sequence[Part]") -> "list[Counted]":
        """Return what each part counts."""
        from matching.linkage.parts import Counted, unpack

        self._begin(work, len(parts), [Phase.COUNT, Phase.PAIRS])
        done = self._done(work, parts, Phase.COUNT)
        return [Counted(*unpack(content, _COUNTS)) for content in done]

    def collect(self, work: "Work", parts: "Sequence[Part]", wanted: "Ids") -> "list[Candidates]":
        """Return the pairs of each part that have one of the wanted patterns."""
        from matching.linkage.pairing import Candidates
        from matching.linkage.parts import unpack

        with self.run.chunk(cursor=self.run.cursor, phase="score"):
            self.row.plan["wanted"] = wanted.tolist()
            self.row.save(update_fields=["plan"])
            _lay_out(self.row, Phase.PAIRS, len(parts))
        done = self._done(work, parts, Phase.PAIRS)
        return [Candidates(*unpack(content, _PAIRS)) for content in done]

    def score(self, work: "Work", parts: "Sequence[Part]", model: ScoreModel) -> "list[Scored]":
        """Return what each part counts, and its pairs that are kept by what was learnt."""
        from matching.linkage.pairing import Candidates
        from matching.linkage.parts import Counted, Scored, unpack

        self.row.model = dict(model.to_state())
        self._begin(work, len(parts), [Phase.PAIRS])
        scored = []
        for content in self._done(work, parts, Phase.PAIRS):
            arrays = unpack(content, _COUNTS + _PAIRS)
            counted, kept = arrays[:_COUNTS], arrays[_COUNTS:]
            scored.append(Scored(Counted(*counted), Candidates(*kept)))
        return scored

    def _begin(self, work: "Work", part_count: int, phases: Sequence[str]) -> None:
        """Lay out the parts of the first phase, or keep those that an earlier attempt laid out.

        Where parts score at once, the row has the model.
        """
        size = settings.MATCH_PAIRS_PER_PART
        present = {"phases": phases, "size": size}
        fingerprint = _fingerprint(work, self.ids, present, self.row)
        with self.run.chunk(cursor=self.run.cursor, phase="compare"):
            if self.row.plan.get("fingerprint") != fingerprint:
                MatchPart.objects.filter(run=self.row).delete()
                self.row.plan = {
                    **present,
                    "fingerprint": fingerprint,
                    "pages": list(self.page_ids),
                    "rules": [one.rule.name for one in work.blocks],
                }
                self.row.save(update_fields=["plan", "model"])
                _lay_out(self.row, phases[0], part_count)
            # Whoever did one when this job was killed may be dead as well.
            _open(self.row).update(state=State.WAITING)
        for number in range(min(part_count - 1, MOST_HELPERS)):
            key = f"{KIND} {self.row.pk} {number}"  # Those that live are not asked for twice.
            jobs.submit(KIND, {"run": self.row.pk}, by=None, idempotency_key=key)

    def _done(self, work: "Work", parts: "Sequence[Part]", phase: str) -> Iterator[bytes]:
        """Do parts until all are done; yield what they gave, in their order."""
        own = MatchPart.objects.filter(run=self.row, phase=phase)
        stage = "compare" if phase == self.row.plan["phases"][0] else "score"
        while left := own.exclude(state=State.DONE).count():
            self.run.progress(len(parts) - left, len(parts), stage)
            if not _do_one(self.row, work, parts, phase):
                time.sleep(_WAIT_SECONDS)
        yield from (bytes(one) for one in own.order_by("number").values_list("content", flat=True))


def end_of_work(row: MatchRun) -> None:
    """Take the parts of a search away, and call off helpers that have not come yet."""
    MatchPart.objects.all().delete()  # One search is cut at a time.
    helpers = Job.objects.filter(kind=KIND, parameters__run=row.pk, state=Job.State.QUEUED)
    helpers.update(state=Job.State.CANCELLED, finished_at=now())


def give_up(row: MatchRun) -> None:
    """Take the parts of a search away that somebody stopped, and the plan that counts on them."""
    row.plan = {}
    row.save(update_fields=["plan"])
    end_of_work(row)


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
    """Say whether the search goes on by the plan of this row.

    That is while it has parts to do, or will have once it has learnt.
    """
    plan = _present_plan(row)
    if not plan or plan["fingerprint"] != row.plan.get("fingerprint"):
        return False
    is_to_learn = not _is_learnt(plan) and "wanted" not in plan
    return _goes_on(row) and (is_to_learn or _open(row).exists())


def _goes_on(row: MatchRun) -> bool:
    """Say whether a worker has the job: where it waits for one, that may be the helper's own."""
    running = Job.objects.filter(match_run=row, state=Job.State.RUNNING, cancel_requested=False)
    return running.exists()


def _present_plan(row: MatchRun) -> dict[str, Any]:
    """Return the plan as it stands now; the row keeps the one that its reader has built from."""
    plan: dict[str, Any] = MatchRun.objects.values_list("plan", flat=True).get(pk=row.pk)
    return plan


def _is_learnt(plan: Mapping[str, Any]) -> bool:
    """Say whether parts score at once, by the model that the row has from the start."""
    return bool(plan.get("phases") == [Phase.PAIRS])  # Plans of older versions name none.


def _fingerprint(work: "Work", ids: "Ids", plan: Mapping[str, Any], row: MatchRun) -> str:
    """Return what tells whether others have built and cut the very same, and score by it."""
    model = json.dumps(row.model, sort_keys=True) if _is_learnt(plan) else ""
    digest = sha256(model.encode()).hexdigest()[:16] if model else "learns"
    return f"{work.fingerprint(ids)} {plan['size']} {digest}"


def _open(row: MatchRun) -> "QuerySet[MatchPart]":
    """Return the parts that are not done."""
    return MatchPart.objects.filter(run=row).exclude(state=State.DONE)


def _build(row: MatchRun) -> "tuple[Work, list[Part]] | None":
    """Build from the plan what the job itself works with; None when the pages have changed."""
    from matching.linkage.blocking import Claims
    from matching.linkage.encoding import encode
    from matching.linkage.keys import Rule
    from matching.linkage.pairing import Scope
    from matching.linkage.parts import Work, cut
    from matching.linkage.proposals import build_all
    from matching.rule_sets import Parameters
    from matching.searching import settings_of

    chosen = settings_of(Parameters.read(row.rule_set.parameters))
    records = codes.read_pages(row.plan["pages"])
    encoded = encode(records, compare_sources=chosen.compares_sources, reading=chosen.reading)
    rules = [Rule(tuple(name.split("+")), budget=float("inf")) for name in row.plan["rules"]]
    blocks = build_all(encoded, rules, chosen.block_cap, workers=chosen.workers)
    work = Work(encoded, Claims(blocks), Scope(None, records.sources, chosen.clean_sources))
    if _fingerprint(work, records.ids, row.plan, row) != row.plan["fingerprint"]:
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
    part = _claim(row, phase)
    if part is None:
        return False
    _keep(part, _give(row, work, parts[part.number], phase))
    return True


def _keep(part: MatchPart, content: bytes) -> bool:
    """Store what a part gave; False when another worker has, or when it is of no plan any more."""
    own = MatchPart.objects.filter(pk=part.pk).exclude(state=State.DONE)
    return own.update(state=State.DONE, content=content, lease_until=None) == 1


def _claim(row: MatchRun, phase: str) -> MatchPart | None:
    """Take a free part of the plan that this row has; None when there is none."""
    free = MatchPart.objects.filter(
        Q(state=State.WAITING) | Q(state=State.RUNNING, lease_until__lt=now()),
        run=row,
        run__plan__fingerprint=row.plan["fingerprint"],
        phase=phase,
    )
    lease = now() + timedelta(seconds=settings.JOB_LEASE_SECONDS)
    for part in free.order_by("number").defer("content")[:MOST_HELPERS]:
        # Without the join: a statement that has waited for a lock looks at its own row again only.
        mine = MatchPart.objects.filter(pk=part.pk, attempt=part.attempt).exclude(state=State.DONE)
        if mine.update(state=State.RUNNING, attempt=part.attempt + 1, lease_until=lease):
            return part
    return None


def _give(row: MatchRun, work: "Work", part: "Part", phase: str) -> bytes:
    import numpy as np

    from matching.linkage.engine import Settings
    from matching.linkage.frame import compare_part
    from matching.linkage.parts import count_part, pack, score_part
    from matching.rule_sets import Parameters
    from matching.searching import settings_of

    found = compare_part(work, part, Settings.workers)
    if phase == Phase.COUNT:
        return pack(*_arrays(count_part(work, found)))
    if _is_learnt(row.plan):
        model = ScoreModel.from_state(cast("ModelState", row.model))
        chosen = settings_of(Parameters.read(row.rule_set.parameters))
        scored = score_part(work, found, model, chosen)
        return pack(*_arrays(scored.counted), *_arrays(scored.kept))
    # From the plan as it is now: a helper may have built from it before the search had learnt.
    wanted = np.array(_present_plan(row).get("wanted", []), np.int64)
    return pack(*_arrays(found.chosen(np.flatnonzero(np.isin(found.pattern, wanted)))))


def _arrays(given: "Counted | Candidates") -> list[Any]:
    """Return the arrays of what a part gives, in the order of its fields."""
    return [getattr(given, field.name) for field in fields(given)]
