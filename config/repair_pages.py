"""Repairs from the customer page: first what it would do, then, on the second click, it is done.

Both steps are posts, so that no record key stands in an address. Without JavaScript.
"""

import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from config.permission_preview_pages import permissions_of
from config.repair_sheet import customer_sheets, in_words, told
from matching import repairs
from matching.decisions import (
    AlreadyRetracted,
    Circumstances,
    ContradictsDecisions,
    foresee_retract,
    retract,
)
from matching.foresight import Foresight
from matching.kept_ids import (
    AlreadyGivenBack,
    foresee_giving_back,
    give_back,
    versions_for_giving_back,
)
from matching.models import Decision, Repair
from matching.repairs import Plan, RepairRefused, Wish
from matching.review import versions_for_undo
from matching.versions import CustomersChanged, check_versions, versions_of
from mdm.identity import UnknownCustomer, resolve
from mdm.models import Alias, Customer, SourceRecord
from mdm.pages import CustomerActPage, log_access

_CONFLICT = 409
_NOTE_LETTERS = 400
_KEY_LETTERS = 60
TITLES = {
    Repair.Kind.UNLINK: gettext_lazy("Take records out"),
    Repair.Kind.SPLIT: gettext_lazy("Split the customer"),
    Repair.Kind.MOVE: gettext_lazy("Move records to another customer"),
    Repair.Kind.APART: gettext_lazy("Keep two customers apart"),
    Repair.Kind.LINK: gettext_lazy("Link two customers"),
    Repair.Kind.CONFIRM: gettext_lazy("Confirm the customer"),
}


class _Act(CustomerActPage):
    """A post about one customer that shows what it would do, and does it when confirmed."""

    permission_required = "matching.review_pairs"
    template_name = "mdm/repair.html"

    @property
    def steward(self) -> User:
        """Who acts."""
        return cast("User", self.request.user)

    @property
    def versions(self) -> str:
        """What the page that was confirmed had seen."""
        return self.request.POST.get("versions", "")[:200]

    @property
    def key(self) -> str | None:
        """New with every preview: sent twice, it has one effect."""
        return self.request.POST.get("key", "")[:_KEY_LETTERS] or None

    def sheet(self, foresee: Callable[[], Foresight], **context: Any) -> HttpResponse:
        """Show what would happen, or the decisions that stand against it."""
        try:
            foresight = foresee()
            sheets = customer_sheets(foresight)
        except ContradictsDecisions as refusal:
            context |= {"chain": told(refusal.decisions), "sheets": []}
            context["status"] = _CONFLICT
        else:
            context |= {"sheets": sheets, "summary": in_words(sheets)}
            if self.steward.has_perm("consent.view_permissionstate"):
                context["changes_of_permissions"] = permissions_of(foresight)
        status = context.pop("status", 200)
        key = uuid.uuid4().hex
        page = self.get_context_data(key=key, reasons=Decision.Reason.choices, **context)
        return self.render_to_response(page, status=status)

    def done(self, customer: Customer, words: str) -> HttpResponse:
        """Go to the customer, whoever she is by now."""
        messages.success(self.request, words)
        customer.refresh_from_db()
        live = customer.merged_into or customer
        return redirect("mdm:customer", public_id=live.public_id)


