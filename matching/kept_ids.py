"""Ids that stewards keep on other records: what follows, and giving them back."""

from collections.abc import Collection, Iterable, Sequence

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from matching.foresight import Foresight, foresee
from matching.models import Decision
from matching.neighbourhood import Homes, lock_neighbourhood, settle
from matching.versions import check_versions_around, customers_of, versions_of
from mdm import aliases as held
from mdm import identity
from mdm.audit import acting_as
from mdm.kept_queries import kept_objects
from mdm.key_sets import among
from mdm.models import Alias
from mdm.reasons import reason_of
from mdm.turns import in_one_turn


class AlreadyGivenBack(Exception):
    """The id is no longer kept there."""


def aliases_of(decisions: Iterable[Decision]) -> list[Alias]:
    """Return the aliases made with the repairs that these decisions belong to."""
    repairs = {d.repair_id for d in decisions if d.repair_id}
    return _made_with(repairs) if repairs else []


@kept_objects(Alias)
def _made_with(repair_ids: Collection[int]) -> QuerySet[Alias]:
    return Alias.objects.filter(among("repair", repair_ids))


def settle_ids(
    aliases: Sequence[Alias],
    *,
    records: Iterable[int] = (),
    by: User,
    reason: str,
    locked: Homes | None = None,
) -> None:
    """Settle the neighbourhood of ids just kept or given back, and of these records.

    An id that names nobody before and after leads elsewhere all the same, and so do those issued.
    `locked`: a neighbourhood that is locked and may hold them all.
    """
    moved = {alias.customer_id for alias in aliases}
    concerned = held.records_concerned(moved) if moved else set()
    everybody = {*records, *concerned}
    is_locked = locked is not None and everybody.issubset(locked)
    settle(everybody, by=by, reason=reason, locked=locked if is_locked else None)
    if moved:
        issued = {alias.stand_in_id for alias in aliases if alias.stand_in_id}
        with acting_as(by, reason):
            identity.refresh(moved | issued)


def foresee_giving_back(alias: Alias) -> Foresight:
    """Return what giving an id back would change today, computed without writing."""
    return foresee([], given_back=[alias])


def versions_for_giving_back(alias: Alias) -> str:
    """Return what a page quotes of the customers whom giving an id back concerns."""
    return versions_of(customers_of(held.records_concerned({alias.customer_id})))


@in_one_turn
def give_back(alias: Alias, *, by: User, versions: str = "") -> None:
    """Let an id follow again the record that held it before; who is whom stays as it is.

    `versions` is what the page saw of the customers concerned.

    Raises:
        AlreadyGivenBack: when it was given back before.
        matching.versions.CustomersChanged: when one is no longer what `versions` says.
    """
    concerned = held.records_concerned({alias.customer_id})
    lock_neighbourhood(concerned)
    alias.refresh_from_db()
    if alias.retracted_at:
        raise AlreadyGivenBack(_("This id was already given back."))
    check_versions_around(versions, concerned)
    reason = reason_of(gettext_noop("Id given back"))
    with acting_as(by, reason):
        held.give_back([alias.pk], by=by)
        settle_ids([alias], by=by, reason=reason)
