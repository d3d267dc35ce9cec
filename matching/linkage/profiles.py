"""What the latent classes expect before they have seen the data: chance of each level, roughly.

Training moves these figures to what the file says; they only have to tell the classes apart.
Levels that are not named get the weight `distributions.REST`.
"""

from collections.abc import Mapping

from matching.levels import (
    Address,
    BirthDate,
    Code,
    Email,
    FamilyName,
    GivenName,
    Identifier,
    Kinship,
    Organisation,
    Phone,
    Sex,
    Text,
)

Profile = Mapping[str, Mapping[int, float]]

_MOSTLY_SAME_TEXT: Mapping[int, float] = {
    Text.SAME_RARE: 0.3,
    Text.SAME_USUAL: 0.3,
    Text.SAME_COMMON: 0.2,
    Text.NEAR: 0.07,
    Text.PART: 0.05,
    Text.DIFFERS: 0.08,
}
_MOSTLY_DIFFERENT_TEXT: Mapping[int, float] = {
    Text.SAME_RARE: 1e-4,
    Text.SAME_USUAL: 1e-3,
    Text.SAME_COMMON: 5e-3,
    Text.NEAR: 3e-3,
    Text.PART: 3e-3,
    Text.DIFFERS: 0.98,
}

SAME_PERSON: Profile = {
    "given_name": {
        GivenName.SAME_RARE: 0.3,
        GivenName.SAME_USUAL: 0.25,
        GivenName.SAME_COMMON: 0.25,
        GivenName.SHORT_FORM: 0.06,
        GivenName.ONE_EDIT: 0.06,
        GivenName.TWO_EDITS: 0.02,
        GivenName.DIFFERS: 0.03,
    },
    "family_name": {
        FamilyName.SAME_RARE: 0.3,
        FamilyName.SAME_USUAL: 0.3,
        FamilyName.SAME_COMMON: 0.2,
        FamilyName.OTHER_NAME: 0.04,
        FamilyName.SWAPPED: 0.02,
        FamilyName.ONE_EDIT: 0.07,
        FamilyName.TWO_EDITS: 0.02,
        FamilyName.DIFFERS: 0.04,
    },
    "address": {
        Address.STREET_SAME_TOWN_SAME: 0.65,
        Address.STREET_SAME_TOWN_PARTLY: 0.08,
        Address.STREET_SAME_TOWN_DIFFERS: 0.02,
        Address.STREET_NEAR_TOWN_SAME: 0.08,
        Address.STREET_NEAR_TOWN_PARTLY: 0.02,
        Address.STREET_OTHER_NUMBER_TOWN_SAME: 0.03,
        Address.STREET_DIFFERS_TOWN_SAME: 0.03,
        Address.STREET_DIFFERS_TOWN_DIFFERS: 0.05,
        Address.STREET_UNKNOWN_TOWN_SAME: 0.85,
        Address.STREET_UNKNOWN_TOWN_PARTLY: 0.08,
        Address.STREET_UNKNOWN_TOWN_DIFFERS: 0.07,
        Address.STREET_SAME_TOWN_UNKNOWN: 0.8,
        Address.STREET_NEAR_TOWN_UNKNOWN: 0.1,
        Address.STREET_OTHER_NUMBER_TOWN_UNKNOWN: 0.04,
        Address.STREET_DIFFERS_TOWN_UNKNOWN: 0.06,
    },
    "phone": {
        Phone.SAME: 0.75,
        Phone.SAME_SHARED: 0.01,
        Phone.ONE_DIGIT: 0.04,
        Phone.DIFFERS: 0.2,
    },
    "email": {
        Email.SAME: 0.5,
        Email.SAME_NAMED: 0.25,
        Email.SAME_SHARED: 0.01,
        Email.ONE_SLIP: 0.06,
        Email.SAME_LOCAL_PART: 0.06,
        Email.SLIP_OF_NAMES: 0.005,
        Email.NEAR: 0.02,
        Email.DIFFERS: 0.1,
    },
    "birth_date": {
        BirthDate.SAME: 0.9,
        BirthDate.REARRANGED: 0.03,
        BirthDate.ONE_PART: 0.05,
        BirthDate.CLOSE: 0.01,
        BirthDate.SAME_YEAR: 0.005,
        BirthDate.NEAR_YEAR: 0.002,
        BirthDate.DIFFERS: 0.004,
        BirthDate.ONLY_YEAR_SAME: 0.75,
        BirthDate.ONLY_YEAR_NEAR: 0.2,
        BirthDate.ONLY_YEAR_DIFFERS: 0.05,
    },
    "identifier": {Identifier.SAME: 0.9, Identifier.NEAR: 0.07, Identifier.DIFFERS: 0.03},
    "organisation": {
        Organisation.SAME_RARE: 0.3,
        Organisation.SAME_USUAL: 0.25,
        Organisation.SAME_COMMON: 0.2,
        Organisation.NEAR: 0.08,
        Organisation.PART: 0.09,
        Organisation.DIFFERS: 0.08,
    },
    "sex": {Sex.SAME: 0.98, Sex.DIFFERS: 0.02},
    "middle_name": _MOSTLY_SAME_TEXT,
    "birth_place": _MOSTLY_SAME_TEXT,
    "occupation": {
        Text.SAME_RARE: 0.15,
        Text.SAME_USUAL: 0.2,
        Text.SAME_COMMON: 0.25,
        Text.NEAR: 0.05,
        Text.PART: 0.05,
        Text.DIFFERS: 0.3,
    },
    "country": {Code.SAME: 0.97, Code.DIFFERS: 0.03},
    "registration": {Code.SAME: 0.9, Code.NEAR: 0.04, Code.DIFFERS: 0.06},
    "website": {Code.SAME: 0.85, Code.NEAR: 0.05, Code.DIFFERS: 0.1},
}