@method_decorator(never_cache, name="dispatch")
class RepairPage(_Act):
    """Take out, split, move, keep apart, link, confirm."""

    def post(self, request: HttpRequest, public_id: str) -> HttpResponse:
        """Preview the repair; with `confirm`, carry it out."""
        customer = _resolve(public_id)
        if earlier := repairs.done_before(self.key):
            return self._told(earlier)
        try:
            plan = repairs.prepare(_wish(request.POST, customer))
        except (RepairRefused, UnknownCustomer) as refusal:
            return self._refused(customer, str(refusal))
        if "confirm" in request.POST:
            return self._carry_out(plan)
        log_access(request.user, "customer.repair", customer.public_id)
        return self._preview(plan)

    def _refused(self, customer: Customer, words: str) -> HttpResponse:
        """Go back and say why; when somebody came first, say who did what."""
        try:
            check_versions(self.versions, [customer.pk])
        except CustomersChanged as stale:
            context = {"customer": customer, "changes": stale.changes, "title": _("Look again")}
            page = self.get_context_data(notice=f"{stale} {words}", **context)
            return self.render_to_response(page, status=_CONFLICT)
        messages.warning(self.request, words)
        return redirect("mdm:customer", public_id=customer.public_id)

    def _carry_out(self, plan: Plan) -> HttpResponse:
        try:
            done = repairs.repair(
                plan.wish,
                by=self.steward,
                circumstances=_circumstances(self.request.POST),
                versions=self.versions,
                idempotency_key=self.key,
            )
        except CustomersChanged as stale:
            return self._preview(plan, changes=stale.changes, notice=str(stale), status=_CONFLICT)
        except RepairRefused as refusal:
            return self._preview(plan, notice=str(refusal), status=400)
        except ContradictsDecisions:
            return self._preview(plan)
        return self._told(done)

    def _told(self, done: Repair) -> HttpResponse:
        words = _("Done: %(what)s. Undo stands in the history below.")
        return self.done(done.customer, words % {"what": done.get_kind_display()})

    def _preview(self, plan: Plan, **context: Any) -> HttpResponse:
        wish = plan.wish
        customers = Customer.objects.filter(pk__in=[wish.customer_id, wish.other_id or 0])
        records = SourceRecord.objects.select_related("source")
        return self.sheet(
            lambda: repairs.foresee(plan),
            title=TITLES[Repair.Kind(wish.kind)],
            customer=customers.get(pk=wish.customer_id),
            other=customers.filter(pk=wish.other_id or 0).first(),
            versions=versions_of(customers),
            wish=wish,
            companions=list(records.filter(pk__in=plan.companions).order_by("pk")),
            may_leave=bool(plan.companions) or wish.leaves_companions,
            may_keep_id=plan.keeper is not None,
            ended=told(_decisions(plan.retracting)),
            wants_reason=wish.kind == Repair.Kind.LINK and not repairs.has_evidence(wish),
            chosen=_circumstances(self.request.POST),
            **context,
        )


@method_decorator(never_cache, name="dispatch")
class GiveIdBackPage(_Act):
    """Let an id follow again the record that it was kept from."""

    def post(self, request: HttpRequest, public_id: str) -> HttpResponse:
        """Preview it; with `confirm`, do it."""
        customer = _resolve(public_id)
        alias = _alias(request.POST, customer)
        if "confirm" in request.POST:
            return self._give_back(alias, customer)
        if alias.retracted_at:
            return self._refused(customer)
        log_access(request.user, "customer.repair", customer.public_id)
        return self._preview(alias, customer)

    def _preview(self, alias: Alias, customer: Customer, **context: Any) -> HttpResponse:
        return self.sheet(
            lambda: foresee_giving_back(alias),
            title=_("Give the id back"),
            customer=customer,
            alias=alias,
            versions=versions_for_giving_back(alias),
            **context,
        )

    def _give_back(self, alias: Alias, customer: Customer) -> HttpResponse:
        try:
            give_back(alias, by=self.steward, versions=self.versions)
        except AlreadyGivenBack:
            return self._refused(customer)
        except CustomersChanged as stale:
            told = {"changes": stale.changes, "notice": str(stale), "status": _CONFLICT}
            return self._preview(alias, customer, **told)
        return self.done(customer, _("The id was given back. No record changed hands."))

    def _refused(self, customer: Customer) -> HttpResponse:
        messages.warning(self.request, _("This id was already given back."))
        return redirect("mdm:customer", public_id=customer.public_id)


