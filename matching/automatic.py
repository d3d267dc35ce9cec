"""Which evidence may link two records without a steward; pure.

A high score is not enough. Twins, couples with one e-mail, father and son of one name score high
because they share a household, so the evidence must speak of the person herself. A pair that is
held back goes to review with the reason. Where the file itself shows that nobody shares a contact
with another person (`matching.linkage.sharing`), sharing it is no household evidence.
"""

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

from matching.levels import (
    EXACT,
    NO_EVIDENCE,
    Address,
    BirthDate,
    Code,
    Email,
    FamilyName,
    GivenName,
    Identifier,
    Kind,
    Kinship,
    Organisation,
    Phone,
    Sex,
    Town,
)

Levels = Mapping[str, int]

_SAME_GIVEN = {GivenName.SAME_RARE, GivenName.SAME_USUAL, GivenName.SAME_COMMON}
_NEAR_GIVEN = {GivenName.SHORT_FORM, GivenName.ONE_EDIT, GivenName.TWO_EDITS}
GIVEN_AGREES = _SAME_GIVEN | _NEAR_GIVEN
FAMILY_AGREES = {
    FamilyName.SAME_RARE,
    FamilyName.SAME_USUAL,
    FamilyName.SAME_COMMON,
    FamilyName.OTHER_NAME,
    FamilyName.SWAPPED,
    FamilyName.ONE_EDIT,
    FamilyName.TWO_EDITS,
}
BIRTH_AGREES = {BirthDate.SAME, BirthDate.REARRANGED, BirthDate.ONE_PART}
BIRTH_CONFLICTS = {
    BirthDate.SAME_YEAR,
    BirthDate.NEAR_YEAR,
    BirthDate.ONLY_YEAR_DIFFERS,
    BirthDate.DIFFERS,
}
"""Years alone, equal or nearly, are neither: ages are given roughly, and many share a year."""
_OWN_EMAIL = {Email.SAME_NAMED, Email.SAME_UNNAMED}
_EMAIL_AGREES = _OWN_EMAIL | {Email.SAME, Email.SAME_LOCAL_PART}
_SAME_ORGANISATION = {
    Organisation.SAME_RARE,
    Organisation.SAME_USUAL,
    Organisation.SAME_COMMON,
    Organisation.NEAR,
}
_HOME_AGREES = {
    Address.STREET_SAME_TOWN_SAME,
    Address.STREET_SAME_TOWN_PARTLY,
    Address.STREET_NEAR_TOWN_SAME,
}
_SAME_TOWN = {level for level in Address if level % len(Town) == Town.SAME}
_CONTACT_AGREES: Mapping[str, Collection[int]] = {"email": _EMAIL_AGREES, "phone": {Phone.SAME}}
CONTACTS: Mapping[str, Collection[int]] = {
    "address": _HOME_AGREES,
    "phone": {Phone.SAME},
    "email": {Email.SAME, *_OWN_EMAIL},
}
"""What people of one household may share, and the levels at which they do."""

_ROOF: Mapping[str, Collection[int]] = {
    "address": EXACT["address"] | _HOME_AGREES,
    "phone": EXACT["phone"],
    "email": EXACT["email"],
}
"""What tells that two records may be of one household, also where many share it."""

_OTHER_NAME = {Kinship.OTHER_NAME, Kinship.BOTH}
_GENERATION = {Kinship.GENERATION, Kinship.BOTH}
_BESIDE_GIVEN_NAME: Mapping[str, Collection[int]] = {
    **EXACT,
    "given_name": (),
    "sex": (),
    "country": (),
    "family_name": FAMILY_AGREES - {FamilyName.SWAPPED},
    "birth_date": BIRTH_AGREES,
    "address": EXACT["address"] | _HOME_AGREES,
    "email": EXACT["email"]
    | {
        Email.ONE_SLIP,
        Email.SLIP_UNNAMED,
        Email.SLIP_OF_NAMES,
        Email.SAME_LOCAL_PART,
        Email.NEAR,
    },
}
"""What must agree beside a given name, each enough alone."""

_SAY_LITTLE_BESIDE_NAMES = {"given_name", "family_name", "sex", "country", "source", *NO_EVIDENCE}


