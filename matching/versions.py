"""What a page saw of customers: an answer about customers that have changed since is refused."""

from collections.abc import Iterable

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from mdm.models import Customer
from mdm.staff import staff_name


class CustomersChanged(Exception):
    """A customer has changed since the page was shown; `changes` say who did what."""

    def __init__(self, changes: Iterable[str] = ()) -> None:
        self.changes = list(changes)
        super().__init__(_("One of these customers has changed meanwhile: look again."))


def versions_of(customers: Iterable[Customer]) -> str:
    """Return what an answer quotes of the customers it is about: `12.3-15.1`."""
    return "-".join(f"{c.pk}.{c.version}" for c in sorted(customers, key=lambda c: c.pk))


def check_versions(quoted: str, customer_ids: Iterable[int]) -> None:
    """Compare what an answer quotes with what these customers are now.

    Call it with the customers locked; nothing quoted is not checked.

    Raises:
        CustomersChanged: when they differ.
    """
    if quoted and quoted != versions_of(Customer.objects.filter(pk__in=customer_ids)):
        raise CustomersChanged(_changes_since(dict(_read(quoted))))


def check_versions_around(quoted: str, record_ids: Iterable[int]) -> None:
    """Compare what is quoted with the customers that these records belong to now; as above."""
    if quoted:
        check_versions(quoted, [customer.pk for customer in customers_of(record_ids)])


def customers_of(record_ids: Iterable[int]) -> list[Customer]:
    """Return the customers that records belong to now."""
    return list(Customer.objects.filter(records__in=set(record_ids)).distinct())


def _read(quoted: str) -> Iterable[tuple[int, int]]:
    for part in quoted.split("-"):
        key, _dot, version = part.partition(".")
        if key.isdecimal() and version.isdecimal():
            yield int(key), int(version)


def _changes_since(seen: dict[int, int]) -> list[str]:
    """Say who changed these customers after the versions seen."""
    rows = (
        Customer.history.filter(id__in=seen)
        .select_related("history_user")
        .order_by("-history_date", "-history_id")[:20]
    )
    told = [_told(row) for row in rows if row.version > seen[row.id]]
    return list(dict.fromkeys(told))


def _told(row: "Customer.history.model") -> str:  # type: ignore[name-defined]
    user = row.history_user
    return _("%(moment)s, %(who)s: %(what)s") % {
        "moment": date_format(localtime(row.history_date), "SHORT_DATETIME_FORMAT"),
        "who": staff_name(user) or _("Orfèvre"),
        "what": row.history_change_reason or _("changed"),
    }
