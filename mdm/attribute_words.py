"""How attributes of a mapping are called on pages, in the groups in which they are chosen."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.utils.dateparse import parse_date
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from mdm.models import GoldenRecord, PersonValues

_OF_RECORD = {field.name: field.verbose_name for field in GoldenRecord._meta.local_fields}

LABELS: Mapping[str, Any] = {
    **_OF_RECORD,
    "source_key": _("key in the source"),
    "full_name": _("whole name"),
    "address_line": _("street with its number"),
    "full_address": _("whole address"),
    "permission": _("permission"),
    "permission_at": _("date of the permission"),
    "double_opt_in": _("double opt-in"),
    "opt_out": _("opt-out"),
    "opt_out_at": _("date of the opt-out"),
    "created_at": _("date of creation"),
    "updated_at": _("date of change"),
    "sale_date": _("date of the sale"),
    "sale_amount": _("amount of the sale"),
    "sale_family": _("product family of the sale"),
    "sale_reference": _("number of the sale"),
    "contract_start": _("start of the contract"),
    "contract_end": _("end of the contract"),
    "contract_family": _("product family of the contract"),
    "contract_reference": _("number of the contract"),
}
# What the choice says more than the name of the attribute.
_CHOICES: Mapping[str, Any] = {
    "full_name": _("Whole name, to be split"),
    "address_line": _("Street with its number, to be split"),
    "full_address": _("Whole address in one cell, to be split"),
    "permission": _("Permission (yes or no)"),
    "double_opt_in": _("Confirmed by double opt-in (yes or no)"),
    "opt_out": _("Opt-out (yes or no)"),
}
_GROUPS: tuple[tuple[Any, str], ...] = (
    (
        _("Person"),
        "source_key civility sex given_name family_name birth_name full_name birth_date",
    ),
    (_("Organisation"), "organisation identifier website"),
    (_("Reaching her"), "email phone other_phone"),
    (
        _("Address"),
        "full_address address_line street_number street address_complement postcode city country",
    ),
    (_("Dates of the record"), "created_at updated_at"),
    (_("Permissions"), "permission permission_at double_opt_in opt_out opt_out_at"),
    (
        _("Sales and contracts"),
        "sale_date sale_amount sale_family sale_reference contract_start contract_end "
        "contract_family contract_reference",
    ),
)


def label(attribute: str) -> str:
    """Return the name of an attribute, with a capital."""
    words = str(LABELS.get(attribute, attribute))
    return words[:1].upper() + words[1:]


_CODES = {
    field.name: dict(field.flatchoices)
    for field in PersonValues._meta.local_fields
    if field.flatchoices
}


def value_in_words(attribute: str, value: Any) -> str:
    """Return a standard value as people read it: codes in words, dates in their order."""
    if attribute == "birth_date" and isinstance(value, str):
        value = parse_date(value)
    if isinstance(value, date):
        return date_format(value, "SHORT_DATE_FORMAT")
    return str(_CODES.get(attribute, {}).get(value, value) or "")


def choices() -> list[tuple[Any, Any]]:
    """Return every attribute a column may be mapped to, grouped, as a form field takes them."""
    return [
        ("", _("Not used")),
        *(
            (group, [(name, _CHOICES.get(name, label(name))) for name in names.split()])
            for group, names in _GROUPS
        ),
        (_("Left out"), [("ignore", _("Neither kept nor compared"))]),
    ]
