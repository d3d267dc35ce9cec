"""Households of invented people: the near-doubles that make matching customers hard.

Couples, parents with grown children, twins, father and son of one name, a landline and sometimes
one e-mail address for all: everything that two different people can share is shared here by some.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import count
from random import Random
from typing import NamedTuple

from mdm.demo.names import Sex, draw_family_name, draw_given_name
from mdm.demo.people import Changing, Mailboxes, Person
from mdm.demo.phones import LANDLINE_PREFIXES, MOBILE_PREFIXES, PhonePack
from mdm.demo.places import Address, draw_address

# Shares of households, people and lives: invented, of the size that French statistics suggest.
_COUPLE_RATE = 0.45
_CHILDREN_RATE = 0.35
_MARRIED_NAME_RATE = 0.55
_DOUBLE_NAME_RATE = 0.10
_TWIN_RATE = 0.08
_SAME_NAME_SON_RATE = 0.05
_SHARED_MAILBOX_RATE = 0.15
_EMAIL_RATE = 0.88
_MOBILE_RATE = 0.75
_LANDLINE_RATE = 0.50
_MOVED_RATE = 0.15
_NEW_MOBILE_RATE = 0.12
_NEW_EMAIL_RATE = 0.12
_RECENTLY_MARRIED_RATE = 0.15
_YOUNGEST = 18
_LIVES_WITH_PARENTS_UNTIL = 27
_PEOPLE_PER_HOUSEHOLD = 1.75  # measured over these rates; used only to plan how phones are spread
_CHANGE_YEARS = 9
DRAWN_ON = date(2026, 9, 1)
"""Everybody is as old as on this day: what is drawn next hangs on ages, and the demo shows the
same people, and the same cases, whenever it is made."""


class _Home(NamedTuple):
    """What the members of one household share."""

    address: Changing[Address]
    landline: str
    mailbox: str


class Neighbourhood:
    """Invents households one after the other; the same seed gives the same people."""

    def __init__(self, rng: Random, *, people: int, today: date) -> None:
        """Plan for about `people` customers, whose details changed in the years before `today`."""
        self._rng = rng
        self._today = today
        self._numbers = count(1)
        self._mailboxes = Mailboxes(rng)
        homes = int(people / _PEOPLE_PER_HOUSEHOLD)
        self._landlines = PhonePack(LANDLINE_PREFIXES, rng, draws=homes, rate=_LANDLINE_RATE)
        mobile_draws = int(people * (1 + _NEW_MOBILE_RATE))
        self._mobiles = PhonePack(MOBILE_PREFIXES, rng, draws=mobile_draws, rate=_MOBILE_RATE)

    def households(self) -> Iterator[list[Person]]:
        """Yield households without end, each a list of one to six people."""
        while True:
            yield self._household()

    def _household(self) -> list[Person]:
        rng = self._rng
        family_name = draw_family_name(rng)
        home = self._home(family_name)
        first = self._person(rng.choice(("F", "M")), self._adult_birth(), family_name, home)
        members = [first]
        if rng.random() < _COUPLE_RATE:
            members.append(self._partner(first, home))
        if first.born_on.year < DRAWN_ON.year - 40 and rng.random() < _CHILDREN_RATE:
            members.extend(self._children(members, family_name, home))
        return members

    def _home(self, family_name: str) -> _Home:
        rng = self._rng
        earlier = draw_address(rng) if rng.random() < _MOVED_RATE else None
        shared = rng.random() < _SHARED_MAILBOX_RATE
        return _Home(
            address=Changing(draw_address(rng), earlier, self._change_day()),
            landline=self._landlines.deal(),
            mailbox=self._mailboxes.open_shared(family_name) if shared else "",
        )

    def _adult_birth(self) -> date:
        age = int(self._rng.triangular(_YOUNGEST + 1, 90, 46))
        return self._birthday(DRAWN_ON.year - age)

    def _birthday(self, year: int) -> date:
        return date(year, 1, 1) + timedelta(days=self._rng.randrange(365))

    def _change_day(self) -> date:
        return self._today - timedelta(days=self._rng.randrange(30, 365 * _CHANGE_YEARS))

    def _partner(self, first: Person, home: _Home) -> Person:
        rng = self._rng
        sex: Sex = "M" if first.sex == "F" else "F"
        year = min(first.born_on.year + int(rng.gauss(0, 3)), DRAWN_ON.year - _YOUNGEST - 1)
        birth_name = draw_family_name(rng)
        husband_name, wife = (birth_name, first) if sex == "M" else (first.birth_name, None)
        partner = self._person(sex, self._birthday(year), birth_name, home)
        self._marry(wife or partner, husband_name)
        return partner

    def _marry(self, wife: Person, husband_name: str) -> None:
        rng = self._rng
        chance = rng.random()
        if chance < _MARRIED_NAME_RATE:
            married_name = husband_name
        elif chance < _MARRIED_NAME_RATE + _DOUBLE_NAME_RATE:
            married_name = f"{wife.birth_name}-{husband_name}"
        else:
            return
        recently = rng.random() < _RECENTLY_MARRIED_RATE
        earlier = wife.birth_name if recently else None
        wife.family_name = Changing(married_name, earlier, self._change_day())

    def _children(self, parents: list[Person], family_name: str, home: _Home) -> list[Person]:
        rng = self._rng
        father = next((parent for parent in parents if parent.sex == "M"), None)
        family_name = father.birth_name if father else family_name
        born = self._birthday(
            max(parent.born_on.year for parent in parents) + rng.randrange(22, 36)
        )
        children: list[Person] = []
        for _ in range(rng.choice((1, 1, 2, 2, 3))):
            if born.year > DRAWN_ON.year - _YOUNGEST - 1:
                break
            sex: Sex = rng.choice(("F", "M"))
            child = self._person(sex, born, family_name, self._childs_home(born, home))
            if father and sex == "M" and rng.random() < _SAME_NAME_SON_RATE:
                child.given_name = father.given_name
            children.append(child)
            if rng.random() >= _TWIN_RATE:
                born = self._birthday(born.year + rng.randrange(2, 5))
        return children

    def _childs_home(self, born: date, home: _Home) -> _Home:
        if DRAWN_ON.year - born.year <= _LIVES_WITH_PARENTS_UNTIL:
            return home
        # A child who has left keeps the parents' address as the earlier one.
        return _Home(
            Changing(draw_address(self._rng), home.address.latest, self._change_day()), "", ""
        )

    def _person(self, sex: Sex, born_on: date, birth_name: str, home: _Home) -> Person:
        rng = self._rng
        given_name = draw_given_name(rng, sex, born_on.year)
        return Person(
            number=next(self._numbers),
            sex=sex,
            given_name=given_name,
            birth_name=birth_name,
            born_on=born_on,
            family_name=Changing(birth_name),
            address=home.address,
            email=self._email(given_name, birth_name, born_on.year, home.mailbox),
            mobile=self._mobile(),
            landline=home.landline,
            goodwill=rng.random(),
        )

    def _email(self, given: str, family: str, year: int, shared: str) -> Changing[str]:
        rng = self._rng
        if shared and rng.random() < 0.6:
            return Changing(shared)
        if rng.random() >= _EMAIL_RATE:
            return Changing("")
        earlier = None
        if rng.random() < _NEW_EMAIL_RATE:
            earlier = self._mailboxes.open_for(given, family, year)
        return Changing(self._mailboxes.open_for(given, family, year), earlier, self._change_day())

    def _mobile(self) -> Changing[str]:
        earlier = self._mobiles.deal() if self._rng.random() < _NEW_MOBILE_RATE else ""
        return Changing(self._mobiles.deal(), earlier or None, self._change_day())
