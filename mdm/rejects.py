"""Why a row was rejected, as codes for the database and words for people."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

WORDS: Mapping[str, Any] = {
    "nul": _("The line contains a NUL character; remove it and send the line again."),
    "too_many_cells": _(
        "The line has more cells than the header; a delimiter inside a value needs quotes."
    ),
    "too_few_cells": _("The line has fewer cells than the header; it may be cut off."),
    "unclosed_quote": _(
        "A quotation mark opened here is not closed, so the following lines were read with it."
    ),
    "unreadable": _("The line cannot be read: a cell is longer than 131,072 characters."),
    "no_key": _("The line has no key: the source's own number of the customer is missing."),
    "key_too_long": _("The key is longer than 200 characters."),
    "erased": _("This customer was erased at her request and must not come back."),
}
