"""The page of the consents that run out, for whoever plans to ask people again."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.formats import date_format
from django.utils.timezone import localdate, now
from django.utils.translation import gettext_lazy

from consent.policies import pack_at
from consent.policy_packs import PARIS
from consent.running_out import KeyCount, coming_months, count_running_out, per_month
from mdm.pages import StaffPage


@dataclass(frozen=True, slots=True)
class MonthBar:
    """One row of the chart: a month and how many consents run out in it."""

    label: str
    value: int
    tone: str


@dataclass(frozen=True, slots=True)
class Row:
    """The consents of one channel and purpose, with those of each coming month."""

    count: KeyCount
    months: list[int]


class RunningOutPage(StaffPage):
    """How many consents have run out, soon will, and in which month the others do: counts only."""

    permission_required = "consent.view_consents_running_out"
    template_name = "consent/running_out.html"
    title = gettext_lazy("Consents running out")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the counts by channel and purpose and by month."""
        moment = now()
        pack = pack_at(moment)
        counts = count_running_out(pack, moment)
        months = coming_months(localdate(moment, timezone=PARIS))
        return super().get_context_data(
            pack=pack,
            has_end=bool(pack.consent_validity),
            rows=[Row(count, [count.by_month[month] for month in months]) for count in counts],
            standing=sum(count.standing for count in counts),
            due=sum(count.due for count in counts),
            expired=sum(count.expired for count in counts),
            bars=[
                MonthBar(_month(month), value, "close" if place == 0 else "gold")
                for place, (month, value) in enumerate(
                    zip(months, per_month(counts, months), strict=True)
                )
            ],
            **kwargs,
        )


def _month(month: date) -> str:
    return date_format(month, "YEAR_MONTH_FORMAT")
