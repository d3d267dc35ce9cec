"""Which words are in force: the latest version of a notice in a language on a day."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.utils.timezone import localdate

from consent.models import CollectionChoice, CollectionPoint, NoticeVersion


@dataclass(frozen=True, slots=True)
class OfferedChoice:
    """A box of a collection point with the words to show beside it."""

    choice: CollectionChoice
    notice: NoticeVersion

    @property
    def label(self) -> str:
        """The label of the box, exactly as the notice has it."""
        return self.notice.checkbox_label or str(self.choice)


def offered_choices(point: CollectionPoint, language: str) -> list[OfferedChoice]:
    """Return the boxes of a collection point; one without words in force is not offered."""
    choices = [c for c in point.choices.select_related("purpose") if c.purpose.is_active]
    notices = notices_in_force({c.notice_code for c in choices}, language)
    return [OfferedChoice(c, notices[c.notice_code]) for c in choices if c.notice_code in notices]


def notices_in_force(
    codes: Iterable[str], language: str, day: date | None = None
) -> Mapping[str, NoticeVersion]:
    """Return code → latest version; in the language asked for, else in the company's own.

    A version that was withdrawn is shown no more: the one before is in force again.
    """
    found = NoticeVersion.objects.filter(
        code__in=list(codes), valid_from__lte=day or localdate(), withdrawal=None
    ).order_by("version")
    by_code: dict[str, NoticeVersion] = {}
    for wanted in (settings.LANGUAGE_CODE, language):
        by_code |= {notice.code: notice for notice in found if notice.language == wanted}
    return by_code