SAME_ORGANISATION: Profile = {
    "organisation": {
        Organisation.SAME_RARE: 0.3,
        Organisation.SAME_USUAL: 0.3,
        Organisation.SAME_COMMON: 0.1,
        Organisation.NEAR: 0.1,
        Organisation.PART: 0.12,
        Organisation.DIFFERS: 0.08,
    },
    "registration": {Code.SAME: 0.92, Code.NEAR: 0.05, Code.DIFFERS: 0.03},
    "website": {Code.SAME: 0.85, Code.NEAR: 0.05, Code.DIFFERS: 0.1},
    # People of one house write from many mailboxes and answer many phones.
    "email": {
        Email.SAME: 0.35,
        Email.ONE_SLIP: 0.04,
        Email.SAME_LOCAL_PART: 0.05,
        Email.NEAR: 0.01,
        Email.DIFFERS: 0.5,
    },
    "phone": {
        Phone.SAME: 0.55,
        Phone.SAME_SHARED: 0.02,
        Phone.ONE_DIGIT: 0.04,
        Phone.DIFFERS: 0.4,
    },
}
"""Differs from `SAME_PERSON` in these fields only."""

STRANGERS: Profile = {
    "given_name": {
        GivenName.SAME_RARE: 1e-3,
        GivenName.SAME_USUAL: 3e-3,
        GivenName.SAME_COMMON: 5e-3,
        GivenName.SHORT_FORM: 5e-3,
        GivenName.ONE_EDIT: 4e-3,
        GivenName.TWO_EDITS: 1e-2,
        GivenName.DIFFERS: 0.97,
    },
    "family_name": {
        FamilyName.SAME_RARE: 2e-4,
        FamilyName.SAME_USUAL: 6e-4,
        FamilyName.SAME_COMMON: 2e-3,
        FamilyName.DIFFERS: 0.99,
    },
    "address": {
        Address.STREET_DIFFERS_TOWN_SAME: 0.01,
        Address.STREET_DIFFERS_TOWN_DIFFERS: 0.98,
        Address.STREET_UNKNOWN_TOWN_SAME: 0.01,
        Address.STREET_UNKNOWN_TOWN_DIFFERS: 0.98,
        Address.STREET_DIFFERS_TOWN_UNKNOWN: 0.99,
    },
    "phone": {Phone.SAME: 1e-4, Phone.SAME_SHARED: 1e-4, Phone.DIFFERS: 0.99},
    "email": {
        Email.SAME: 1e-4,
        Email.SAME_NAMED: 1e-5,
        Email.ONE_SLIP: 1e-5,
        Email.SLIP_OF_NAMES: 1e-4,
        Email.DIFFERS: 0.99,
    },
    "birth_date": {
        BirthDate.SAME: 5e-5,
        BirthDate.REARRANGED: 5e-4,
        BirthDate.ONE_PART: 2e-3,
        BirthDate.CLOSE: 1e-2,
        BirthDate.SAME_YEAR: 0.02,
        BirthDate.NEAR_YEAR: 0.05,
        BirthDate.DIFFERS: 0.92,
        BirthDate.ONLY_YEAR_SAME: 0.02,
        BirthDate.ONLY_YEAR_NEAR: 0.06,
        BirthDate.ONLY_YEAR_DIFFERS: 0.92,
    },
    "identifier": {Identifier.SAME: 1e-6, Identifier.NEAR: 1e-5, Identifier.DIFFERS: 1.0},
    "organisation": _MOSTLY_DIFFERENT_TEXT,
    "sex": {Sex.SAME: 0.5, Sex.DIFFERS: 0.5},
    "middle_name": {**_MOSTLY_DIFFERENT_TEXT, Text.SAME_COMMON: 0.02},
    "birth_place": {**_MOSTLY_DIFFERENT_TEXT, Text.SAME_COMMON: 0.02},
    "occupation": {**_MOSTLY_DIFFERENT_TEXT, Text.SAME_COMMON: 0.05},
    "country": {Code.SAME: 0.7, Code.DIFFERS: 0.3},
    "registration": {Code.SAME: 1e-6, Code.NEAR: 1e-4, Code.DIFFERS: 1.0},
    "website": {Code.SAME: 1e-4, Code.NEAR: 1e-3, Code.DIFFERS: 1.0},
}
"""Two people by chance: what a file too small to say so is taken to be like."""

