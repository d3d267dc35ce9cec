"""The levels a comparison can end at, field by field; no Django and no numpy.

Level 0 always means "a value is missing on a side": it is no evidence, for or against. The names
are stored (in models of a run) and translated (`matching.explanation`), so they do not change.
"""

from enum import IntEnum


class GivenName(IntEnum):
    """How two given names agree.

    TWO_EDITS: two letters apart, or one letter where many people bear either name.
    """

    UNKNOWN = 0
    SAME_RARE = 1
    SAME_USUAL = 2
    SAME_COMMON = 3
    SHORT_FORM = 4
    ONE_EDIT = 5
    TWO_EDITS = 6
    DIFFERS = 7


class FamilyName(IntEnum):
    """How two family names agree; a birth name counts as a family name.

    TWO_EDITS: as of given names.
    """

    UNKNOWN = 0
    SAME_RARE = 1
    SAME_USUAL = 2
    SAME_COMMON = 3
    OTHER_NAME = 4
    SWAPPED = 5
    ONE_EDIT = 6
    TWO_EDITS = 7
    DIFFERS = 8


class Street(IntEnum):
    """How two streets with their numbers agree."""

    UNKNOWN = 0
    SAME = 1
    NEAR = 2
    OTHER_NUMBER = 3
    DIFFERS = 4


class Town(IntEnum):
    """How two towns agree, by postcode and by name."""

    UNKNOWN = 0
    SAME = 1
    PARTLY = 2
    DIFFERS = 3


class Address(IntEnum):
    """Street and town as one field: apart, they would count the same evidence twice."""

    UNKNOWN = 0
    STREET_UNKNOWN_TOWN_SAME = 1
    STREET_UNKNOWN_TOWN_PARTLY = 2
    STREET_UNKNOWN_TOWN_DIFFERS = 3
    STREET_SAME_TOWN_UNKNOWN = 4
    STREET_SAME_TOWN_SAME = 5
    STREET_SAME_TOWN_PARTLY = 6
    STREET_SAME_TOWN_DIFFERS = 7
    STREET_NEAR_TOWN_UNKNOWN = 8
    STREET_NEAR_TOWN_SAME = 9
    STREET_NEAR_TOWN_PARTLY = 10
    STREET_NEAR_TOWN_DIFFERS = 11
    STREET_OTHER_NUMBER_TOWN_UNKNOWN = 12
    STREET_OTHER_NUMBER_TOWN_SAME = 13
    STREET_OTHER_NUMBER_TOWN_PARTLY = 14
    STREET_OTHER_NUMBER_TOWN_DIFFERS = 15
    STREET_DIFFERS_TOWN_UNKNOWN = 16
    STREET_DIFFERS_TOWN_SAME = 17
    STREET_DIFFERS_TOWN_PARTLY = 18
    STREET_DIFFERS_TOWN_DIFFERS = 19


class Phone(IntEnum):
    """How the best of the phone numbers of two records agree."""

    UNKNOWN = 0
    SAME = 1
    SAME_SHARED = 2
    ONE_DIGIT = 3
    DIFFERS = 4


class Email(IntEnum):
    """How two e-mail addresses agree.

    SAME_NAMED: the given name is missing on one side, and the address contains that of the other,
    or its initial beside the family name.
    SAME_UNNAMED: neither record bears a name; whoever reads the mailbox, it is one contact.
    SPELLS_NAME: one side has an address and no given name, the other no address, and the mailbox
    is made of the other's full name. The names are then compared as if they were stated, and the
    level itself is no evidence.
    ONE_SLIP: one letter apart, digits and host equal, and the names are equal as far as known.
    SLIP_OF_NAMES: the same, but a name differs, which explains it. SLIP_UNNAMED: a name is missing
    on a side, so that it may be either. NEAR is what else is nearly equal.
    """

    UNKNOWN = 0
    SAME = 1
    SAME_NAMED = 2
    SAME_UNNAMED = 3
    SAME_SHARED = 4
    ONE_SLIP = 5
    SLIP_UNNAMED = 6
    SAME_LOCAL_PART = 7
    SLIP_OF_NAMES = 8
    NEAR = 9
    SPELLS_NAME = 10
    DIFFERS = 11