class Sharing(NamedTuple):
    """What people of a file share, as far as its own pairs tell."""

    personal: tuple[str, ...] = ()
    """Contacts that no two people share."""
    has_families: bool = True
    """Whether there is a contact that people share, or may."""


UNTOLD = Sharing()
"""Where a file tells nothing, it may have families."""


def held_back(
    levels: Levels, sharing: Sharing = UNTOLD, unguarded: Collection[str] = ()
) -> str | None:
    """Return why these levels may not link by themselves, or None when they may.

    Args:
        levels: field -> level.
        sharing: what people of the file share.
        unguarded: reasons that the rules let link by themselves all the same.

    The reasons, each a code that `matching.explanation` puts in words: `identifier_conflict`,
    `birth_date_conflict`, `sex_conflict`, `given_name_conflict`, `given_name_unconfirmed`,
    `given_name_alone`, `names_alone`;
    of organisations `registration_conflict`, `organisation_unconfirmed`.
    """
    reasons = _OF_ORGANISATIONS if levels.get("kind") == Kind.ORGANISATIONS else _REASONS
    is_one_number = _is(levels, "identifier", {Identifier.SAME})
    if reasons is _REASONS and is_one_number and not _is_two_people(levels):
        return None
    for reason, holds in reasons.items():
        is_asked = reason not in unguarded
        if is_asked and holds(levels) and not _is_lifted(reason, levels, sharing):
            return reason
    return None


def _is_lifted(reason: str, levels: Levels, sharing: Sharing) -> bool:
    """Return whether a reason does not hold in a file whose people share less than a household.

    Where mailboxes are people's own and homes are not, a mailbox may stand for a given name that
    is missing. It does not outweigh one that differs: the few couples and twins who share a
    mailbox there are too few to be seen in the file as a whole.

    Where nothing is shared, a given name or a birth date that differs is a slip; both together
    are two people, and so are two names that people bear, however near, unless one number says
    that they are slips after all.
    """
    is_missing = reason == "given_name_unconfirmed"
    is_two_people = _is_two_people(levels) or _is(levels, "kinship", _OTHER_NAME)
    is_slip = _is(levels, "identifier", {Identifier.SAME}) or not is_two_people
    is_against = reason == "birth_date_conflict" or (reason == "given_name_conflict" and is_slip)
    if not (is_missing or (is_against and not sharing.has_families)):
        return False
    return _is_personal(levels, sharing.personal)


def _is_personal(levels: Levels, personal: Collection[str]) -> bool:
    """Return whether two records can be no household: what they share belongs to one person.

    A household lives in a home: where homes are personal, known addresses are enough, unless
    another contact, which people do share, is what the two have in common.
    """
    if _is(levels, "email", {Email.SPELLS_NAME}):
        return False
    shared = {name for name, wanted in CONTACTS.items() if _is(levels, name, wanted)}
    is_at_home = "address" in personal and levels.get("address", 0) != Address.UNKNOWN
    return not shared.isdisjoint(personal) or (is_at_home and not shared)


def _is(levels: Levels, field: str, wanted: Collection[int]) -> bool:
    return levels.get(field, 0) in wanted


def _is_two_people(levels: Levels) -> bool:
    return levels.get("given_name") == GivenName.DIFFERS and _is(
        levels, "birth_date", BIRTH_CONFLICTS
    )


def _identifiers_conflict(levels: Levels) -> bool:
    return levels.get("identifier") == Identifier.DIFFERS


def _birth_dates_conflict(levels: Levels) -> bool:
    """One digit or two apart are a slip of the hand; under one roof, also parent and child."""
    if _is(levels, "birth_date", {BirthDate.CLOSE}):
        return _is(levels, "address", _HOME_AGREES) or _is(levels, "phone", {Phone.SAME})
    if _is(levels, "kinship", _GENERATION):
        return _is_under_one_roof(levels)
    return _is(levels, "birth_date", BIRTH_CONFLICTS)


def _is_under_one_roof(levels: Levels) -> bool:
    return any(_is(levels, name, wanted) for name, wanted in _ROOF.items())


