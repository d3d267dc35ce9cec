"""What survivorship rules would change, and making them change it: both go through all customers.

Only customers of several records can change: one record leaves no choice. Results hold public
ids and names of attributes; the values are read anew when a page shows an example.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db import connection
from django.utils.translation import gettext_noop

from mdm import identity
from mdm.audit import acting_as
from mdm.golden_records import Prospect, prospects_under
from mdm.jobs import JobRun, job
from mdm.models import ATTRIBUTES, Customer, GoldenRecord, SurvivorshipRuleSet
from mdm.reasons import reason_of
from mdm.survivorship import GROUPS
from mdm.survivorship_rules import APPLY, SIMULATE, rules_of

EXAMPLES = 20
_CHUNK_SIZE = {"sqlite": 500, "postgresql": 2000}


@job(SIMULATE)
def run_simulation(run: JobRun) -> Mapping[str, Any]:
    """Count the golden records a version would change, by attribute; give the first examples."""
    rules = rules_of(_rule_set(run))
    found = run.cursor or {"after": 0, "checked": 0, "changed": 0, "groups": {}, "examples": []}
    total = _choices().count()
    for keys in _chunks(found["after"]):
        prospects = prospects_under(rules, keys)
        _count(found, keys, prospects)
        with run.chunk(cursor=found, done=found["checked"], total=total, phase="simulating"):
            pass
    return {
        "customers": found["checked"],
        "changed": found["changed"],
        "attributes": found["groups"],
        "examples": found["examples"],
    }


@job(APPLY)
def run_rules(run: JobRun) -> Mapping[str, Any]:
    """Bring the golden records that the rules in force change up to date, with history."""
    rule_set = _rule_set(run)
    rules = rules_of(rule_set)
    done = run.cursor or {"after": 0, "checked": 0, "changed": 0}
    total = _choices().count()
    reason = reason_of(gettext_noop("Survivorship rules %(version)s in force"), version=rule_set)
    for keys in _chunks(done["after"]):
        done["after"], done["checked"] = keys[-1], done["checked"] + len(keys)
        done["changed"] += len(prospects_under(rules, keys))
        with (
            acting_as(rule_set.activated_by, reason),
            run.chunk(cursor=done, done=done["checked"], total=total, phase="consolidating"),
        ):
            # All of them: a value that stays may have another reason from now on.
            identity.refresh(keys)
    return {"customers": done["checked"], "changed": done["changed"]}


def changed_groups(prospect: Prospect) -> list[str]:
    """Return the groups of attributes that differ between now and then, in the order of pages."""
    before = prospect.before or ("",) * len(ATTRIBUTES)
    after = prospect.after or ("",) * len(ATTRIBUTES)
    differing = {
        name for name, old, new in zip(ATTRIBUTES, before, after, strict=True) if old != new
    }
    return [group for group, names in GROUPS.items() if differing.intersection(names)]


def _count(found: dict[str, Any], keys: Sequence[int], prospects: Sequence[Prospect]) -> None:
    found["after"], found["checked"] = keys[-1], found["checked"] + len(keys)
    found["changed"] += len(prospects)
    groups = Counter(found["groups"])
    for prospect in prospects:
        groups.update(changed_groups(prospect))
    found["groups"] = dict(groups)
    wanted = [prospect.customer_id for prospect in prospects[: EXAMPLES - len(found["examples"])]]
    ids = dict(Customer.objects.filter(pk__in=wanted).values_list("pk", "public_id"))
    found["examples"] += [ids[key] for key in wanted]


def _choices() -> Any:
    return GoldenRecord.objects.filter(record_count__gt=1)


def _chunks(after: int) -> Iterator[list[int]]:
    size = _CHUNK_SIZE[connection.vendor]
    while keys := list(
        _choices().filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:size]
    ):
        yield keys
        after = keys[-1]


def _rule_set(run: JobRun) -> SurvivorshipRuleSet:
    return SurvivorshipRuleSet.objects.select_related("activated_by").get(
        pk=run.parameters["rule_set"]
    )