MOVED: Profile = {
    "address": {
        Address.STREET_DIFFERS_TOWN_SAME: 0.4,
        Address.STREET_DIFFERS_TOWN_PARTLY: 0.05,
        Address.STREET_DIFFERS_TOWN_DIFFERS: 0.5,
        Address.STREET_UNKNOWN_TOWN_SAME: 0.4,
        Address.STREET_UNKNOWN_TOWN_PARTLY: 0.05,
        Address.STREET_UNKNOWN_TOWN_DIFFERS: 0.5,
        Address.STREET_DIFFERS_TOWN_UNKNOWN: 0.95,
    },
    "phone": {Phone.SAME: 0.6, Phone.ONE_DIGIT: 0.03, Phone.DIFFERS: 0.37},
}
"""The same person at a new address: differs from `SAME_PERSON` in these fields only."""

_ONE_HOUSEHOLD: Profile = {
    "address": {
        Address.STREET_SAME_TOWN_SAME: 0.85,
        Address.STREET_SAME_TOWN_PARTLY: 0.05,
        Address.STREET_NEAR_TOWN_SAME: 0.06,
        Address.STREET_DIFFERS_TOWN_SAME: 0.02,
        Address.STREET_UNKNOWN_TOWN_SAME: 0.9,
        Address.STREET_UNKNOWN_TOWN_PARTLY: 0.06,
        Address.STREET_UNKNOWN_TOWN_DIFFERS: 0.04,
        Address.STREET_SAME_TOWN_UNKNOWN: 0.9,
        Address.STREET_NEAR_TOWN_UNKNOWN: 0.08,
    },
    "phone": {Phone.SAME: 0.4, Phone.SAME_SHARED: 0.01, Phone.DIFFERS: 0.6},
    "email": {
        Email.SAME: 0.15,
        Email.SAME_NAMED: 0.002,
        Email.SAME_SHARED: 0.01,
        Email.ONE_SLIP: 0.002,
        Email.SLIP_OF_NAMES: 0.01,
        Email.NEAR: 0.02,
        Email.DIFFERS: 0.8,
    },
    "identifier": {Identifier.SAME: 1e-4, Identifier.NEAR: 1e-3, Identifier.DIFFERS: 1.0},
    "organisation": {
        Organisation.SAME_RARE: 0.1,
        Organisation.SAME_USUAL: 0.1,
        Organisation.SAME_COMMON: 0.1,
        Organisation.DIFFERS: 0.7,
    },
    "sex": {Sex.SAME: 0.4, Sex.DIFFERS: 0.6},
    "middle_name": _MOSTLY_DIFFERENT_TEXT,
    "registration": {Code.SAME: 0.1, Code.NEAR: 1e-3, Code.DIFFERS: 0.9},
    "website": {Code.SAME: 0.2, Code.DIFFERS: 0.8},
}

_OTHER_GIVEN_NAME: Profile = {
    "given_name": {
        GivenName.SAME_RARE: 0.002,
        GivenName.SAME_USUAL: 0.003,
        GivenName.SAME_COMMON: 0.004,
        GivenName.SHORT_FORM: 0.01,
        GivenName.ONE_EDIT: 0.01,
        GivenName.TWO_EDITS: 0.02,
        GivenName.DIFFERS: 0.95,
    },
    # Twins: one household pair in fifty shares the birth date.
    "birth_date": {
        BirthDate.SAME: 0.02,
        BirthDate.REARRANGED: 0.003,
        BirthDate.ONE_PART: 0.01,
        BirthDate.CLOSE: 0.03,
        BirthDate.SAME_YEAR: 0.03,
        BirthDate.NEAR_YEAR: 0.11,
        BirthDate.DIFFERS: 0.80,
        BirthDate.ONLY_YEAR_SAME: 0.05,
        BirthDate.ONLY_YEAR_NEAR: 0.14,
        BirthDate.ONLY_YEAR_DIFFERS: 0.81,
    },
}

