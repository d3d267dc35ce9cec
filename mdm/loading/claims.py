"""What a row says about permissions: opt-ins, refusals and opt-outs of its columns.

Only the claims that are new to a record are passed on: an address corrected in the source does
not date its old opt-in anew, so it cannot outlive a withdrawal made since.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo
from typing import Literal, NamedTuple

from mdm.mapping import DEFAULT_PURPOSE, Column, SourceMapping
from mdm.signals import PermissionClaim
from mdm.standardise.dates import parse_moment
from mdm.standardise.record import Issue

# People write yes and no in few ways.
_MOST_ANSWERS = 1000


class Claim(NamedTuple):
    """A claim of a row that does not know its record yet.

    `is_dated` tells that the row dates the permission itself; else the date is that of the row.
    """

    channel: str
    purpose: str | None
    kind: Literal["opt_in", "refusal", "opt_out"]
    occurred_at: datetime | None
    is_dated: bool
    double_opt_in: bool = False

    @property
    def meaning(self) -> tuple[object, ...]:
        """What makes the claim differ from an earlier one of the same record."""
        moment = self.occurred_at if self.is_dated else None
        return (self.channel, self.purpose, self.kind, moment, self.double_opt_in)

    def of_record(self, record_id: int, line: int) -> PermissionClaim:
        """Return the claim as the signal carries it."""
        channel, purpose, kind, moment, _is_dated, is_double = self
        return PermissionClaim(record_id, line, channel, purpose, kind, moment, is_double)


class PermissionColumns:
    """The columns of a mapping that speak of permissions, made ready for many rows."""

    def __init__(self, mapping: SourceMapping, zone: tzinfo) -> None:
        self._zone = zone
        self._known_answers: dict[tuple[str, str], str] = {}
        self._permissions = mapping.named("permission")
        self._double_opt_ins = mapping.named("double_opt_in")
        self._opt_outs = mapping.named("opt_out")
        self._opt_out_dates = mapping.named("opt_out_at")

    def claims(
        self,
        cells: Mapping[str, str],
        *,
        created_at: datetime | None,
        updated_at: datetime | None,
        permission_at: datetime | None,
        is_stopped: bool,
        issues: list[Issue],
    ) -> tuple[Claim, ...]:
        """Return the claims of a row, opt-outs last.

        `is_stopped` tells that a remark beside the name forbids to contact the person at all.
        """
        row_date = updated_at or created_at
        opt_outs = self._opt_out_claims(cells, row_date, issues, is_stopped=is_stopped)
        left = {claim.channel for claim in opt_outs}
        is_double = any(
            column.answer(cells.get(column.name, "")) == "yes" for column in self._double_opt_ins
        )
        claims: list[Claim] = []
        for column in self._permissions:
            answer = self._answer(column, cells, issues)
            if answer not in ("yes", "no"):
                continue
            # The last change of a row that also opts out is the opt-out; the opt-in came before.
            row_date = created_at if left & {column.channel, "*"} else updated_at or created_at
            claims.append(
                Claim(
                    column.channel,
                    column.purpose or DEFAULT_PURPOSE,
                    "opt_in" if answer == "yes" else "refusal",
                    permission_at or row_date,
                    permission_at is not None,
                    is_double and answer == "yes" and column.channel == "email",
                )
            )
        return (*claims, *opt_outs)

    def _opt_out_claims(
        self,
        cells: Mapping[str, str],
        row_date: datetime | None,
        issues: list[Issue],
        *,
        is_stopped: bool,
    ) -> list[Claim]:
        """Return one opt-out for each channel and purpose that a yes or a date tells."""
        found: dict[tuple[str, str | None], Claim] = {}
        if is_stopped:
            found["*", None] = Claim("*", None, "opt_out", row_date, is_dated=False)
        for column in self._opt_outs:
            if self._answer(column, cells, issues) == "yes":
                claim = Claim(column.channel, column.purpose, "opt_out", row_date, is_dated=False)
                found[column.channel, column.purpose] = claim
        for column in self._opt_out_dates:
            text = cells.get(column.name, "").strip()
            if not text:
                continue
            moment = parse_moment(text, column.format, zone=self._zone)
            if moment is None:
                # The person did opt out, even when nobody can read the date.
                issues.append(("opt_out_at", "unreadable"))
            claim = Claim(
                column.channel, column.purpose, "opt_out", moment or row_date, moment is not None
            )
            found[column.channel, column.purpose] = claim
        return list(found.values())

    def _answer(self, column: Column, cells: Mapping[str, str], issues: list[Issue]) -> str:
        text = cells.get(column.name, "")
        answer = self._known_answers.get((column.name, text))
        if answer is None:
            answer = column.answer(text)
            if len(self._known_answers) < _MOST_ANSWERS:
                self._known_answers[column.name, text] = answer
        if answer == "unknown":
            issues.append((column.attribute, "unknown_value"))
        return answer


def new_claims(claims: Iterable[Claim], earlier: Iterable[Claim]) -> list[Claim]:
    """Return the claims that say what the earlier version of the row did not."""
    known = {claim.meaning for claim in earlier}
    return [claim for claim in claims if claim.meaning not in known]
