"""What a role is called and what it may do, in words."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.auth.models import Permission
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.roles import ADMINISTRATOR, CALLER, DPO, MARKETER, STEWARD

_HISTORY = "historical"
_NAMES: Mapping[str, Any] = {
    STEWARD: gettext_lazy("Steward"),
    DPO: gettext_lazy("Data protection officer"),
    MARKETER: gettext_lazy("Marketer"),
    ADMINISTRATOR: gettext_lazy("Administrator"),
    CALLER: gettext_lazy("Caller"),
}


def role_name(code: str) -> str:
    """Return what people call a role; one made by hand is called what it was named."""
    return str(_NAMES.get(code, code))


def rights(permissions: Iterable[Permission]) -> list[tuple[str, list[str]]]:
    """Return what may be done with each thing, by the name of the thing."""
    by_thing: dict[str, list[str]] = {}
    for permission in sorted(permissions, key=_is_of_history):
        by_thing.setdefault(_thing(permission), []).append(_deed(permission))
    return sorted(by_thing.items())


def _is_of_history(permission: Permission) -> bool:
    return permission.content_type.model.startswith(_HISTORY)


def _thing(permission: Permission) -> str:
    model = permission.content_type.model_class()
    # A history belongs to what it is the history of.
    model = getattr(model, "instance_type", model)
    return capfirst(str(model._meta.verbose_name)) if model else permission.content_type.model


def _deed(permission: Permission) -> str:
    if _is_of_history(permission):
        return _("see the history")
    verb, _underscore, thing = permission.codename.partition("_")
    if thing != permission.content_type.model:
        return _(permission.name)
    return {
        "view": _("see"),
        "add": _("add"),
        "change": _("change"),
        "delete": _("delete"),
    }.get(verb, _(permission.name))