class BirthDate(IntEnum):
    """How two birth dates agree; by their years alone where no more is known of one of them."""

    UNKNOWN = 0
    SAME = 1
    REARRANGED = 2
    ONE_PART = 3
    CLOSE = 4
    SAME_YEAR = 5
    NEAR_YEAR = 6
    ONLY_YEAR_SAME = 7
    ONLY_YEAR_NEAR = 8
    ONLY_YEAR_DIFFERS = 9
    DIFFERS = 10


class Identifier(IntEnum):
    """How two numbers that belong to one person agree."""

    UNKNOWN = 0
    SAME = 1
    NEAR = 2
    DIFFERS = 3


class Organisation(IntEnum):
    """How two organisations agree, legal form left out."""

    UNKNOWN = 0
    SAME_RARE = 1
    SAME_USUAL = 2
    SAME_COMMON = 3
    NEAR = 4
    PART = 5
    DIFFERS = 6


class Sex(IntEnum):
    """Whether two records name the same sex."""

    UNKNOWN = 0
    SAME = 1
    DIFFERS = 2


class Text(IntEnum):
    """How two values of any other attribute agree: middle name, birth place, occupation."""

    UNKNOWN = 0
    SAME_RARE = 1
    SAME_USUAL = 2
    SAME_COMMON = 3
    NEAR = 4
    PART = 5
    DIFFERS = 6


class Code(IntEnum):
    """How two values agree that are equal or not: country, number or site of a company."""

    UNKNOWN = 0
    SAME = 1
    NEAR = 2
    DIFFERS = 3


class Source(IntEnum):
    """Whether two records come from one source; a source seldom holds a person twice."""

    UNKNOWN = 0
    SAME = 1
    DIFFERS = 2


class Kind(IntEnum):
    """What two records are of: a person has a name, an organisation only its own."""

    UNKNOWN = 0
    PERSONS = 1
    ORGANISATIONS = 2
    MIXED = 3


class Kinship(IntEnum):
    """How two records could be of two people of one family.

    OTHER_NAME: the given names are nearly equal, but people bear either, and neither is a form of
    the other. GENERATION: the birth dates are a slip of a digit or two apart, and a generation.
    """

    UNKNOWN = 0
    OTHER_NAME = 1
    GENERATION = 2
    BOTH = 3


LEVELS: dict[str, type[IntEnum]] = {
    "given_name": GivenName,
    "family_name": FamilyName,
    "address": Address,
    "phone": Phone,
    "email": Email,
    "birth_date": BirthDate,
    "identifier": Identifier,
    "organisation": Organisation,
    "sex": Sex,
    "middle_name": Text,
    "birth_place": Text,
    "occupation": Text,
    "country": Code,
    "registration": Code,
    "website": Code,
    "source": Source,
    "kind": Kind,
    "kinship": Kinship,
}
"""The fields in their order inside a pattern."""

NO_EVIDENCE = ("kind", "kinship")
"""What two records are of, and what a family would explain: they weigh nothing in a score."""

EXACT: dict[str, frozenset[int]] = {
    "given_name": frozenset({1, 2, 3}),
    "family_name": frozenset({1, 2, 3}),
    "address": frozenset({4, 5, 6}),
    "phone": frozenset({1, 2}),
    "email": frozenset({1, 2, 3, 4}),
    "birth_date": frozenset({1, 7}),
    "identifier": frozenset({1}),
    "organisation": frozenset({1, 2, 3}),
    "sex": frozenset({1}),
    "middle_name": frozenset({1, 2, 3}),
    "birth_place": frozenset({1, 2, 3}),
    "occupation": frozenset({1, 2, 3}),
    "country": frozenset({1}),
    "registration": frozenset({1}),
    "website": frozenset({1}),
    "source": frozenset(),
    "kind": frozenset(),
    "kinship": frozenset(),
}
"""The levels of each field that mean "equal"."""


def level_name(field: str, level: int) -> str:
    """Return the stored name of a level: `level_name("phone", 1)` is "same"."""
    return LEVELS[field](level).name.lower()
