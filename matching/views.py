"""The review page: one pair, one answer, the next pair.

A page without JavaScript posts a form and is sent back to `review/`; `static/js/review.js` posts
the same forms and puts the fragment it gets in place of the last one.
"""

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from matching import review
from matching.decisions import AlreadyRetracted, ContradictsDecisions, Verdict, retract
from matching.desk import how_it_ended, is_with_colleague, lay_out
from matching.models import Decision
from matching.versions import CustomersChanged
from mdm.models import SourceRecord
from mdm.pages import StaffPage

_SKIP = "skip"
_CONFLICT = 409
_LONGEST_SECONDS = 3600.0
_NOTE_LETTERS = 400


@method_decorator(never_cache, name="dispatch")
class ReviewPage(StaffPage):
    """The pair that waits for this steward; `review/<task>/` asks for one in particular."""

    permission_required = "matching.review_pairs"
    template_name = "matching/review.html"
    title = gettext_lazy("Review")

    @property
    def steward(self) -> User:
        """Who looks and answers."""
        return cast("User", self.request.user)

    def get_context_data(self, task: int | None = None, **kwargs: Any) -> dict[str, Any]:
        """Add the desk, and why the pair that was asked for is not on it."""
        notice = _why_not(task, self.steward) if task else ""
        desk = lay_out(self.steward, task_id=task)
        return super().get_context_data(desk=desk, notice=notice, **kwargs)


class _Act(ReviewPage):
    """A post that ends with the next pair: as a fragment when asked for by `fetch`."""

    http_method_names = ("post",)

    def next_pair(self, *, toast: str, back_to: int | None = None) -> HttpResponse:
        """Return the next pair, and say what happened."""
        if self._wants_fragment:
            return self._fragment(lay_out(self.steward), toast=toast, back_to=back_to)
        messages.success(self.request, toast)
        return redirect("matching:review")

    def same_pair(self, task: int | None, *, notice: str = "", toast: str = "") -> HttpResponse:
        """Return a pair again: with what came back, or why the answer was refused (409)."""
        if self._wants_fragment:
            desk = lay_out(self.steward, task_id=task)
            note = self.request.POST.get("note", "")[:_NOTE_LETTERS]
            return self._fragment(
                desk,
                notice=notice,
                toast=toast,
                is_undone=bool(toast),
                note=note,
                status=_CONFLICT if notice else 200,
            )
        level = messages.WARNING if notice else messages.SUCCESS
        messages.add_message(self.request, level, notice or toast)
        return redirect("matching:review", task) if task else redirect("matching:review")

    @property
    def _wants_fragment(self) -> bool:
        return self.request.headers.get("X-Requested-With") == "fetch"

    def _fragment(self, desk: Any, *, status: int = 200, **words: Any) -> HttpResponse:
        return render(self.request, "matching/_desk.html", {"desk": desk, **words}, status=status)


class AnswerPage(_Act):
    """One answer to one task."""

    def post(self, request: HttpRequest, task: int) -> HttpResponseBase:
        """Record the answer; a stale or contradicting one is refused in words, with the pair."""
        verdict = request.POST.get("verdict", "")
        if verdict not in (*Verdict.values, _SKIP):
            return HttpResponse(_("Unknown answer."), status=400, content_type="text/plain")
        try:
            toast = self._skip(task) if verdict == _SKIP else self._answer(task, Verdict(verdict))
        except review.TaskGone as gone:
            return self.same_pair(None, notice=how_it_ended(task) or str(gone))
        except (CustomersChanged, ContradictsDecisions) as refusal:
            return self.same_pair(task, notice=str(refusal))
        return self.next_pair(toast=toast, back_to=task if verdict == _SKIP else None)

    def _skip(self, task: int) -> str:
        review.skip(task, by=self.steward)
        return _("Skipped: the pair comes back after the others.")

    def _answer(self, task: int, verdict: Verdict) -> str:
        sent = self.request.POST
        decision = review.answer(
            task,
            verdict,
            by=self.steward,
            versions=sent.get("versions", ""),
            note=sent.get("note", "").strip()[:_NOTE_LETTERS],
            seconds=_seconds(sent.get("seconds", "")),
            idempotency_key=sent.get("key", "")[:60] or None,
        )
        return _what_happened(decision)


class UndoPage(_Act):
    """Take back an own decision: the one the button names, else the last."""

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Retract the decision and show its pair again."""
        try:
            decision = self._undo(request.POST.get("decision", ""))
        except CustomersChanged as stale:
            return self.same_pair(None, notice=" ".join([str(stale), *stale.changes]))
        except (review.NothingToUndo, AlreadyRetracted, ContradictsDecisions) as refusal:
            return self.same_pair(None, notice=str(refusal))
        task = review.task_of(decision)
        return self.same_pair(
            task.pk if task else None, toast=_("Undone: everything is as it was before.")
        )

    def _undo(self, key: str) -> Decision:
        if not key.isdecimal():
            return review.undo_last(self.steward)
        decision = Decision.objects.filter(pk=int(key), decided_by=self.steward).first()
        if decision is None:
            raise review.NothingToUndo(_("You have no decision to undo."))
        versions = self.request.POST.get("versions", "")
        return retract(decision, by=self.steward, versions=versions)


def _why_not(task: int, user: User) -> str:
    ended = how_it_ended(task)
    if ended:
        return ended
    if is_with_colleague(task, user):
        return _("A colleague looks at this pair just now. Here is the next one.")
    return ""


def _what_happened(decision: Decision) -> str:
    """Say what an answer did, in one sentence."""
    if decision.verdict == Verdict.SAME:
        record = SourceRecord.objects.select_related("customer").get(pk=decision.left_id)
        return _("Same person: both records are now %(customer)s.") % {
            "customer": record.customer.display_id
        }
    if decision.verdict == Verdict.DIFFERENT:
        return _("Different people: they stay apart from now on.")
    return _("Unsure: a colleague will look at this pair.")


def _seconds(text: str) -> float | None:
    """Read the time a page measured; nonsense is no measurement."""
    try:
        seconds = float(text)
    except ValueError:
        return None
    return round(seconds, 2) if 0 < seconds < _LONGEST_SECONDS else None
