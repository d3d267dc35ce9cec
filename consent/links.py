"""Signed links of messages: who writes through one acts for one contact point, and nothing else.

The link holds numbers only, sealed: a synthetic-IV construction (a keyed digest of the payload,
then the payload under a keystream made of that digest), so nobody can read, change or invent one.
The same payload gives the same link. The first key of `LINK_KEYS` seals, all of them open: a new
key goes in front, and taking an old one away ends every link made with it.
"""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from datetime import date, timedelta
from functools import cache
from typing import NamedTuple

from django.conf import settings
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.utils.timezone import localdate

# After this a link only stops messages; to see or change more, a fresh one is mailed.
FULL_DAYS = 400
_EPOCH = date(2020, 1, 1)
_SIZES = (6, 5, 3, 2)  # Bytes of contact point, customer, purpose, day.
_PAYLOAD, _TAG = sum(_SIZES), 16
_LENGTH = 1 + _TAG + _PAYLOAD


class LinkRefused(Exception):
    """The text is no link of ours, or its key was taken away."""


class Link(NamedTuple):
    """What a link stands for; `purpose_id` 0 is every purpose."""

    contact_point_id: int
    customer_id: int
    purpose_id: int
    made_on: date

    @property
    def is_fresh(self) -> bool:
        """Tell whether the link may still show and change choices, not only stop messages."""
        return localdate() - self.made_on <= timedelta(days=FULL_DAYS)


def make_link(
    contact_point_id: int, customer_id: int, *, purpose_id: int = 0, day: date | None = None
) -> str:
    """Return the link text of a contact point as carried by a customer."""
    number = ((day or localdate()) - _EPOCH).days
    values = (contact_point_id, customer_id, purpose_id, number)
    payload = b"".join(
        value.to_bytes(size, "big") for value, size in zip(values, _SIZES, strict=True)
    )
    key = _keys()[0]
    tag = _tag(key, payload)
    sealed = bytes([_key_mark(key)]) + tag + _mask(key, tag, payload)
    return urlsafe_b64encode(sealed).decode().rstrip("=")


def read_link(text: str) -> Link:
    """Return what a link stands for.

    Raises:
        LinkRefused: when it was not made here, or not with a key still in use.
    """
    sealed = _decoded(text)
    mark, tag, masked = sealed[0], sealed[1 : 1 + _TAG], sealed[1 + _TAG :]
    for key in _keys():
        payload = _mask(key, tag, masked)
        if mark == _key_mark(key) and hmac.compare_digest(tag, _tag(key, payload)):
            return _unpacked(payload)
    raise LinkRefused


def preferences_url(link: str) -> str:
    """Return the address of the preference centre, as it stands in a mail or a file."""
    return settings.PUBLIC_URL + reverse("public:preferences", args=[link])


def unsubscribe_url(link: str) -> str:
    """Return the address for one-click unsubscription (RFC 8058)."""
    return settings.PUBLIC_URL + reverse("public:unsubscribe", args=[link])


def _decoded(text: str) -> bytes:
    try:
        sealed = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except (NotBase64, UnicodeEncodeError, ValueError) as error:
        raise LinkRefused from error
    # One link has one spelling: base64 would forgive strange letters and loose bits.
    if len(sealed) != _LENGTH or urlsafe_b64encode(sealed).decode().rstrip("=") != text:
        raise LinkRefused
    return sealed


def _unpacked(payload: bytes) -> Link:
    values, start = [], 0
    for size in _SIZES:
        values.append(int.from_bytes(payload[start : start + size], "big"))
        start += size
    point, customer, purpose, number = values
    return Link(point, customer, purpose, _EPOCH + timedelta(days=number))


def _keys() -> tuple[bytes, ...]:
    return _derived(tuple(settings.LINK_KEYS or [settings.SECRET_KEY]))


@cache
def _derived(texts: tuple[str, ...]) -> tuple[bytes, ...]:
    """Return the keys made of the texts of the settings; a list of a million links asks once."""
    return tuple(
        salted_hmac("consent.links", "key", text, algorithm="sha256").digest() for text in texts
    )


def _key_mark(key: bytes) -> int:
    return hashlib.sha256(key + b"mark").digest()[0]


def _tag(key: bytes, payload: bytes) -> bytes:
    return hmac.digest(key, b"tag" + payload, "sha256")[:_TAG]


def _mask(key: bytes, tag: bytes, payload: bytes) -> bytes:
    stream = hmac.digest(key, b"mask" + tag, "sha256")
    return bytes(one ^ other for one, other in zip(payload, stream, strict=False))
