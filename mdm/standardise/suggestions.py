"""What a doubtful value was probably meant to be, worked out again wherever it is shown."""

from collections.abc import Mapping
from typing import Any

from mdm.standardise.emails import suggested_address
from mdm.standardise.name_doubts import suggested_names
from mdm.standardise.postcodes import NO_TABLE, PostcodeTable

OF_POSTCODES = frozenset(["wrong_town", "unknown_postcode"])


def suggest(code: str, values: Mapping[str, Any], postcodes: PostcodeTable = NO_TABLE) -> str:
    """Return a suggestion for an issue of a standard record, or "" when there is none to make."""
    if code == "domain_typo":
        return suggested_address(values["email"])
    if code in ("swapped", "whole_name"):
        return suggested_names(values["given_name"], values["family_name"], code)
    if code in OF_POSTCODES:
        return ", ".join(postcodes.suggestions(values["postcode"], values["city"]))
    return ""
