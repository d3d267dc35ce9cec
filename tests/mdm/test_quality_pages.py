"""The pages of data quality: every source, the records behind a figure, the shared values."""

import pytest
from django.test import Client
from django.urls import reverse

from mdm import jobs
from mdm.loading.undo import start_undo
from mdm.models import AccessLog, ContactPoint, Job, SourceQuality, SourceRecord
from mdm.shared_values import Carriers, Guess, guess
from tests.mdm.factories import make_record, make_records
from tests.mdm.loading.files import DOCUMENT, load, row
from tests.mdm.pages import client_of

pytestmark = pytest.mark.django_db

OVERVIEW = reverse("mdm:quality")


def attribute_page(attribute: str = "email", source: str = "crm") -> str:
    return reverse("mdm:quality-attribute", args=[source, attribute])


def dirty_file() -> None:
    load(
        row("C1", email="not an address", nom="ROUX"),
        row("C2", email="zoe@gmial.com", nom="PETIT"),
        row("C3", email="zoe@example.org", nom="MOREAU"),
        row("C4", email="", nom="GIRARD"),
    )


def test_the_overview_tells_what_each_source_gives_and_what_is_doubtful():
    dirty_file()

    answer = client_of("steward").get(OVERVIEW)

    cells = {line.label: line.cells[0] for line in answer.context["rows"]}
    assert (cells["E-mail"].filled_count, cells["E-mail"].doubtful_count) == (2, 2)
    assert cells["E-mail"].tone == "conflict"
    assert (cells["Family name"].step, cells["Family name"].doubtful_count) == (5, 0)
    assert "50%" in answer.text


def test_what_is_split_or_kept_elsewhere_is_not_said_to_be_missing():
    columns = [
        {**told, "attribute": "full_name"} if told["name"] == "nom" else told
        for told in DOCUMENT["column"]
        if told["name"] != "prenom"
    ]
    load(
        row("C1", nom="M. et Mme ROUX", accord="?"),
        row("C2", nom="PETIT Anne", accord="O"),
        document={**DOCUMENT, "column": columns},
    )
    steward = client_of("steward")

    overview, names = steward.get(OVERVIEW), steward.get(attribute_page("full_name"))

    cells = {line.label: line.cells[0] for line in overview.context["rows"]}
    assert (cells["Family name"].filled_count, cells["Whole name"].doubtful_count) == (2, 1)
    assert overview.text.count("only doubts are counted") == 2
    assert "none left" not in overview.text
    assert "1 record" in names.text
    assert "0 of 2 records" not in names.text
    assert "Filled" not in names.text


def test_errors_stand_above_warnings_and_lead_to_their_records():
    dirty_file()

    answer = client_of("steward").get(OVERVIEW)

    first, second = answer.context["issues"]
    assert [(first.code, first.severity), (second.code, second.severity)] == [
        ("invalid", "error"),
        ("domain_typo", "warning"),
    ]
    assert f"{attribute_page()}?code=invalid" in answer.text


def test_the_trend_goes_from_file_to_file():
    load(row("C1", tel="12"), row("C2"))
    load(row("C3"), row("C4"))
    load(row("C3"), row("C4"))  # Changes nothing, so says nothing.

    (trend,) = client_of("dpo").get(OVERVIEW).context["trends"]

    assert [point.batch.doubtful_count for point in trend.points] == [1, 0]
    assert [point.doubtful_height for point in trend.points] == ["100.00%", "0.00%"]
    assert trend.top == 50


def test_a_file_that_was_undone_leaves_the_trend():
    load(row("C1", tel="12"))
    undone = load(row("C2", tel="12"))
    jobs.run_now(start_undo(undone, by=None, is_foreground=True))

    (trend,) = client_of("steward").get(OVERVIEW).context["trends"]

    assert undone not in [point.batch for point in trend.points]


