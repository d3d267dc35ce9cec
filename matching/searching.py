"""One search over codes: all records, or what changed with all; refusals in words."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from matching import codes, key_table
from matching.learnt import Learnt, learnt_with_keys
from matching.rule_sets import Parameters
from mdm.freed import give_back
from mdm.jobs import JobRefused, JobRun
from mdm.models import SourceRecord

if TYPE_CHECKING:
    from matching.fan_out import JobCrew
    from matching.linkage.coded import Folded
    from matching.linkage.engine import Result, Settings
    from matching.linkage.readings import Reading

MOST_BY_KEYS = 20_000
"""Changed records whose candidates are looked up; for more, all codes are read."""


def start(run: JobRun) -> None:
    """Import the toolkit: some seconds, once per process."""
    run.progress(0, None, "start")
    import matching.linkage.frame  # noqa: F401


def score(
    run: JobRun,
    records: "Folded",
    parameters: Parameters,
    crew: "JobCrew | None" = None,
    learnt: Learnt | None = None,
) -> "Result":
    """Return the pairs of all records, and what was learnt from them.

    Args:
        run: the job.
        records: all live records.
        parameters: the rule set.
        crew: who does the parts of a large search; one process when None.
        learnt: what an earlier search by the same rules learnt, to go by; None to learn anew.

    Raises:
        JobRefused: when there is nothing to match, or far too much.
    """
    from matching.linkage.engine import link
    from matching.linkage.frame import ToolkitRun

    if not len(records):
        raise JobRefused(_("There are no records to match: load a file of customers first."))

    def tell(stage: str, done: int, total: int) -> None:
        if not total:  # A stage begins, and what the last one alone needed is free.
            give_back()
        run.progress(done, total or None, stage)

    settings = settings_of(parameters)
    if learnt:
        settings = replace(settings, learnt_rules=learnt.rules)
    with _refusals_in_words():
        return link(
            records,
            settings,
            model=learnt.model.to_state() if learnt else None,
            run_by=crew.runner() if crew else ToolkitRun,
            progress=tell,
        )


def score_changes(run: JobRun, record_ids: set[int], learnt: Learnt) -> "Result":
    """Return the pairs with one of these records, by what an earlier search learnt.

    The pairs, patterns and scores are those that a search over all records by the same rules and
    parameters would give.

    Raises:
        JobRefused: when there would be far too many.
    """
    from matching.linkage.engine import link
    from matching.linkage.frame import ToolkitRun

    settings = replace(settings_of(learnt.parameters), rules=learnt.rules)
    if not record_ids or (len(record_ids) <= MOST_BY_KEYS and _has_keys(run, learnt)):
        changed = codes.records_now(record_ids)
        found = key_table.candidates(changed, learnt)
        records = codes.records_now(found.record_ids.union(changed.ids.tolist()))
        settings = replace(settings, too_common=found.too_common)
    else:
        records = codes.read_stock(run).records
    with _refusals_in_words():
        result = link(
            records,
            settings,
            model=learnt.model.to_state(),
            known=learnt.known,
            changed=sorted(record_ids),
            run_by=ToolkitRun,
            progress=lambda stage, done, total: run.progress(done, total or None, stage),
        )
    counts = {**result.counts, "records": SourceRecord.objects.active().count()}
    return replace(result, counts=counts)


def settings_of(parameters: Parameters) -> "Settings":
    """Return what a rule set says as the engine reads it; rules as delivered follow the data."""
    from matching.linkage.engine import Settings
    from matching.linkage.keys import Rule
    from matching.linkage.training import Training

    rules = tuple(Rule(rule.parts, rule.budget) for rule in parameters.rules)
    return Settings(
        rules=rules or None,
        review_floor=parameters.review_floor,
        automatic_threshold=parameters.automatic_threshold,
        organisation_floor=parameters.organisation_floor,
        organisation_threshold=parameters.organisation_threshold,
        block_cap=parameters.block_cap,
        clean_sources=None if parameters.link_only else frozenset(),
        reading=reading_of(parameters),
        unguarded=parameters.unguarded,
        lifts_guards=parameters.lifts_guards,
        training=Training(parameters.most_rounds, parameters.shrink, parameters.prior_pairs),
    )


def reading_of(parameters: Parameters) -> "Reading":
    """Return how a rule set wants comparisons read."""
    from matching.linkage.readings import Reading

    return Reading.of(parameters.left_out, parameters.read_as)


def _has_keys(run: JobRun, learnt: Learnt) -> bool:
    """Bring the table of keys up to date; False when it lacks these rules."""
    keyed = learnt_with_keys()
    if keyed is None or not set(learnt.rules) <= set(keyed.rules):
        return False
    key_table.write_unkeyed(run, learnt)
    return True


@contextmanager
def _refusals_in_words() -> Iterator[None]:
    from matching.linkage.blocking import TooManyPairs
    from matching.linkage.engine import NothingToCompare

    try:
        yield
    except NothingToCompare as error:
        raise JobRefused(
            _("There is nothing to compare: no two records share an attribute.")
        ) from error
    except TooManyPairs as error:
        raise JobRefused(
            _(
                "The blocking rules would make %(total)d pairs, more than one run may compare: "
                "%(pairs)d of them by %(rule)s, in blocks of up to %(largest)d records."
            ),
            total=error.total,
            pairs=error.pairs,
            rule=error.rule,
            largest=error.largest_block,
        ) from error