@method_decorator(never_cache, name="dispatch")
class UndoPage(_Act):
    """Take back a repair or a decision, whoever made it."""

    def post(self, request: HttpRequest, public_id: str) -> HttpResponse:
        """Preview the undo; with `confirm`, carry it out."""
        customer = _resolve(public_id)
        decision = _decision(request.POST)
        try:
            if "confirm" in request.POST:
                return self._undo(decision, customer)
            return self._preview(decision, customer)
        except AlreadyRetracted as refusal:
            messages.warning(request, str(refusal))
            return redirect("mdm:customer", public_id=customer.public_id)

    def _undo(self, decision: Decision, customer: Customer) -> HttpResponse:
        try:
            if decision.repair:
                repairs.undo(decision.repair, by=self.steward, versions=self.versions)
            else:
                retract(decision, by=self.steward, versions=self.versions)
        except ContradictsDecisions:
            return self._preview(decision, customer)
        except CustomersChanged as stale:
            context = {"changes": stale.changes, "notice": str(stale), "status": _CONFLICT}
            return self._preview(decision, customer, **context)
        return self.done(customer, _("Undone: everything else is as it was."))

    def _preview(self, decision: Decision, customer: Customer, **context: Any) -> HttpResponse:
        if decision.repair.undone_at if decision.repair else decision.retracted_at:
            raise AlreadyRetracted(_("This was already undone."))
        return self.sheet(
            lambda: foresee_retract(decision),
            title=_("Undo"),
            customer=customer,
            undone=decision,
            what=told(_decisions([decision.pk])),
            versions=versions_for_undo(decision),
            **context,
        )


def _resolve(text: str) -> Customer:
    try:
        return resolve(text)
    except UnknownCustomer as unknown:
        raise Http404(str(unknown)) from unknown


def _wish(sent: QueryDict, customer: Customer) -> Wish:
    kind = sent.get("kind", "")
    if kind not in TITLES:
        raise RepairRefused(_("Choose what to do."))
    wish = Wish(
        kind,
        customer.pk,
        record_ids=tuple(sorted(_keys(sent, "record"))),
        leaves_companions="alone" in sent,
        keeps_id="keep_id" in sent,
        retracting=tuple(sorted(_keys(sent, "retract"))),
    )
    if kind not in (Repair.Kind.MOVE, Repair.Kind.LINK, Repair.Kind.APART):
        return wish
    return replace(wish, other_id=resolve(sent.get("other", "")).pk)


def _alias(sent: QueryDict, customer: Customer) -> Alias:
    """Return the alias named, of an id that leads to this customer."""
    key = sent.get("alias", "")
    hers = Q(customer=customer) | Q(customer__merged_into=customer)
    aliases = Alias.objects.filter(hers).select_related("customer", "created_by")
    if (found := aliases.filter(pk=int(key) if key.isdecimal() else 0).first()) is None:
        raise Http404(_("There is no such id kept here."))
    return found


def _keys(sent: QueryDict, name: str) -> set[int]:
    return {int(text) for text in sent.getlist(name) if text.isdecimal()}


def _circumstances(sent: QueryDict) -> Circumstances:
    reason = sent.get("reason", "")
    return Circumstances(
        reason=reason if reason in Decision.Reason.values else "",
        note=sent.get("note", "").strip()[:_NOTE_LETTERS],
    )


def _decisions(keys: list[int]) -> list[Decision]:
    found = Decision.objects.filter(pk__in=keys).order_by("pk")
    return list(found.select_related("left__source", "right__source", "decided_by"))


def _decision(sent: QueryDict) -> Decision:
    """Return the decision to undo; for a repair, one of its decisions stands for it."""
    rows = Decision.objects.select_related("repair").order_by("retracted_at", "pk")
    repair, key = sent.get("repair", ""), sent.get("decision", "")
    if repair.isdecimal():
        found = rows.filter(repair=int(repair)).first()
    else:
        found = rows.filter(pk=int(key) if key.isdecimal() else 0).first()
    if found is None:
        raise Http404(_("There is no such decision."))
    return found
