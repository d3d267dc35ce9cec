"""What can be wrong with a value, as codes for the database and words for people."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

WORDS: Mapping[str, Any] = {
    "placeholder": _("A filler stood in place of a value; it was left out."),
    "unknown_value": _("The value is not one of those known for this attribute."),
    "too_long": _("The value is too long to be one; it was left out."),
    "several": _("The cell holds several values; the first ones were taken."),
    "household": _("The name is that of a couple or a family, not of one person."),
    "digits": _("The name contains digits."),
    "remark": _("A remark stood in the name; it was left out."),
    "remark_deceased": _("A remark in the name says that the person has died."),
    "remark_do_not_contact": _("A remark in the name asks not to contact the person."),
    "remark_returned_mail": _("A remark in the name says that letters come back."),
    "invalid": _("The value is not valid and cannot be used."),
    "fake": _("The number is made of repeated or counted digits and is surely invented."),
    "not_personal": _("The number is a short or premium-rate number, not a person's."),
    "domain_typo": _("The domain of the e-mail address looks mistyped."),
    "role_address": _("The e-mail address belongs to a function, not to a person."),
    "restored_zero": _("The leading zero, lost in a spreadsheet, was put back."),
    "cedex": _("The postcode is a CEDEX code, used for large mailers only."),
    "unreadable": _("The value does not follow the format declared for its column."),
    "future": _("The date lies in the future; it was left out."),
    "too_old": _("The date lies too far in the past; it was left out."),
    "approximate": _("The day is 1 January, often given when only the year is known."),
}
