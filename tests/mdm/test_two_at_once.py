"""Chunks asked about two at a time: the same answers in the same order."""

import threading

import pytest
from django.db import connection, transaction

from mdm.two_at_once import two_at_once

TOGETHER_SECONDS = 20


def _whose(chunk):
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s", [chunk])
        return cursor.fetchone()[0], threading.get_ident()


@pytest.mark.django_db(transaction=True)
def test_two_are_asked_at_the_same_time_and_keep_their_order():
    is_server = connection.vendor == "postgresql"
    together = threading.Barrier(2 if is_server else 1)

    def meet(chunk):
        together.wait(TOGETHER_SECONDS)
        return 6 // (4 - chunk), _whose(chunk)

    answers = two_at_once(meet, range(6))
    told = [next(answers) for _time in range(4)]

    assert [(chunk, said[1][0]) for chunk, said in told] == [(n, n) for n in range(4)]
    here = threading.get_ident()
    assert {said[1][1] != here for _chunk, said in told} == {is_server}
    with pytest.raises(ZeroDivisionError):
        next(answers)


@pytest.mark.django_db(transaction=True)
def test_nothing_runs_beside_a_transaction_or_a_single_chunk():
    with transaction.atomic():
        inside = list(two_at_once(_whose, range(3)))
    alone = list(two_at_once(_whose, [5]))

    here = threading.get_ident()
    assert {thread for _chunk, (_said, thread) in [*inside, *alone]} == {here}
