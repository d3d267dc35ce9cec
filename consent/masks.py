"""Contact points as their owner recognises them and nobody else learns them."""

import re

from mdm.models import ContactPoint

_DOTS = "•••"
_POSTCODE = re.compile(r"\b(\d\d)\d{3}\b")


def masked(point: ContactPoint) -> str:
    """Return a contact point with all but its edges hidden."""
    if point.kind == ContactPoint.Kind.EMAIL:
        local, _, domain = point.display.rpartition("@")
        name, _, ending = domain.rpartition(".")
        return f"{local[:1]}{_DOTS}@{name[:1]}{_DOTS}.{ending}"
    if point.kind == ContactPoint.Kind.PHONE:
        return f"{point.display[:3]} {_DOTS} {point.display[-2:]}"
    area = _POSTCODE.search(point.display)
    return f"{point.display[:2]}{_DOTS} {area[1] if area else ''}{_DOTS}"