def _sexes_conflict(levels: Levels) -> bool:
    """Frédéric and Frédérique: a near name with the other sex is another name."""
    return levels.get("sex") == Sex.DIFFERS and not _is(levels, "given_name", _SAME_GIVEN)


def _given_names_conflict(levels: Levels) -> bool:
    """A near name is a slip, unless it is another name under the same roof."""
    if _is(levels, "kinship", _OTHER_NAME):
        return _is_under_one_roof(levels)
    return levels.get("given_name") == GivenName.DIFFERS


def _given_name_is_unconfirmed(levels: Levels) -> bool:
    """Without a given name on both sides, something else must be the person's own."""
    if _is(levels, "email", {Email.SPELLS_NAME}):
        return True
    if _is(levels, "given_name", _SAME_GIVEN) or _given_names_conflict(levels):
        return False  # One that differs is not missing: that is a reason of its own.
    if _is(levels, "given_name", _NEAR_GIVEN):
        return not (_is(levels, "birth_date", BIRTH_AGREES) or _is_family_and_contact(levels))
    return not (_is(levels, "email", _OWN_EMAIL) or _is_born_and_reached_alike(levels))


def _given_name_is_alone(levels: Levels) -> bool:
    """Return whether nothing but a given name agrees: many people bear it, in any file.

    Martin Thomas and Thomas Martin are two people as often as one: names that changed places
    need something beside them, the town at least.
    """
    if _is(levels, "family_name", {FamilyName.SWAPPED}) and _is(levels, "address", _SAME_TOWN):
        return False
    return _is(levels, "given_name", GIVEN_AGREES) and not any(
        _is(levels, field, wanted) for field, wanted in _BESIDE_GIVEN_NAME.items()
    )


def _names_are_alone(levels: Levels) -> bool:
    """Return whether nothing but names is known of both, not even a town or a year of birth.

    However rare a name is in the file, somebody bears it, too; a small file cannot tell how many.
    """
    return not any(
        level for field, level in levels.items() if field not in _SAY_LITTLE_BESIDE_NAMES
    )


def _is_family_and_contact(levels: Levels) -> bool:
    has_contact = any(_is(levels, field, wanted) for field, wanted in _CONTACT_AGREES.items())
    return has_contact or _is(levels, "family_name", FAMILY_AGREES)


def _is_born_and_reached_alike(levels: Levels) -> bool:
    """Return whether the birth date agrees beside a name or an e-mail (not beside a home)."""
    if _is(levels, "birth_date", {BirthDate.SAME, BirthDate.REARRANGED}):
        return _is(levels, "family_name", FAMILY_AGREES) or _is(levels, "email", _EMAIL_AGREES)
    return _is(levels, "birth_date", BIRTH_AGREES) and _is(levels, "email", _EMAIL_AGREES)


def _registrations_conflict(levels: Levels) -> bool:
    return levels.get("registration") == Code.DIFFERS


def _organisation_is_unconfirmed(levels: Levels) -> bool:
    """Return whether two organisations may be branches: these share a name alone."""
    if _is(levels, "registration", {Code.SAME}):
        return _is(levels, "organisation", {Organisation.DIFFERS})
    is_reached_alike = (
        _is(levels, "address", _HOME_AGREES)
        or _is(levels, "website", {Code.SAME})
        or any(_is(levels, field, wanted) for field, wanted in _CONTACT_AGREES.items())
    )
    return not (_is(levels, "organisation", _SAME_ORGANISATION) and is_reached_alike)


_REASONS: Mapping[str, Callable[[Levels], bool]] = {
    "identifier_conflict": _identifiers_conflict,
    "birth_date_conflict": _birth_dates_conflict,
    "sex_conflict": _sexes_conflict,
    "given_name_conflict": _given_names_conflict,
    "given_name_unconfirmed": _given_name_is_unconfirmed,
    "given_name_alone": _given_name_is_alone,
    "names_alone": _names_are_alone,
}

_OF_ORGANISATIONS: Mapping[str, Callable[[Levels], bool]] = {
    "registration_conflict": _registrations_conflict,
    "organisation_unconfirmed": _organisation_is_unconfirmed,
}

GUARDS = (*_REASONS, *_OF_ORGANISATIONS)
"""All reasons for which a pair is held back; a rule set may do without one."""
