"""What the last search learnt, kept ready to score other records by it."""

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from matching.models import MatchRun, WholeFile
from matching.rule_sets import Parameters
from matching.scoring import ModelState, ScoreModel, is_current

if TYPE_CHECKING:
    from matching.linkage.keys import Rule
    from matching.linkage.known import Known


@dataclass(frozen=True)
class Learnt:
    """Parameters of a finished search: scores by them are those of its evidence."""

    run_id: int
    model: ScoreModel
    known: "Known"
    rules: "tuple[Rule, ...]"
    parameters: Parameters


def learnt_by(run: MatchRun | None) -> Learnt | None:
    """Return what a search learnt; None when it can no longer be used, or there was none."""
    found = _latest(WholeFile.objects.filter(run=run)).first() if run else None
    return _read(*found) if found else None


def learnt_with_keys() -> Learnt | None:
    """Return what the last search learnt whose blocking keys are stored."""
    with connection.cursor() as cursor:
        cursor.execute(*_latest_with_keys())
        found = cursor.fetchone()
    return _read(found[0], UUID(str(found[1]))) if found else None  # SQLite gives its digits.


@cache
def _latest_with_keys() -> tuple[str, tuple[Any, ...]]:
    """Return the query: Django takes longer to put it together than the database to answer."""
    return _latest(keyed_files())[:1].query.sql_with_params()


def keyed_files() -> "QuerySet[WholeFile]":
    """Return what searches saw whose blocking keys are stored, and that were not undone."""
    return WholeFile.objects.filter(is_keyed=True, run__undone_at=None)


def rules_of(run: MatchRun) -> "tuple[Rule, ...]":
    """Return the blocking rules that a finished search used, in their order."""
    from matching.linkage.keys import Rule

    whole = WholeFile.objects.filter(run=run).first()
    names = whole.rules if whole else ()
    # What a rule may cost was judged on the whole file.
    return tuple(Rule(tuple(name.split("+")), budget=float("inf")) for name in names)


def _latest(files: "QuerySet[WholeFile]") -> "QuerySet[WholeFile, tuple[int, UUID]]":
    # By its key: "-run" would turn round the order of runs, which is the latest first.
    return files.order_by("-run_id").values_list("pk", "run__job")


@lru_cache(maxsize=4)
def _read(pk: int, _job: UUID) -> Learnt | None:
    """Read what never changes once its job has written it; a process uses one or two."""
    from matching.linkage.known import Known

    whole = WholeFile.objects.select_related("run__rule_set").get(pk=pk)
    state = cast("ModelState", whole.run.model)
    if not state or not is_current(state):
        return None
    return Learnt(
        whole.run_id,
        ScoreModel.from_state(state),
        Known.from_state(whole.known),
        rules_of(whole.run),
        Parameters.read(whole.run.rule_set.parameters),
    )
