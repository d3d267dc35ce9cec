"""One campaign to very many people: counted, frozen, downloaded; and the gate asked for one.

`python -m benchmarks.campaigns STEP` runs one step on the data that is there and prints one JSON
object. `measure_campaign` makes the data: a demo company is loaded and searched for duplicates as
usual, then multiplied (`benchmarks.multiply`).
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import django

from benchmarks.acts import percentiles, server_cpu_seconds
from benchmarks.scale import load_company, site_of
from benchmarks.servers import PostgresServer
from benchmarks.steps import Measured
from mdm.demo.company import write_company

if TYPE_CHECKING:
    from campaigns.models import Campaign

COMPANY_ROWS = 60_000
_ASKED = 400
_WARM_UP = 20
_WORDS = {
    "count": "whom it may reach, by rule",
    "freeze": "list frozen, one line per person allowed",
    "download": "CSV file, every line asked again",
}


@dataclass(frozen=True, slots=True)
class CampaignRun:
    """What one campaign took on one database."""

    engine: str
    steps: dict[str, Measured]


def measure_campaign(
    folder: Path, *, people: int, engines: dict[str, PostgresServer | None]
) -> Iterator[CampaignRun]:
    """Ask about at least so many people on each engine."""
    files = write_company(folder / "company", rows=min(people, COMPANY_ROWS), seed=1)
    for engine, server in engines.items():
        with site_of(folder / f"campaign_{engine}{people}", server) as site:
            site.manage("migrate", "--verbosity", "0")
            load_company(site, files)
            site.manage("match", "--json")
            site.module("benchmarks.multiply", str(people))
            names = (*_WORDS, "one")
            steps = {name: site.module("benchmarks.campaigns", name) for name in names}
            yield CampaignRun(engine, steps)


def campaign_tables(runs: Sequence[CampaignRun]) -> list[str]:
    """Return the lines of the page: the steps, then how long one person's answer takes."""
    titles = ("database", "people", "step", "seconds", "CPU s here", "CPU s of the server")
    lines = [f"| {' | '.join((*titles, 'people/s', 'peak MB'))} |", "|---|---:|---|" + "---:|" * 5]
    for run in runs:
        steps = {words: run.steps[name] for name, words in _WORDS.items() if name in run.steps}
        lines += [_line(run.engine, step, words) for words, step in steps.items()]
    lines += ["", "| database | people | asked about one | p50 ms | p95 ms |"]
    lines.append("|---|---:|---|---:|---:|")
    for run in runs:
        one = run.steps["one"].answer
        lines.append(
            f"| {run.engine} | {one['people']:,} | {one['asked']} times | {one['p50']}"
            f" | {one['p95']} |"
        )
    return lines


def _line(engine: str, step: Measured, words: str) -> str:
    answer = step.answer
    return (
        f"| {engine} | {answer['people']:,} | {words} | {answer['inner_seconds']:.1f}"
        f" | {step.cpu_seconds:.1f} | {answer.get('server_cpu_seconds', 0):.1f}"
        f" | {answer['people'] / answer['inner_seconds']:,.0f} | {step.peak_megabytes:,.0f} |"
    )


def _campaign() -> "Campaign":
    from django.contrib.auth.models import User

    from campaigns.models import Campaign
    from consent.models import Channel, Purpose

    owner, _ = User.objects.get_or_create(username="benchmark")
    return Campaign.objects.create(
        name="Benchmark",
        purpose=Purpose.objects.get(code="marketing"),
        channel=Channel.EMAIL,
        owner=owner,
    )


def count_people() -> dict[str, Any]:
    """Count whom an e-mail campaign to everybody may reach."""
    from campaigns.waterfall import measure

    campaign = _campaign()
    started = time.perf_counter()
    waterfall = measure(campaign)
    return {
        "inner_seconds": time.perf_counter() - started,
        "people": waterfall.start,
        "allowed": waterfall.allowed,
    }


def freeze_list() -> dict[str, Any]:
    """Freeze the list of such a campaign, as a worker does."""
    from campaigns.target_lists import freeze
    from mdm.jobs import run_now
    from mdm.models import Job

    campaign = _campaign()
    target_list = freeze(campaign, by=campaign.owner)
    job = Job.objects.get(target_list=target_list)
    started = time.perf_counter()
    run_now(job)
    seconds = time.perf_counter() - started
    target_list.refresh_from_db()
    return {"inner_seconds": seconds, "people": target_list.start_count}


def download_list() -> dict[str, Any]:
    """Download the list frozen last; people are its lines here."""
    from campaigns.downloads import download
    from campaigns.models import TargetList

    target_list = TargetList.objects.exclude(frozen_at=None).latest("pk")
    started = time.perf_counter()
    made = download(target_list, format="csv", reason="Benchmark", by=target_list.owner)
    made.file.close()
    return {"inner_seconds": time.perf_counter() - started, "people": made.entry.row_count}


def ask_about_one() -> dict[str, Any]:
    """Ask the gate about single customers chosen by chance, on all that is known of each."""
    from consent.evaluation import may_contact, offer_for
    from consent.models import Purpose
    from mdm.models import Customer, GoldenRecord

    chance, taken = Random(5), []
    offer = offer_for(Purpose.objects.get(code="marketing"))
    last = GoldenRecord.objects.order_by("-pk").values_list("pk", flat=True)[0]
    for _time in range(_ASKED + _WARM_UP):
        after = chance.randint(1, last)
        customer = Customer.objects.filter(golden__pk__gte=after).order_by("pk")[0]
        started = time.perf_counter()
        may_contact(customer, channel="email", offer=offer)
        taken.append(time.perf_counter() - started)
    people = GoldenRecord.objects.count()
    return {"people": people, "asked": _ASKED, **percentiles(taken[_WARM_UP:])}


STEPS: dict[str, Callable[[], dict[str, Any]]] = {
    "count": count_people,
    "freeze": freeze_list,
    "download": download_list,
    "one": ask_about_one,
}


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    answer = STEPS[sys.argv[1]]()
    print(json.dumps(answer | {"server_cpu_seconds": server_cpu_seconds()}))
