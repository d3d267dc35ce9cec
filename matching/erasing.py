"""What the erasure of a person takes out of matching: see `mdm.erasure`."""

from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy

from matching.codes import forget
from matching.models import CodedPage, Decision
from mdm.erasure import Person, erases


def _decisions(person: Person) -> "QuerySet[Decision]":
    about: Any = Q(left__in=person.records) | Q(right__in=person.records)
    return Decision.objects.filter(about).exclude(note="")


@erases(gettext_lazy("Notes of decisions"), told_in="decisions", rows=_decisions)
def _erase_notes(person: Person) -> None:
    _decisions(person).update(note="")
    about: Any = Q(left_id__in=person.records) | Q(right_id__in=person.records)
    Decision.history.filter(about).update(note="")


@erases(
    gettext_lazy("Pages of codes searched"),
    untold=gettext_lazy("Worked out from the source records, which are told."),
    rows=lambda person: CodedPage.objects.all(),
)
def _erase_codes(person: Person) -> None:
    forget(person.record_ids)
