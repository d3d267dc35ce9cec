"""The home page: what waits, what runs and what is wrong, for each role."""

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.timezone import now

from config.navigation import GROUPS
from consent.rights import receive_request
from matching.models import Decision, ReviewTask
from mdm.birth_ids import public_id
from mdm.models import Job, LoadBatch
from mdm.pins import pin
from tests.factories import UserFactory
from tests.mdm.factories import JobFactory, make_record, make_records
from tests.mdm.loading.files import load, row
from tests.mdm.pages import client_of

pytestmark = pytest.mark.django_db


def home(client: Client) -> str:
    answer = client.get(reverse("admin:index"))
    assert answer.status_code == 200
    return answer.text


def open_tasks(count: int) -> None:
    records = make_records([{"family_name": "Petit"}] * (count + 1))
    for other in records[1:]:
        ReviewTask.objects.create(left=records[0], right=other, score=3.0)


def test_an_empty_house_says_what_to_do_first():
    assert "Load your first file" in home(client_of("steward"))
    assert "Plan your first campaign" in home(client_of("marketer"))
    assert "No permission is known yet" in home(client_of("dpo"))


def test_the_steward_sees_the_queue_and_its_age():
    open_tasks(3)
    ReviewTask.objects.update(created_at=now() - timedelta(days=2))

    page = home(client_of("steward"))

    assert "To decide" in page
    assert "the oldest waits for 2\xa0days" in page


def test_the_steward_sees_records_become_customers():
    make_record("crm", family_name="Petit")
    make_record("web", family_name="Grand")

    assert "2 records are 2 customers" in home(client_of("steward"))


def test_pins_due_for_review_lead_the_steward_to_their_customers():
    record = make_record(family_name="Petit")
    days = {"email": now() - timedelta(days=1), "phone": now() + timedelta(days=9)}
    for attribute, day in days.items():
        pin(
            record.pk,
            attribute,
            "hide",
            by=UserFactory(),
            reason=f"old {attribute}",
            review_on=day.date(),
        )

    page = home(client_of("steward"))

    assert "old email" in page
    assert "<b>E-mail</b>" in page
    assert reverse("mdm:customer", args=[public_id(record.pk)]) in page
    assert "old phone" not in page
    assert "Pins to look at again" not in home(client_of("dpo"))


def test_decisions_of_the_day_are_counted():
    left, right = make_records([{"family_name": "Petit"}] * 2)
    steward = UserFactory(role="steward")
    Decision.objects.create(left=left, right=right, verdict="same", decided_by=steward)
    client = Client(headers={"accept-language": "en"})
    client.force_login(steward)

    steward_home = client.get(reverse("admin:index")).context["home"].steward

    assert steward_home.decisions_per_day == [0] * 13 + [1]
    assert steward_home.decided_today_by_me == 1


def test_a_file_loaded_after_the_last_search_asks_for_a_new_one():
    make_record(family_name="Petit")
    LoadBatch.objects.update(finished_at=now())

    assert "Files were loaded since the last search" in home(client_of("steward"))


def test_rejected_lines_lead_to_their_file():
    make_record(family_name="Petit")
    LoadBatch.objects.update(rejected_count=41)

    page = home(client_of("steward"))

    assert "41 lines rejected" in page
    assert reverse("mdm:batch", args=[LoadBatch.objects.get().pk]) in page


@pytest.mark.parametrize(("language", "told"), [("en", "just now"), ("fr", "à l’instant")])
def test_what_has_just_happened_is_told_so(language, told):
    load(row("C1"))

    page = home(client_of("steward", language=language))

    assert f"<td>{told}</td>" in page
    LoadBatch.objects.update(finished_at=now() - timedelta(hours=2))
    later = home(client_of("steward", language=language))
    assert {"en": "2\xa0hours ago", "fr": "il y a 2\xa0heures"}[language] in later


def test_failed_jobs_are_told_in_words():
    JobFactory(kind="load", state=Job.State.FAILED, error="The file is empty.", finished_at=now())

    for role in ("steward", "dpo", "administrator"):
        assert "The file is empty." in home(client_of(role))
    assert "The file is empty." not in home(client_of("marketer"))


def test_a_running_job_shows_its_progress():
    job = JobFactory(kind="load", state=Job.State.RUNNING, started_at=now(), done_count=5)

    assert reverse("mdm:job-state", args=[job.pk]) in home(client_of("steward"))


def test_the_dpo_sees_who_waits_for_an_answer_and_until_when():
    assert "nobody waits" in home(client_of("dpo"))
    request = receive_request(make_record(email="ada@example.com").customer, kind="access")

    text = home(client_of("dpo"))

    assert "next deadline" in text
    assert str(request.due_on.day) in text.split("next deadline")[1][:20]


