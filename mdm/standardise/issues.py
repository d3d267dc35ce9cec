"""What can be seen in a value, as codes for the database and words for people.

A record stores its issues as [[attribute, code], …] without values. A suggestion ("gmail.com?")
is worked out again where it is shown (`suggestions.suggest`), so that no history keeps it.

Severities: an `error` left the value out or makes it useless; a `warning` keeps a value that
somebody should look at; a `note` tells what was mended, and the value is good.
Dimensions are those of data quality as the field names them.
"""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from django.utils.translation import gettext_lazy as _

Severity = Literal["error", "warning", "note"]
Dimension = Literal["completeness", "validity", "plausibility", "consistency", "freshness"]


class IssueKind(NamedTuple):
    """One code: how bad it is, which dimension of quality it touches, and its sentence."""

    severity: Severity
    dimension: Dimension
    sentence: Any


ISSUES: Mapping[str, IssueKind] = {
    # Any attribute.
    "placeholder": IssueKind(
        "warning", "completeness", _("A filler stood in place of a value; it was left out.")
    ),
    "unknown_value": IssueKind(
        "warning", "validity", _("The value is not one of those known for this attribute.")
    ),
    "too_long": IssueKind(
        "error", "validity", _("The value is too long to be one; it was left out.")
    ),
    "several": IssueKind(
        "note", "consistency", _("The cell holds several values; the first ones were taken.")
    ),
    "invalid": IssueKind("error", "validity", _("The value is not valid and cannot be used.")),
    # The row as a whole, told at its key.
    "empty": IssueKind(
        "warning", "completeness", _("The row says nothing but its key: an empty customer.")
    ),
    # Names.
    "household": IssueKind(
        "warning", "validity", _("The name is that of a couple or a family, not of one person.")
    ),
    "digits": IssueKind("warning", "validity", _("The name contains digits.")),
    "remark": IssueKind("note", "validity", _("A remark stood in the name; it was left out.")),
    "remark_deceased": IssueKind(
        "warning",
        "plausibility",
        _(
            "A remark in the name says that the person has died: nobody contacts her any more, as"
            " after an opt-out."
        ),
    ),
    "remark_do_not_contact": IssueKind(
        "warning",
        "plausibility",
        _(
            "A remark in the name asks not to contact the person: it counts as an opt-out of"
            " everything."
        ),
    ),
    "remark_returned_mail": IssueKind(
        "warning", "freshness", _("A remark in the name says that letters come back.")
    ),
    "initial": IssueKind(
        "warning", "completeness", _("Only the initial of the given name is known.")
    ),
    "swapped": IssueKind(
        "warning",
        "consistency",
        _("Given and family name seem to stand in each other's column; nothing was changed."),
    ),
    "whole_name": IssueKind(
        "warning",
        "consistency",
        _("The family name seems to hold the given name too; nothing was changed."),
    ),
    "split": IssueKind(
        "note", "consistency", _("The cell held given and family name; they were taken apart.")
    ),
    "repeated": IssueKind(
        "note",
        "consistency",
        _("The family name stood in the given name's cell too; it was left out there."),
    ),
    "sex_conflict": IssueKind(
        "warning",
        "consistency",
        _("Civility and sex contradict each other; nothing was changed."),
    ),
    "given_name_conflict": IssueKind(
        "warning",
        "consistency",
        _("The given name is rarely that of a person of this sex or civility."),
    ),
    # Organisations and their numbers.
    "checksum": IssueKind(
        "warning",
        "validity",
        _("The number looks like a SIREN, a SIRET or a VAT number, but its check digits differ."),
    ),
    "sole_trader": IssueKind(
        "note", "consistency", _("The organisation is a person trading under her own name.")
    ),
    # Whole addresses.
    "not_split": IssueKind(
        "warning",
        "validity",
        _("No postcode and town were found in the address; all of it was kept as the street."),
    ),
    # Phones.
    "rounded": IssueKind(
        "error",
        "validity",
        _("A spreadsheet has rounded the number (3.36E+10); its digits are lost."),
    ),
    "fake": IssueKind(
        "error",
        "plausibility",
        _("The number is made of repeated or counted digits and is surely invented."),
    ),
    "doubtful": IssueKind(
        "warning", "plausibility", _("The number follows a pattern that people often invent.")
    ),
    "not_personal": IssueKind(
        "error",
        "plausibility",
        _("The number is a short or premium-rate number, not a person's."),
    ),
    "extension": IssueKind(
        "note", "validity", _("An extension stood behind the number; it was left out.")
    ),
    # E-mail addresses.
    "unwrapped": IssueKind(
        "note", "validity", _("The address stood inside other text; it was taken out of it.")
    ),
    "domain_typo": IssueKind(
        "warning", "plausibility", _("The domain of the e-mail address looks mistyped.")
    ),
    "role_address": IssueKind(
        "warning",
        "plausibility",
        _("The e-mail address belongs to a function, not to a person."),
    ),
    "disposable_address": IssueKind(
        "warning", "plausibility", _("The e-mail address is of a kind that is thrown away.")
    ),
    # Postal addresses.
    "restored_zero": IssueKind(
        "note", "validity", _("The leading zero, lost in a spreadsheet, was put back.")
    ),
    "cedex": IssueKind(
        "note", "plausibility", _("The postcode is a CEDEX code, used for large mailers only.")
    ),
    "mailbox": IssueKind(
        "note", "plausibility", _("The address is that of a mailbox (BP, CS, TSA), not a home.")
    ),
    "commune_code": IssueKind(
        "error",
        "validity",
        _("A Corsican department or commune code stands in place of the postcode."),
    ),
    "other_territory": IssueKind(
        "warning", "consistency", _("The postcode is not one of the country given.")
    ),
    "unknown_postcode": IssueKind(
        "warning", "validity", _("The postcode is not in the table of postcodes.")
    ),
    "wrong_town": IssueKind("warning", "consistency", _("Postcode and town do not go together.")),
    # Dates.
    "unreadable": IssueKind(
        "error", "validity", _("The value does not follow the format declared for its column.")
    ),
    "future": IssueKind(
        "error", "plausibility", _("The date lies in the future; it was left out.")
    ),
    "too_old": IssueKind(
        "warning", "plausibility", _("The person would be more than 125 years old.")
    ),
    "very_old": IssueKind(
        "warning", "plausibility", _("The person would be more than 105 years old.")
    ),
    "minor": IssueKind(
        "note", "plausibility", _("The person was under 15 when the row was read.")
    ),
    "approximate": IssueKind(
        "note",
        "plausibility",
        _("The day is 1 January, often given when only the year is known."),
    ),
}

STOPPING = frozenset({"remark_deceased", "remark_do_not_contact"})
"""Codes that forbid to contact the person of the row at all."""

WORDS: Mapping[str, Any] = {code: kind.sentence for code, kind in ISSUES.items()}
"""Code → sentence."""


def is_doubtful(code: str) -> bool:
    """Tell whether a value with this issue is worse than one without; an unknown code is."""
    kind = ISSUES.get(code)
    return kind is None or kind.severity != "note"