def test_a_figure_leads_to_its_records_with_what_came_and_what_became_of_it():
    dirty_file()

    answer = client_of("steward").get(attribute_page(), {"code": "domain_typo"})

    (found,) = answer.context["page"].records
    assert found.record.source_key == "C2"
    assert found.received == {"email": "zoe@gmial.com"}
    assert found.standard == "zoe@gmial.com"
    record = SourceRecord.objects.get(source_key="C2")
    assert reverse("mdm:customer", args=[record.customer.public_id]) in answer.text


def test_without_a_code_every_issue_of_the_attribute_is_listed():
    dirty_file()

    page = client_of("steward").get(attribute_page()).context["page"]

    assert [found.record.source_key for found in page.records] == ["C1", "C2"]


def test_an_attribute_without_an_issue_says_so():
    dirty_file()

    assert "No record has this issue" in client_of("steward").get(attribute_page("city")).text


def test_many_records_come_page_by_page_each_once():
    make_records([{"issues": [["email", "invalid"]]} for _ in range(120)])
    make_record("web", issues=[["email", "invalid"]])
    make_record(issues=[["phone", "invalid"]])
    jobs.run_now(jobs.create("count_quality", {}, by=None))
    client = client_of("steward")

    seen, after = [], 0
    while after is not None:
        page = client.get(attribute_page(), {"code": "invalid", "after": after}).context["page"]
        seen += [found.record.pk for found in page.records]
        after = page.next_after

    assert len(seen) == len(set(seen)) == 120


@pytest.mark.parametrize("path", ["nowhere/email", "crm/nothing"])
def test_what_does_not_exist_is_not_found(path):
    dirty_file()

    assert client_of("steward").get(f"/quality/sources/{path}/").status_code == 404


def test_looking_at_records_is_noted_without_values():
    dirty_file()
    client_of("dpo").get(attribute_page())

    access = AccessLog.objects.get()

    assert (access.action, access.reference) == ("quality.records", "crm email")


def test_an_empty_house_shows_what_to_do():
    page = client_of("steward").get(OVERVIEW).text

    assert "There are no records yet" in page
    assert reverse("mdm:load-new") in page


def test_records_that_were_never_counted_can_be_counted_by_a_click():
    make_record(email="zoe@example.org")
    client = client_of("dpo")
    assert "Nothing has been counted yet" in client.get(OVERVIEW).text

    client.post(reverse("mdm:quality-count"))
    client.post(reverse("mdm:quality-count"))

    job = Job.objects.get(kind="count_quality")
    assert "The figures are being counted" in client.get(OVERVIEW).text
    jobs.execute(str(job.pk))
    assert SourceQuality.objects.get().record_count == 1
    page = client.get(OVERVIEW).text
    assert "100%" in page
    assert "Count again" not in page


def test_counting_is_never_a_plain_link():
    assert client_of("steward").get(reverse("mdm:quality-count")).status_code == 405


def many_share(count: int = 7, **values: str) -> ContactPoint:
    names = "Roux Petit Moreau Girard Bonnet Lambert Garnier Boyer Marchand".split()
    make_records(
        [
            {
                "given_name": f"Zoé{n}",
                "family_name": names[n],
                "postcode": f"{n}4000",
                "city": "Nantes",
                "email": "accueil@example.org",
                **values,
            }
            for n in range(count)
        ]
    )
    return ContactPoint.objects.get(kind="email")


def test_a_value_of_many_people_is_listed_with_what_it_may_be():
    point = many_share()

    answer = client_of("steward").get(reverse("mdm:quality-shared", args=["email"]))

    (value,) = answer.context["values"]
    assert (value.point, value.guess) == (point, Guess.FILLER)
    assert value.carriers == Carriers(7, 7, 7, 7, 1)
    assert "accueil@example.org" in answer.text


@pytest.mark.parametrize(
    "email", ["aucun@example.org", "pas.de.mail@example.org", "noemail@x.test"]
)
def test_an_address_that_says_there_is_none_is_named_a_filler_wherever_its_people_live(email):
    many_share(email=email, postcode="", city="")

    answer = client_of("steward").get(reverse("mdm:quality-shared", args=["email"]))

    (value,) = answer.context["values"]
    assert value.guess == Guess.SAYS_SO
    assert "≈ a filler: its own words say that there is none" in answer.text


