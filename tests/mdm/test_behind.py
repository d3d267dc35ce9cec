"""What runs behind a bulk writer is the same transaction, in the same order."""

from collections.abc import Callable, Iterator

import pytest
from django.db import IntegrityError, transaction

from mdm import bulk
from mdm.behind import ask, behind
from mdm.models import ContactPoint

pytestmark = pytest.mark.django_db
COLUMNS = ("kind", "value", "display", "region", "shared_by", "status", "audience")


def insert(*values: str) -> None:
    rows = [("email", value, value, "", 1, "usable", "b2c") for value in values]
    bulk.insert(ContactPoint, COLUMNS, rows)


def write(*steps: Callable[[], object]) -> None:
    """Do these one after the other, in one transaction."""
    with transaction.atomic(), behind():
        for step in steps:
            step()


def test_whoever_reads_sees_all_that_was_given_before():
    with transaction.atomic(), behind():
        for number in range(40):
            insert(f"{number}@example.org")
            if number % 7 == 0:
                assert ContactPoint.objects.count() == number + 1


def test_a_refusal_of_the_database_undoes_the_transaction():
    with pytest.raises(IntegrityError):
        write(lambda: insert("ada@example.org"), lambda: insert("ada@example.org"))

    assert not ContactPoint.objects.exists()


def test_a_refusal_is_told_before_anything_else_is_asked():
    asked: list[int] = []
    with pytest.raises(IntegrityError):
        write(
            lambda: insert("ada@example.org", "ada@example.org"),
            lambda: asked.append(ContactPoint.objects.count()),
        )

    assert asked == []


def test_after_an_error_of_the_writer_nothing_is_left_and_the_next_goes_on():
    with pytest.raises(ZeroDivisionError):
        write(lambda: insert("ada@example.org"), lambda: 1 / 0)

    write(lambda: insert("ada@example.org"))
    assert ContactPoint.objects.count() == 1


def rows_that(end: Callable[[], object]) -> Iterator[tuple[object, ...]]:
    """Yield enough rows for the first to be on their way, then do that."""
    for number in range(2000):
        yield ("email", f"{number}@example.org", "", "", 1, "usable", "b2c")
    end()


def test_an_error_while_rows_are_made_leaves_none_of_those_sent_before():
    with pytest.raises(ZeroDivisionError):
        write(lambda: bulk.insert(ContactPoint, COLUMNS, rows_that(lambda: 1 / 0)))

    assert not ContactPoint.objects.exists()
    write(lambda: insert("ada@example.org"))
    assert ContactPoint.objects.count() == 1


@pytest.mark.postgresql
def test_what_makes_rows_is_told_not_to_ask_the_database_rather_than_wait_for_ever():
    with pytest.raises(RuntimeError):
        write(
            lambda: bulk.insert(ContactPoint, COLUMNS, rows_that(ContactPoint.objects.exists)),
        )

    assert not ContactPoint.objects.exists()


def test_keys_and_rows_asked_for_are_answered_in_their_place():
    answers = []
    with transaction.atomic(), behind():
        insert("ada@example.org")
        rows = ask("SELECT value FROM mdm_contactpoint")
        keys = bulk.ask_ids(ContactPoint, 3)
        insert("bea@example.org")
        answers = [rows(), sorted(keys())]

    assert answers[0] == [("ada@example.org",)]
    assert len(set(answers[1])) == 3
