"""A decision whose ground has moved is asked again, once, and holds until it is answered."""

import pytest
from django.urls import reverse

from matching import review
from matching.decisions import Verdict, decide, retract
from matching.models import Decision, ReviewTask
from matching.repairs import Wish, repair
from mdm.models import LoadBatch, SourceRecord
from tests.matching.factories import customers_of, make_steward, settled
from tests.mdm.loading.files import csv_bytes, load_bytes, row
from tests.mdm.loading.test_undo import undo_batch
from tests.mdm.pages import client_of

pytestmark = pytest.mark.django_db


def load(**changed: str) -> list[SourceRecord]:
    """Load three people, the second with these columns changed."""
    rows = [row("1"), row("2", nom="PETIT", prenom="Luc"), row("3", nom="ROUX", prenom="Ève")]
    load_bytes(csv_bytes([rows[0], {**rows[1], **changed}, rows[2]]))
    return list(SourceRecord.objects.order_by("pk"))


def rechecks() -> list[tuple[int, int]]:
    tasks = ReviewTask.objects.filter(state="open", kind="recheck", reason="values_changed")
    return list(tasks.order_by("pk").values_list("left", "right"))


@pytest.mark.parametrize("verdict", [Verdict.SAME, Verdict.DIFFERENT])
def test_a_changed_name_asks_again_and_the_decision_holds(verdict):
    one, other, _third = load()
    decision = decide(one.pk, other.pk, verdict, by=make_steward())
    before = customers_of(one, other)

    load(nom="GRAND", maj="02/02/2024")
    load(nom="GRAND", prenom="Lucas", maj="03/02/2024")

    assert rechecks() == [(one.pk, other.pk)]
    assert Decision.objects.in_force().get() == decision
    assert customers_of(one, other) == before
    assert settled(one, other) == before
    assert rechecks() == [(one.pk, other.pk)]


@pytest.mark.parametrize("changed", [{"tel": "0199000012"}, {"nom": "Pétit"}])
def test_a_new_phone_or_another_spelling_asks_nothing(changed):
    one, other, _third = load()
    decide(one.pk, other.pk, Verdict.SAME, by=make_steward())

    load(**changed, maj="02/02/2024")

    assert rechecks() == []


def test_a_value_that_comes_back_takes_the_question_away():
    one, other, _third = load()
    decide(one.pk, other.pk, Verdict.SAME, by=make_steward())
    load(nom="GRAND", maj="02/02/2024")

    load(maj="03/02/2024")

    assert rechecks() == []


def test_an_undone_file_takes_its_question_away_and_asks_about_what_was_decided_on_it():
    one, other, third = load()
    decide(one.pk, other.pk, Verdict.SAME, by=make_steward())
    load(nom="GRAND", maj="02/02/2024")
    decide(other.pk, third.pk, Verdict.DIFFERENT, by=make_steward())
    assert rechecks() == [(one.pk, other.pk)]

    undo_batch(LoadBatch.objects.latest("pk"))

    assert rechecks() == [(other.pk, third.pk)]


def test_the_same_answer_confirms_and_its_undo_asks_again():
    one, other, _third = load()
    steward = make_steward()
    decide(one.pk, other.pk, Verdict.DIFFERENT, by=steward)
    load(nom="GRAND", maj="02/02/2024")
    task = ReviewTask.objects.get(kind="recheck")

    answer = review.answer(task.pk, Verdict.DIFFERENT, by=steward)
    assert rechecks() == []
    retract(answer, by=steward)

    assert rechecks() == [(one.pk, other.pk)]
    assert Decision.objects.in_force().get().verdict == "different"


def test_a_repair_is_asked_again_by_one_question_and_one_answer_renews_it():
    one, other, third = load()
    steward = make_steward()
    decide(one.pk, other.pk, Verdict.SAME, by=steward)
    decide(one.pk, third.pk, Verdict.SAME, by=steward)
    repair(Wish("unlink", one.pk, (other.pk,), leaves_companions=True), by=steward)
    load(nom="GRAND", maj="02/02/2024")

    assert rechecks() == [(one.pk, other.pk)]
    task = ReviewTask.objects.get(kind="recheck", state="open")
    review.answer(task.pk, Verdict.DIFFERENT, by=steward)

    assert rechecks() == []
    apart = Decision.objects.in_force().filter(verdict="different")
    assert {d.pair for d in apart} == {(one.pk, other.pk), (other.pk, third.pk)}
    assert customers_of(one, other, third) == [one.pk, other.pk, one.pk]


def test_the_review_page_says_why_it_asks_again():
    one, other, _third = load()
    decide(one.pk, other.pk, Verdict.SAME, by=make_steward())
    load(nom="GRAND", maj="02/02/2024")

    page = client_of("steward").get(reverse("matching:review")).text

    assert "A value has changed since this pair was decided" in page
