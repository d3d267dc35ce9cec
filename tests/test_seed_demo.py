"""`seed_demo`: the demo company goes in by the same door as anybody's files, once."""

from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import override_settings
from django.urls import reverse
from django.utils.timezone import now

from consent.at_risk import BY_CODE, at_risk
from consent.evaluation import evaluate, offer_for
from consent.models import (
    CollectionPoint,
    ConsentEvent,
    NoticePicture,
    OutgoingMail,
    PermissionState,
    Purpose,
    RightsRequest,
)
from consent.policies import pack_at
from consent.quarantine import checked_files, findings_of, tally_of
from consent.running_out import count_running_out
from matching.models import MatchRun
from mdm.models import Contract, Customer, LoadBatch, Sale, SourceRecord, SourceSystem
from mdm.quality_figures import sources_due
from tests.database_copies import Copy, copied_database
from tests.factories import UserFactory
from tests.matching.factories import anne
from tests.mdm.factories import make_records
from tests.mdm.pages import client_of


@pytest.fixture(scope="module")
def demo(committed: Copy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copy]:
    """The demo company of 300 lines, not matched yet."""
    folder = tmp_path_factory.mktemp("demo")
    with override_settings(DATA_DIR=folder):
        call_command("seed_demo", rows=300, match=False)
        with copied_database("demo", folder) as copy:
            yield copy


@pytest.fixture(autouse=True)
def as_seeded(demo: Copy) -> None:
    """Each test finds the company as it was seeded."""
    demo.restore()


FILES = {"crm", "shop", "newsletter"}


def from_files():
    """Return the records of the three files; a few visitors of the form are new customers."""
    return SourceRecord.objects.filter(source__code__in=FILES)


def test_every_line_of_the_three_files_becomes_a_record():
    assert from_files().count() == 300
    assert {record.source.code for record in from_files()} == FILES
    assert not LoadBatch.objects.filter(rejected_count__gt=0).exists()


def test_the_sources_of_a_french_demo_have_french_names():
    labels = dict(SourceSystem.objects.values_list("code", "label"))

    assert labels["shop"] == "Boutique en ligne"
    assert labels["web-form"] == "Formulaire web"


def test_the_company_brings_sales_contracts_and_answers_about_consent():
    assert Sale.objects.exists()
    assert Contract.objects.exists()
    assert ConsentEvent.objects.exists()


def test_the_demo_reaches_people_by_text_and_shows_how_they_agreed():
    marketing = offer_for(Purpose.objects.get(code="marketing"))
    people = Customer.objects.filter(status="active").values_list("pk", flat=True)

    by_channel = {
        channel: sum(
            o.answer.allowed and o.answer.rule in {"E1", "P1"}
            for o in evaluate(people, channel=channel, offer=marketing)
        )
        for channel in ("email", "sms", "phone")
    }

    assert all(by_channel.values()), by_channel
    event = ConsentEvent.objects.filter(channel="sms", type="given", actor_type="person").first()
    assert event.notice_version.code == "offers-sms"
    assert event.evidence.get().kind == "double_opt_in"
    assert RightsRequest.objects.count() == 3
    assert not OutgoingMail.objects.filter(due_at__isnull=False).exists()  # Nobody is written to.
    call_command("seed_demo", match=False)
    assert CollectionPoint.objects.count() == 2
    assert not sources_due()  # The page of data quality greets nobody with old figures.
    call_command("rebuild", check=True)


def test_a_second_call_goes_on_with_the_company_that_is_there(capsys):
    call_command("seed_demo", match=False)

    assert from_files().count() == 300
    assert "300" in capsys.readouterr().out


def test_another_company_is_refused_in_one_sentence():
    with pytest.raises(CommandError, match="demo-reset"):
        call_command("seed_demo", rows=200, match=False)

    assert from_files().count() == 300


def test_matching_is_part_of_it_unless_left_out_and_the_staff_leave_cases():
    assert not MatchRun.objects.exists()
    for role in ("steward", "dpo", "administrator"):
        UserFactory(username=role, role=role)
    make_records([anne(), anne("shop", email="anne@example.org", given_name="Claire")])

    call_command("seed_demo")

    assert MatchRun.objects.count() == 2  # Once more for whoever came after the first.
    home = client_of("steward").get(reverse("admin:index"))
    assert not home.context["steward"].is_search_due
    assert PermissionState.objects.filter(state="contested").exists()
    running_out = count_running_out(pack_at(now()), now())
    assert sum(count.due for count in running_out if count.channel == "sms") > 0
    (batch,) = checked_files()
    assert tally_of(batch.sample_draw, findings_of(batch.sample_draw)).lacking == 1
    assert NoticePicture.objects.exists()
    assert 0 < at_risk(BY_CODE["picture"]).count() < ConsentEvent.objects.count()
    call_command("rebuild", check=True)
    call_command("seed_demo")
    assert checked_files().count() == 1


def test_no_rows_is_refused():
    with pytest.raises(CommandError, match="--rows"):
        call_command("seed_demo", rows=0)
