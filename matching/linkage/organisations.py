"""What tells organisations apart: their number, and the domain of their site or mailboxes.

A record that names an organisation and no person is an organisation's. Its identifier is a
registration number then, and its mailboxes tell its domain, unless a provider hosts them.
"""

from dataclasses import replace

import numpy as np

from matching.linkage.columns import Columns, Flags, Objects
from mdm.standardise.organisations import site_domain

_NAMES = ("given_name", "family_name", "birth_name")


def told_by_kind(columns: Columns) -> Columns:
    """Return the records with registration number and site where they are organisations'."""
    organisation = columns.column("organisation")
    if organisation is None:
        return columns
    theirs = _known(organisation)
    for name in _NAMES:
        if (column := columns.column(name)) is not None:
            theirs &= ~_known(column)
    if not theirs.any():
        return columns
    values = dict(columns.values)
    for name, found in _of_organisations(columns, theirs).items():
        values[name] = found
    return replace(columns, values=values)


def _of_organisations(columns: Columns, theirs: Flags) -> dict[str, Objects]:
    nothing = np.full(len(columns), None, object)
    email, identifier, registration, website = (
        nothing if (column := columns.column(name)) is None else column
        for name in ("email", "identifier", "registration", "website")
    )
    domains = np.array([site_domain(value or "") or None for value in email.tolist()], object)
    return {
        "identifier": np.where(theirs, nothing, identifier),
        "registration": np.where(theirs & ~_known(registration), identifier, registration),
        "website": np.where(theirs & ~_known(website), domains, website),
    }


def _known(values: Objects) -> Flags:
    return np.array([bool(value) for value in values.tolist()], np.bool_)
