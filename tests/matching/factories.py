"""A small company whose duplicates are known, and the shortcuts of the matching tests."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from matching import runs
from matching.models import MatchRun, PairEvidence, ReviewTask, RuleSet
from matching.neighbourhood import settle
from mdm import jobs
from mdm.models import SourceRecord
from tests.matching.people import households
from tests.mdm.factories import make_records


def make_steward(username: str = "a.petit") -> User:
    """Return the user of that name, who decides."""
    return User.objects.get_or_create(username=username)[0]


ANNE: dict[str, Any] = {
    "given_name": "Anne",
    "family_name": "Lefebvre",
    "birth_date": "1984-11-03",
    "email": "anne.lefebvre@example.com",
    "phone": "+33199001122",
    "street_number": "12",
    "street": "rue du Pré",
    "postcode": "44000",
    "city": "Nantes",
}


def anne(source: str = "crm", **changes: Any) -> Mapping[str, Any]:
    """Return a row of Anne's, as `make_records` takes it, with changes."""
    return {"source": source, **ANNE, **changes}


def make_company(homes: int = 60) -> list[SourceRecord]:
    """Store the people of some invented households, part of them twice."""
    rows: list[Mapping[str, Any]] = [
        {"source": "crm", **{name: value for name, value in values.items() if value}}
        for _record, _person, values in households(homes)
    ]
    return make_records(rows)


def run_match(**options: Any) -> dict[str, Any]:
    """Search for duplicates in this process and return the figures."""
    job = jobs.run_now(runs.prepare_run(by=None, **options))
    return dict(job.result or {})


def use_a_rule_too_broad() -> None:
    """Put rules in force of which the family name is too broad and the website finds nothing."""
    budgets = {"email": 25.0, "family_name": 0.001, "website": 25.0}
    rules = [{"parts": [part], "budget": budget} for part, budget in budgets.items()]
    RuleSet.objects.create(version=1, status="active", parameters={"rules": rules})


def customers_of(*records: SourceRecord) -> list[int]:
    """Return the customer each record belongs to now."""
    found = dict(
        SourceRecord.objects.filter(pk__in=[r.pk for r in records]).values_list(
            "pk", "customer_id"
        )
    )
    return [found[record.pk] for record in records]


def links() -> dict[int, tuple[int, str]]:
    """Return the customer and the rule of every record."""
    rows = SourceRecord.objects.values_list("pk", "customer_id", "link_rule")
    return {pk: (customer, rule) for pk, customer, rule in rows}


def make_evidence(
    left: SourceRecord,
    right: SourceRecord,
    score: float = 9.0,
    *,
    automatic: bool = True,
    run: MatchRun | None = None,
) -> PairEvidence:
    """Store what a run would have found for two records; `settle` carries it out."""
    return PairEvidence.objects.create(
        left=left, right=right, score=score, automatic=automatic, run=run or _a_run(), pattern=0
    )


def _a_run() -> MatchRun:
    rules, _created = RuleSet.objects.get_or_create(
        version=1, defaults={"status": "active", "parameters": {}}
    )
    model = {"fields": [], "classes": ["same", "other"], "match_count": 1, "probabilities": {}}
    run, _created = MatchRun.objects.get_or_create(
        rule_set=rules, job=None, defaults={"model": {**model, "shares": [0.5, 0.5]}}
    )
    return run


def settled(*records: SourceRecord) -> list[int]:
    """Settle the neighbourhood of these records; return the customer of each."""
    with transaction.atomic():
        settle([record.pk for record in records], by=None, reason="test")
    return customers_of(*records)


def open_task(left: SourceRecord, right: SourceRecord, **values: Any) -> ReviewTask:
    """Store a task about two records."""
    return ReviewTask.objects.create(left=left, right=right, **{"score": 1.0, **values})