def test_a_household_shares_without_being_listed():
    many_share(5)

    answer = client_of("steward").get(reverse("mdm:quality-shared", args=["email"]))

    assert answer.context["values"] == []
    assert "No value is shared by so many" in answer.text


def test_a_shared_value_leads_to_the_people_who_carry_it():
    point = many_share()
    gone = SourceRecord.objects.first()
    SourceRecord.objects.filter(pk=gone.pk).update(status="deleted")

    answer = client_of("dpo").get(reverse("mdm:quality-carriers", args=["email", point.pk]))

    assert len(answer.context["page"].object_list) == 6
    assert "Petit" in answer.text
    assert AccessLog.objects.get().reference == f"contact point {point.pk}"


def test_the_customer_page_marks_what_many_people_carry():
    point = many_share()
    customer = SourceRecord.objects.first().customer

    page = client_of("steward").get(reverse("mdm:customer", args=[customer.public_id])).text

    assert "shared by 7" in page
    assert reverse("mdm:quality-carriers", args=["email", point.pk]) in page


@pytest.mark.parametrize(
    ("kind", "carriers", "expected"),
    [
        ("email", Carriers(8, 1, 1, 1, 2), Guess.ONE_PERSON),
        ("phone", Carriers(6, 6, 2, 3, 1), Guess.FAMILY),
        ("post", Carriers(40, 40, 30, 1, 1), Guess.PLACE),
        ("phone", Carriers(40, 40, 30, 2, 1), Guess.PLACE),
        ("phone", Carriers(40, 40, 16, 7, 2), Guess.FILLER),
        ("email", Carriers(9, 0, 0, 0, 1), Guess.UNKNOWN),
    ],
)
def test_who_carries_a_value_tells_what_it_may_be(kind, carriers, expected):
    assert guess(kind, carriers) == expected


@pytest.mark.parametrize("role", ["marketer", "administrator"])
def test_quality_is_for_stewards_and_dpos(role):
    point = many_share()
    client = client_of(role)

    for address in (
        OVERVIEW,
        attribute_page(),
        reverse("mdm:quality-shared", args=["email"]),
        reverse("mdm:quality-carriers", args=["email", point.pk]),
    ):
        assert client.get(address).status_code == 403
    assert client.post(reverse("mdm:quality-count")).status_code == 403


def test_the_anonymous_are_sent_to_the_login():
    assert Client().get(OVERVIEW)["Location"].startswith(reverse("admin:login"))


@pytest.mark.parametrize("size", [1, 30])
def test_every_page_costs_the_same_at_any_size(size, django_assert_max_num_queries):
    make_records(
        [
            {"source": f"s{n % 4}", "issues": [["email", "invalid"]], "email": f"p{n}@example.org"}
            for n in range(size * 4)
        ]
    )
    for number in range(size):
        point = ContactPoint.objects.create(
            kind="phone", value=f"+331990000{number:02}", display="x", shared_by=9
        )
    jobs.run_now(jobs.create("count_quality", {}, by=None))
    client = client_of("steward")
    client.get(OVERVIEW)

    for address in (
        OVERVIEW,
        attribute_page(source="s0"),
        reverse("mdm:quality-shared", args=["phone"]),
        reverse("mdm:quality-carriers", args=["phone", point.pk]),
    ):
        with django_assert_max_num_queries(16):
            assert client.get(address).status_code == 200


def test_no_browser_keeps_the_values_of_people():
    point = many_share()
    jobs.run_now(jobs.create("count_quality", {}, by=None))
    client = client_of("steward")

    for address in (
        attribute_page(),
        reverse("mdm:quality-shared", args=["email"]),
        reverse("mdm:quality-carriers", args=["email", point.pk]),
    ):
        assert "no-store" in client.get(address)["Cache-Control"]


def test_values_from_files_are_escaped():
    load(row("C1", email="<script>alert(1)</script>"))

    assert "<script>alert(1)" not in client_of("steward").get(attribute_page()).text