HOUSEHOLD_FIXED = ("given_name", "birth_date", "identifier", "middle_name")

PERSONAL_LEVELS: Mapping[str, tuple[int, ...]] = {"email": (Email.SAME_NAMED,)}
"""Levels that no household learns: a mailbox named after her is hers."""

MOST_DIFFERING: Mapping[str, float] = {
    "given_name": 0.1,
    "family_name": 0.2,
    "birth_date": 0.1,
    "identifier": 0.1,
    "sex": 0.05,
    "email": 0.6,
    "phone": 0.7,
    "organisation": 0.2,
    "middle_name": 0.3,
    "birth_place": 0.3,
    "registration": 0.3,
}
"""How often one person's values may differ at most: a class that learns more is another class.

In a large file people of one name outnumber the matches; nothing else keeps them apart.
"""

SILENT_LEVELS: Mapping[str, tuple[int, ...]] = {
    "email": (Email.SPELLS_NAME,),
    "kinship": tuple(Kinship)[1:],
}
"""Levels that tell how other fields were compared, and are no evidence of their own."""

EITHER: Mapping[str, Mapping[int, tuple[int, ...]]] = {
    "email": {Email.SLIP_UNNAMED: (Email.ONE_SLIP, Email.SLIP_OF_NAMES)},
}
"""Levels that cannot be told from one another where a value is missing.

One person's are the first of them, two people's any: they are as likely as all together. Such
pairs teach nothing, as nothing else is known of most of them.
"""

COUNTED_AS: Mapping[str, Mapping[int, int]] = {"email": {Email.SAME_UNNAMED: Email.SAME}}
"""Levels that are worth what another is: that names are missing is no evidence."""

NAMESAKES = "household, same full name"
NAMESAKES_FIXED = (*HOUSEHOLD_FIXED, "family_name", "sex")
NAMESAKES_PER_MATCH = 0.02
"""Father and son of one name are rare; without birth dates nothing else would say so."""

LEAST_HOUSEHOLDS_PER_MATCH = 0.05
"""Below, the file has no households, and their classes only blur the matches."""

HOUSEHOLDS: Mapping[str, Profile] = {
    "household": {
        **_ONE_HOUSEHOLD,
        **_OTHER_GIVEN_NAME,
        "family_name": {
            FamilyName.SAME_RARE: 0.35,
            FamilyName.SAME_USUAL: 0.3,
            FamilyName.SAME_COMMON: 0.2,
            FamilyName.OTHER_NAME: 0.05,
            FamilyName.ONE_EDIT: 0.03,
            FamilyName.DIFFERS: 0.07,
        },
    },
    "household, other family name": {
        **_ONE_HOUSEHOLD,
        **_OTHER_GIVEN_NAME,
        "family_name": {FamilyName.OTHER_NAME: 0.02, FamilyName.DIFFERS: 0.98},
    },
    NAMESAKES: {
        **_ONE_HOUSEHOLD,
        "given_name": {
            GivenName.SAME_RARE: 0.3,
            GivenName.SAME_USUAL: 0.3,
            GivenName.SAME_COMMON: 0.3,
            GivenName.SHORT_FORM: 0.02,
        },
        "family_name": {
            FamilyName.SAME_RARE: 0.35,
            FamilyName.SAME_USUAL: 0.35,
            FamilyName.SAME_COMMON: 0.25,
            FamilyName.ONE_EDIT: 0.02,
        },
        # Father and son: a generation apart.
        "birth_date": {
            BirthDate.SAME: 1e-4,
            BirthDate.REARRANGED: 1e-4,
            BirthDate.ONE_PART: 0.005,
            BirthDate.CLOSE: 0.01,
            BirthDate.SAME_YEAR: 0.002,
            BirthDate.NEAR_YEAR: 0.003,
            BirthDate.DIFFERS: 0.98,
            BirthDate.ONLY_YEAR_SAME: 0.002,
            BirthDate.ONLY_YEAR_NEAR: 0.004,
            BirthDate.ONLY_YEAR_DIFFERS: 0.98,
        },
        "sex": {Sex.SAME: 0.98, Sex.DIFFERS: 0.02},
    },
}
"""Different people under one roof. They never learn to agree on what tells them apart."""
