"""The gate about calls: at which hours, how often, and when it may be tried again."""

from datetime import UTC, datetime, timedelta

from tests.consent.builders import ask, days_ago

PARIS = ("Europe/Paris",)
TEN_IN_PARIS = datetime(2026, 11, 24, 9, tzinfo=UTC)
NINE_IN_PARIS = datetime(2026, 11, 24, 8, tzinfo=UTC)


def test_the_hours_of_calls_count_for_whoever_is_about_to_dial():
    listed = ask("phone", at=NINE_IN_PARIS, point={"zones": PARIS})
    early = ask("phone", at=NINE_IN_PARIS, point={"zones": PARIS}, is_dialling=True)
    open_ = ask("phone", at=TEN_IN_PARIS, point={"zones": PARIS}, is_dialling=True)

    assert listed.allowed
    assert "call_window" in listed.obligations
    assert (early.rule, early.valid_until) == ("P4", TEN_IN_PARIS)
    assert (open_.rule, open_.valid_until) == ("P1", TEN_IN_PARIS + timedelta(hours=3))


def test_a_number_of_an_unknown_zone_is_not_dialled():
    assert ask("phone", at=TEN_IN_PARIS, is_dialling=True).rule == "P4"


def test_professionals_are_called_at_any_hour():
    at_work = {"audience": "b2b_named"}

    assert "P4" not in ask("phone", point=at_work, at=NINE_IN_PARIS, is_dialling=True).failed_gates


def test_a_call_may_be_tried_again_when_the_oldest_attempt_is_thirty_days_old():
    calls = (days_ago(29), days_ago(20), days_ago(2), days_ago(1))

    answer = ask("phone", person={"calls": calls})

    assert (answer.rule, answer.valid_until) == ("P5", days_ago(-1))
    assert ask("phone", person={"calls": calls}, at=days_ago(-1)).allowed
