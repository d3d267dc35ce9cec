"""One invented person, and how her name, home and contact points looked on a given day."""

from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Generic, NamedTuple, TypeVar

from anyascii import anyascii

from mdm.demo.names import Sex
from mdm.demo.places import Address

_EMAIL_DOMAINS = (
    "orange.test", "orange.test", "laposte.test", "laposte.test", "free.test", "wanadoo.test",
    "mail.example.com", "mail.example.com", "mail.example.com", "courrier.example.org",
    "boite.example.com", "sfr.test", "example.org",
)  # fmt: skip
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Changing(Generic[T]):
    """A value that may have been another one before a day."""

    latest: T
    earlier: T | None = None
    since: date = date.min

    def on(self, day: date) -> T:
        """Give the value as it was on the day."""
        return self.earlier if self.earlier is not None and day < self.since else self.latest


class Appearance(NamedTuple):
    """What a form filled in with care by the person on one day would say."""

    given_name: str
    family_name: str
    birth_name: str
    address: Address
    email: str
    mobile: str
    landline: str


@dataclass(slots=True)
class Person:
    """One invented customer: the entity that the truth file numbers."""

    number: int
    sex: Sex
    given_name: str
    birth_name: str
    born_on: date
    family_name: Changing[str]
    address: Changing[Address]
    email: Changing[str]
    mobile: Changing[str]
    landline: str
    goodwill: float
    """How readily she says yes when asked for permission, from 0 to 1."""

    def on(self, day: date) -> Appearance:
        """Give her details as they were on the day."""
        return Appearance(
            given_name=self.given_name,
            family_name=self.family_name.on(day),
            birth_name=self.birth_name,
            address=self.address.on(day),
            email=self.email.on(day),
            mobile=self.mobile.on(day),
            landline=self.landline if self.address.on(day) == self.address.latest else "",
        )


class Mailboxes:
    """Invents e-mail addresses, each of them once, in domains that reach nobody."""

    def __init__(self, rng: Random) -> None:
        """Start with no address taken."""
        self._rng = rng
        self._taken: set[str] = set()

    def open_for(self, given_name: str, family_name: str, birth_year: int) -> str:
        """Give a personal address made of the name, with digits when that is taken or liked."""
        given, family = _letters(given_name), _letters(family_name)
        year = f"{birth_year % 100:02d}"
        local = self._rng.choice(
            (
                f"{given}.{family}", f"{given}.{family}", f"{given[0]}.{family}",
                f"{family}.{given}", f"{given}{family}", f"{given}-{family}", f"{given}{year}",
                f"{given[0]}{family}{year}", f"{family}{self._rng.randrange(100, 999)}",
            )
        )  # fmt: skip
        return self._claim(local)

    def open_shared(self, family_name: str) -> str:
        """Give the one address a whole household uses."""
        family = _letters(family_name)
        return self._claim(
            self._rng.choice((f"famille.{family}", f"{family}.maison", f"les{family}s"))
        )

    def _claim(self, local: str) -> str:
        domain = self._rng.choice(_EMAIL_DOMAINS)
        address = f"{local}@{domain}"
        while address in self._taken:
            address = f"{local}{self._rng.randrange(1, 100_000)}@{domain}"
        self._taken.add(address)
        return address


def _letters(name: str) -> str:
    return "".join(
        letter for letter in anyascii(name).lower() if letter.isalpha() or letter == "-"
    )
