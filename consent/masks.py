"""Contact points as their owner recognises them and nobody else learns them."""

from mdm.models import ContactPoint

_DOTS = "•••"


def masked(point: ContactPoint) -> str:
    """Return a contact point with all but its edges hidden."""
    if point.kind == ContactPoint.Kind.EMAIL:
        local, _, domain = point.display.rpartition("@")
        name, _, ending = domain.rpartition(".")
        return f"{local[:1]}{_DOTS}@{name[:1]}{_DOTS}.{ending}"
    if point.kind == ContactPoint.Kind.PHONE:
        return f"{point.display[:3]} {_DOTS} {point.display[-2:]}"
    return f"{point.display[:2]}{_DOTS}"
