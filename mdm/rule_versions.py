"""Draft, simulate, put in force, go back: the life of rules, whatever they rule.

Nothing of a version that was in force is edited afterwards. A draft can only be put in force
once a simulation of exactly these rules has shown what it would change.
"""

from typing import Any, TypeVar

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from mdm.audit import acting_as
from mdm.models import Job
from mdm.models.rule_versions import RuleVersion
from mdm.reasons import reason_of

Version = TypeVar("Version", bound=RuleVersion)
Status = RuleVersion.Status


class RulesRefused(Exception):
    """The rules cannot be changed so; the text says why and what to do."""


def in_force(model: type[Version]) -> Version | None:
    """Return the version in force; None while the rules are as delivered."""
    return _with_status(model, Status.ACTIVE)


def open_draft(model: type[Version]) -> Version | None:
    """Return the draft, if one is open."""
    return _with_status(model, Status.DRAFT)


def _with_status(model: type[Version], status: str) -> Version | None:
    return model._default_manager.filter(status=status).first()


def required_draft(model: type[Version]) -> Version:
    """Return the open draft.

    Raises:
        RulesRefused: when there is none.
    """
    draft = open_draft(model)
    if draft is None:
        raise RulesRefused(_("There is no draft: somebody put it in force or threw it away."))
    return draft


def create_draft(
    model: type[Version], *, of: Version | None = None, by: User | None, **content: Any
) -> Version:
    """Write a new draft; `of` is the earlier version it goes back to. Call it in a transaction.

    Raises:
        RulesRefused: when a draft is open already.
    """
    if open_draft(model):
        raise RulesRefused(_("A draft is open already: put it in force or throw it away first."))
    note = _("as %(version)s") % {"version": f"v{of.version}"} if of else ""
    with acting_as(by, reason_of(gettext_noop("New draft"))):
        return model._default_manager.create(
            version=next_version(model), created_by=by, note=note, **content
        )


def next_version(model: type[Version]) -> int:
    """Return the number of the version after the last."""
    latest = model._default_manager.aggregate(latest=Max("version"))["latest"]
    return (latest or 0) + 1


def lock_draft(draft: RuleVersion) -> None:
    """Hold a draft for this transaction.

    Raises:
        RulesRefused: when it is a draft no more.
    """
    locked = type(draft)._default_manager.select_for_update().filter(pk=draft.pk).first()
    if locked is None or locked.status != Status.DRAFT:
        raise RulesRefused(
            _("This is no draft any more: somebody put it in force or threw it away.")
        )


def remember_simulation(draft: RuleVersion, job: Job, *, by: User | None) -> None:
    """Note the job that simulates a locked draft."""
    with acting_as(by, reason_of(gettext_noop("Simulation"))):
        draft.simulated_by = job
        draft.save(update_fields=["simulated_by"])


@transaction.atomic
def put_in_force(draft: RuleVersion, *, by: User | None) -> None:
    """Put a simulated draft in force in place of the version before.

    Raises:
        RulesRefused: when these rules were not simulated to the end.
    """
    lock_draft(draft)
    simulation = draft.simulated_by
    if simulation is None or simulation.state != Job.State.DONE:
        raise RulesRefused(_("Simulate these rules first: nobody has seen what they change."))
    reason = reason_of(gettext_noop("Version %(version)d put in force"), version=draft.version)
    with acting_as(by, reason):
        for old in type(draft)._default_manager.filter(status=Status.ACTIVE):
            old.status = Status.RETIRED
            old.save(update_fields=["status"])
        draft.status = Status.ACTIVE
        draft.activated_at, draft.activated_by = now(), by
        draft.save(update_fields=["status", "activated_at", "activated_by"])


@transaction.atomic
def discard(draft: RuleVersion, *, by: User | None) -> None:
    """Throw a draft away; its history stays."""
    lock_draft(draft)
    with acting_as(by, reason_of(gettext_noop("Draft thrown away"))):
        draft.delete()
