"""The links of messages: opaque, unforgeable, and still good after a change of keys."""

from base64 import urlsafe_b64decode
from datetime import date, timedelta
from itertools import pairwise

import pytest
from django.utils.timezone import localdate
from hypothesis import given
from hypothesis import strategies as st

from consent.links import FULL_DAYS, Link, LinkRefused, make_link, read_link

links = st.builds(
    Link,
    st.integers(0, 2**48 - 1),
    st.integers(0, 2**40 - 1),
    st.integers(0, 2**24 - 1),
    st.dates(date(2020, 1, 1), date(2190, 1, 1)),
)


def written(link: Link) -> str:
    return make_link(
        link.contact_point_id, link.customer_id, purpose_id=link.purpose_id, day=link.made_on
    )


@given(links)
def test_a_link_reads_back_as_it_was_made(link: Link):
    assert read_link(written(link)) == link


@given(links, st.integers(0, 299))
def test_no_bit_of_a_link_can_be_changed(link: Link, place: int):
    text = written(link)
    letter = text[place % len(text)]
    changed = "A" if letter != "A" else "B"
    forged = text[: place % len(text)] + changed + text[place % len(text) + 1 :]

    with pytest.raises(LinkRefused):
        read_link(forged)


@given(st.text(max_size=80) | st.binary(max_size=40).map(lambda raw: raw.hex()))
def test_what_is_no_link_is_refused(text: str):
    with pytest.raises(LinkRefused):
        read_link(text)


@pytest.mark.parametrize("spelling", ["{} ", " {}", "{}=", "{}A", "{}/x", "{}\n"])
def test_a_link_has_one_spelling(spelling: str):
    with pytest.raises(LinkRefused):
        read_link(spelling.format(make_link(7, 9)))


def test_numbers_that_follow_each_other_look_nothing_alike():
    sealed = [urlsafe_b64decode(make_link(number, 9) + "==") for number in range(60)]

    assert all((7).to_bytes(6, "big") not in one for one in sealed)
    for one, other in pairwise(sealed):
        same = sum(a == b for a, b in zip(one[1:], other[1:], strict=True))
        assert same < 8  # Of 32 bytes; chance alone gives far less than one.


def test_a_new_key_in_front_keeps_old_links_working_until_theirs_is_taken_away(settings):
    settings.LINK_KEYS = ["old-key-of-the-company"]
    link = make_link(7, 9)
    settings.LINK_KEYS = ["new-key-of-the-company", "old-key-of-the-company"]

    assert read_link(link).contact_point_id == 7
    assert make_link(7, 9) != link
    settings.LINK_KEYS = ["new-key-of-the-company"]
    with pytest.raises(LinkRefused):
        read_link(link)


def test_a_link_of_more_than_a_year_is_no_longer_fresh():
    today = localdate()

    assert read_link(make_link(1, 1, day=today - timedelta(days=FULL_DAYS))).is_fresh
    assert not read_link(make_link(1, 1, day=today - timedelta(days=FULL_DAYS + 1))).is_fresh
