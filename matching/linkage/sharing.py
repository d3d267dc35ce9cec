"""Which contacts belong to one person in a file, as far as its own pairs tell.

Where families share homes, mailboxes or phones, pairs that share one differ in given name *and* in
birth date together. Slips of one person's records do not come together like that: their share is
the product of the shares of either slip. So what a file has beyond that product are people who
share the contact, and where there are hardly any, the contact is personal: what shares it is no
household.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from matching.automatic import (
    BIRTH_AGREES,
    BIRTH_CONFLICTS,
    CONTACTS,
    FAMILY_AGREES,
    GIVEN_AGREES,
    UNTOLD,
    Sharing,
)
from matching.levels import GivenName
from matching.linkage.columns import Flags, Ids, Levels
from matching.linkage.keys import PART_FIELDS, Rule

MOST_SHARING = 0.02
"""Pairs of two people per pair of one person, at most.

Of two people under one roof one pair in fifty are twins, and one in a hundred bears one full name:
what is then taken for one person wrongly is less than one pair in a thousand.
"""

DOUBT = 3.0
"""Pairs of two people that a file may have although it shows none: the rule of three, at 95 %."""


def sharing_of(levels: Mapping[str, Levels], counts: Ids, rules: Sequence[Rule]) -> Sharing:
    """Return which of address, phone and e-mail no two people share in this file.

    Args:
        levels: per field the levels of each distinct pattern.
        counts: pairs with each pattern.
        rules: the blocking rules that made the pairs: a contact tells something only when a rule
            brings people who share it together whatever else they share.
    """
    if not {"given_name", "family_name", "birth_date"} <= levels.keys():
        return UNTOLD
    shares = {
        contact: np.isin(levels[contact], list(shared))
        for contact, shared in CONTACTS.items()
        if contact in levels
    }
    personal = tuple(
        contact
        for contact, pairs in shares.items()
        if any(_brings_together(rule, contact) for rule in rules)
        and _is_personal(pairs, levels, counts)
    )
    others = (pairs for contact, pairs in shares.items() if contact not in personal)
    return Sharing(personal, has_families=any(pairs.any() for pairs in others))


def _brings_together(rule: Rule, contact: str) -> bool:
    asked = {field for part in rule.parts for field in PART_FIELDS[part]}
    return contact in asked and asked <= {contact, "family_name"}


def _is_personal(shares: Flags, levels: Mapping[str, Levels], counts: Ids) -> bool:
    family = shares & np.isin(levels["family_name"], list(FAMILY_AGREES))
    given, born = levels["given_name"], levels["birth_date"]
    same_given, other_given = np.isin(given, list(GIVEN_AGREES)), given == GivenName.DIFFERS
    same_birth = np.isin(born, list(BIRTH_AGREES))
    other_birth = np.isin(born, list(BIRTH_CONFLICTS))

    def pairs(kept: Flags) -> float:
        return float(counts[family & kept].sum())

    one_person = pairs(same_given & same_birth)
    slips = pairs(other_given & same_birth) * pairs(same_given & other_birth)
    two_people = pairs(other_given & other_birth) - slips / max(1.0, one_person)
    return two_people + DOUBT < MOST_SHARING * one_person
