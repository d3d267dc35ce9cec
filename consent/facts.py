"""The values the gate reads, free of Django: who is asked about, what is known, what is asked.

Codes are plain strings in the facts, so that an unknown one is a refusal (G0) and not a crash.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import IntEnum, StrEnum
from typing import NamedTuple

ANY = "*"
"""The channel or purpose of an event that covers all of them (`models.ALL_CHANNELS`)."""


class ChannelCode(StrEnum):
    """The ways to reach a person that the rules know."""

    EMAIL = "email"
    SMS = "sms"
    SOCIAL_MESSAGE = "social_message"
    PHONE = "phone"
    AUTOCALL = "autocall"
    POST = "post"
    SOCIAL_AUDIENCE = "social_audience"


CHANNEL_KINDS: dict[str, frozenset[str]] = {
    ChannelCode.EMAIL: frozenset({"email"}),
    ChannelCode.SMS: frozenset({"phone"}),
    ChannelCode.SOCIAL_MESSAGE: frozenset({"phone"}),
    ChannelCode.PHONE: frozenset({"phone"}),
    ChannelCode.AUTOCALL: frozenset({"phone"}),
    ChannelCode.POST: frozenset({"post"}),
    ChannelCode.SOCIAL_AUDIENCE: frozenset({"email", "phone"}),
}
"""Which kinds of contact point each channel can use."""
ANY_KIND = frozenset({"email", "phone", "post"})
"""The kinds of contact point a refusal of every channel is about."""


class Nature(StrEnum):
    """What a purpose is in law; it picks the regime."""

    COMMERCIAL = "commercial"
    CHARITY = "charity"
    SERVICE = "service"
    TRACKING = "tracking"
    TRANSFER = "transfer"


class Audience(StrEnum):
    """Whom a contact point reaches."""

    CONSUMER = "b2c"
    PROFESSIONAL = "b2b_named"
    ORGANISATION = "b2b_generic"


class Actor(StrEnum):
    """Who made a consent event happen."""

    PERSON = "person"
    GUARDIAN = "guardian"
    STAFF = "staff"
    SYSTEM = "system"
    IMPORT = "import"
    BROKER = "broker"
    PARTNER = "partner"


class EvidenceLevel(IntEnum):
    """How well an event is proved, shown as none to four bars (CONSENT, ISO/IEC TS 27560)."""

    CLAIM = 0
    ORIGIN = 1
    FORM = 2
    VERIFIED = 3
    SIGNED = 4


class State(StrEnum):
    """What the events on one key add up to."""

    NONE = "none"
    GIVEN = "given"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    OBJECTED = "objected"
    INVALIDATED = "invalidated"
    CONTESTED = "contested"
    QUARANTINED = "quarantined"


GRANTED = frozenset({State.GIVEN, State.CONFIRMED})
"""The states of a permission that stands."""


class Permission(NamedTuple):
    """The fold of the events on one key; `since` is None for a grant of unknown date.

    Of a contested one, `since` is when the records that contradict each other came together, and
    the rest is of the consent in question. `renewed_at` is when the person last agreed again, on a
    form, if that was later: how long a consent is good for counts from there.
    """

    state: State = State.NONE
    since: datetime | None = None
    expires_at: datetime | None = None
    evidence: int = EvidenceLevel.CLAIM
    actor: str = Actor.SYSTEM
    event_id: int | None = None
    renewed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Objection:
    """A refusal in force that covers more than one key, or a line of the suppression list."""

    since: datetime
    state: State = State.OBJECTED
    channel: str = ANY
    purpose: str = ANY
    evidence: int = EvidenceLevel.CLAIM
    event_id: int | None = None
    list_name: str = ""


class Registration(NamedTuple):
    """A contact point, or who lives there, stands on a register of oppositions."""

    register: str
    since: datetime
    list_name: str


@dataclass(frozen=True, slots=True)
class SaleFact:
    """A sale; it opens the customer exception for the contact point collected at it."""

    sale_id: int
    at: datetime
    family: str
    contact_point_id: int | None
    brand: str = ""
    kind: str = "purchase"


@dataclass(frozen=True, slots=True)
class ContractFact:
    """A contract; it runs from its start until its end, or for ever when `ends_at` is None."""

    contract_id: int
    starts_at: datetime
    ends_at: datetime | None
    family: str
    brand: str = ""


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """What is known of a customer, whatever the contact point.

    `is_third_party`: only brokers' files tell of her; `is_unchecked`: and none is released.
    """

    status: str = "active"
    birth_date: date | None = None
    restricted_since: datetime | None = None
    objections: tuple[Objection, ...] = ()
    sales: tuple[SaleFact, ...] = ()
    contracts: tuple[ContractFact, ...] = ()
    last_contact_at: datetime | None = None
    is_informed: bool | None = None
    is_third_party: bool = False
    is_unchecked: bool = False
    # When Bloctel was last asked by then: of the whole house, not of the person.
    bloctel_checked_at: datetime | None = None
    calls: tuple[datetime, ...] = ()

    @property
    def families(self) -> frozenset[str]:
        """Return the product families of what she bought and contracted."""
        sold = {sale.family for sale in self.sales}
        contracted = {contract.family for contract in self.contracts}
        return frozenset((sold | contracted) - {""})


@dataclass(frozen=True, slots=True)
class PointFacts:
    """What is known of one contact point, and of the permission on it for the question's key.

    `zones` are the time zones it may ring in, worked out when somebody is about to dial.
    """

    contact_point_id: int
    kind: str
    status: str = "usable"
    audience: str = Audience.CONSUMER
    is_mobile: bool | None = None
    permission: Permission = field(default_factory=Permission)
    objections: tuple[Objection, ...] = ()
    suppressions: tuple[Objection, ...] = ()
    registrations: tuple[Registration, ...] = ()
    paused_until: datetime | None = None
    zones: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Offer:
    """What would be sent: its purpose and what it is about. No family means it is not said."""

    purpose: str
    nature: str
    families: frozenset[str] = frozenset()
    brand: str = ""
    sector: str = ""
    channels: frozenset[str] | None = None
    is_professional: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """May this leave on this channel at this instant? `offer` is None for an unknown purpose.

    `is_dialling` asks as somebody who has the phone in her hand: the hours then count.
    """

    channel: str
    offer: Offer | None
    at: datetime
    is_dialling: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """All the gate needs of one person; `point` is None when the channel has no contact point."""

    person: PersonFacts
    point: PointFacts | None