def test_roles_are_called_in_the_language_of_the_page():
    administrator = client_of("administrator")
    administrator.cookies[settings.LANGUAGE_COOKIE_NAME] = "fr"
    role = Group.objects.get(name="dpo")

    pages = [
        home(administrator),
        administrator.get(reverse("admin:auth_group_changelist")).text,
        administrator.get(reverse("admin:auth_group_change", args=[role.pk])).text,
        administrator.get(reverse("admin:auth_user_changelist")).text,
    ]

    assert all("Délégué à la protection des données" in page for page in pages[:3])
    assert "Administrateur" in pages[3]


def test_an_account_without_a_role_is_told_to_the_administrator():
    UserFactory()

    assert "1 person has no role" in home(client_of("administrator"))


MENUS = {
    "steward": {
        "admin:index",
        "mdm:search",
        "matching:similar",
        "matching:review",
        "matching:home",
        "consent:calls",
        "mdm:load-new",
        "admin:mdm_loadbatch_changelist",
        "admin:mdm_sourcesystem_changelist",
        "admin:mdm_valuemap_changelist",
        "mdm:quality",
        "mdm:survivorship",
        "mdm:jobs",
    },
    "dpo": {
        "admin:index",
        "mdm:search",
        "matching:similar",
        "mdm:quality",
        "consent:events",
        "consent:ledger",
        "consent:brokers",
        "consent:suppression",
        "admin:consent_similarfamily_changelist",
        "consent:rehearsal",
        "consent:requests",
        "consent:conflicts",
        "consent:at-risk",
        "consent:running-out",
        "consent:policy",
        "admin:consent_collectionpoint_changelist",
        "admin:consent_purpose_changelist",
        "admin:consent_noticeversion_changelist",
        "campaigns:home",
        "campaigns:downloads",
        "mdm:jobs",
        "admin:mdm_accesslog_changelist",
    },
    "marketer": {
        "admin:index",
        "campaigns:home",
        "campaigns:downloads",
        "consent:running-out",
    },
    "administrator": {
        "admin:index",
        "admin:mdm_sourcesystem_changelist",
        "consent:policy",
        "mdm:jobs",
        "admin:auth_user_changelist",
        "admin:auth_group_changelist",
    },
}


@pytest.mark.parametrize("role", MENUS)
def test_each_role_sees_its_own_menu(role):
    client = client_of(role)
    menu = client.get(reverse("admin:index")).context["sidebar_navigation"]
    shown = {item["link"] for group in menu for item in group["items"]}
    everything = {entry.url_name for _title, entries in GROUPS for entry in entries}

    assert {name for name in everything if reverse(name) in shown} == MENUS[role]


@pytest.mark.parametrize("role", MENUS)
def test_every_line_of_the_menu_opens(role):
    client = client_of(role)
    menu = client.get(reverse("admin:index")).context["sidebar_navigation"]

    answers = {
        item["link"]: client.get(item["link"], follow=True).status_code
        for group in menu
        for item in group["items"]
    }

    assert set(answers.values()) == {200}, answers


@pytest.mark.parametrize("role", MENUS)
def test_the_number_of_queries_does_not_depend_on_the_rows(role):
    client = client_of(role)

    def queries() -> int:
        cache.clear()
        with CaptureQueriesContext(connection) as captured:
            home(client)
        return len(captured)

    open_tasks(1)
    JobFactory(kind="load", state=Job.State.FAILED, finished_at=now())
    few = queries()
    open_tasks(30)
    for _ in range(30):
        JobFactory(kind="load", state=Job.State.FAILED, finished_at=now())

    assert queries() == few <= 26


def test_the_anonymous_are_sent_to_the_login():
    assert Client().get(reverse("admin:index")).status_code == 302


def test_the_login_speaks_the_language_chosen_on_it():
    client, login = Client(headers={"accept-language": "fr"}), reverse("admin:login")
    page = client.get(login + "?next=/jobs/").text

    assert 'name="language" value="en"' in page
    assert 'name="next" value="/admin/login/?next=/jobs/"' in page
    client.post(reverse("set_language"), {"language": "en", "next": login})
    assert '<html lang="en"' in client.get(login).text


def test_home_speaks_the_language_chosen():
    client = client_of("steward")
    client.post(reverse("set_language"), {"language": "fr", "next": "/admin/"})

    assert '<html lang="fr"' in home(client)


def test_the_steward_sees_how_doubtful_each_source_is():
    load(row("C1", email="zoe@example.org"), row("C2", email="no address"))

    page = home(client_of("steward"))

    assert "50%" in page
    assert reverse("mdm:quality") in page


def test_a_role_says_in_words_what_it_may_do():
    client = client_of("administrator")
    steward = Group.objects.get(name="steward")

    register = client.get(reverse("admin:auth_group_changelist"))
    page = client.get(reverse("admin:auth_group_change", args=[steward.pk])).text

    assert ">Data protection officer</a>" in register.text
    assert "<title> Roles | Orfèvre</title>" in register.text
    assert re.search(r"<b>Source system</b> – add · change · see · .*see the history", page)
    assert "Can import source systems from a file" in page
    assert "Can load files of customers" in page
