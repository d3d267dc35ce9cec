"""Pins from the customer page: "use this value", "prefer this record", "hide", and taking back."""

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mdm.identity import UnknownCustomer, resolve
from mdm.lineage import label_of, lines_of
from mdm.models import Customer, Pin, SourceRecord
from mdm.pages import CustomerActPage, StaffPage, log_access
from mdm.pins import AlreadyTakenBack, PinRefused, pin, take_back
from mdm.standardise.emails import standardise_email
from mdm.standardise.phones import standardise_phones
from mdm.survivorship import GROUPS


class PinForm(forms.Form):
    """Why a steward chooses, until when, and the value when it is one of her own."""

    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=400)
    review_on = forms.DateField(
        label=gettext_lazy("To be reviewed on"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    def __init__(self, *args: Any, group: str, record: SourceRecord, own: bool, **kwargs: Any):
        """Ask for a value of one's own where one word can say it; it starts with the record's."""
        super().__init__(*args, **kwargs)
        self.group, self.record = group, record
        if own and len(GROUPS[group]) == 1:
            column = SourceRecord._meta.get_field(group)
            field = column.formfield(  # type: ignore[union-attr]
                label=label_of(group).capitalize(), required=True, initial=getattr(record, group)
            )
            if field:
                self.fields = {"value": field, **self.fields}

    def clean_value(self) -> Any:
        """Return the value as a source's would be stored."""
        value = self.cleaned_data["value"]
        if self.group == "email":
            value = standardise_email(value).value
        elif self.group in ("phone", "other_phone"):
            found = standardise_phones(value, self.record.source.region)
            value = found[0].value if found and not found[0].code else ""
        if not value:
            raise forms.ValidationError(_("This is not a value of that kind."))
        return value

    def values(self) -> dict[str, Any]:
        """Return the values of the group: the steward's own, else what the record says now."""
        if "value" in self.cleaned_data:
            return {self.group: self.cleaned_data["value"]}
        return {name: getattr(self.record, name) for name in GROUPS[self.group]}


class PinPage(CustomerActPage):
    """Ask for the reason, then pin."""

    permission_required = "mdm.add_pin"
    template_name = "mdm/pin.html"

    def post(self, request: HttpRequest, public_id: str) -> HttpResponse:
        """Show the form; with `confirm`, pin and go back to the customer."""
        customer = _resolve(public_id)
        group, kind = request.POST.get("group", ""), request.POST.get("kind", "")
        record = _record(request.POST.get("record", ""), customer)
        if group not in GROUPS or kind not in Pin.Kind.values:
            raise Http404(_("There is nothing of that name to pin."))
        options: dict[str, Any] = {
            "group": group,
            "record": record,
            "own": kind == Pin.Kind.VALUE,
        }
        form = PinForm(request.POST if "confirm" in request.POST else None, **options)
        if form.is_valid() and self._pin(form, kind):
            messages.success(request, _("Pinned. Later files do not change it."))
            return redirect("mdm:customer", public_id=customer.public_id)
        log_access(request.user, "customer.pin", customer.public_id)
        page = self.get_context_data(
            title=Pin.Kind(kind).label,
            customer=customer,
            record=record,
            group=group,
            kind=kind,
            label=label_of(group),
            lines=lines_of(record, group),
            form=form,
        )
        return self.render_to_response(page, status=400 if form.errors else 200)

    def _pin(self, form: PinForm, kind: str) -> bool:
        try:
            pin(
                form.record.pk,
                form.group,
                kind,
                by=cast("User", self.request.user),
                reason=form.cleaned_data["reason"],
                values=form.values() if kind == Pin.Kind.VALUE else None,
                review_on=form.cleaned_data["review_on"],
            )
        except PinRefused as refusal:
            form.add_error(None, str(refusal))
            return False
        return True


class UnpinPage(StaffPage):
    """Take a pin back."""

    permission_required = "mdm.add_pin"
    http_method_names = ("post",)

    def post(self, request: HttpRequest, public_id: str) -> HttpResponse:
        """End the pin and go back to the customer."""
        customer = _resolve(public_id)
        key = request.POST.get("pin", "")
        mine = Pin.objects.filter(record__customer=customer)
        found = mine.filter(pk=int(key) if key.isdecimal() else 0).first()
        if found is None:
            raise Http404(_("There is no such pin."))
        try:
            take_back(found.pk, by=cast("User", request.user))
        except AlreadyTakenBack as refusal:
            messages.warning(request, str(refusal))
        else:
            messages.success(request, _("Pin taken back: the rules decide again."))
        return redirect("mdm:customer", public_id=customer.public_id)


def _resolve(text: str) -> Customer:
    try:
        return resolve(text)
    except UnknownCustomer as unknown:
        raise Http404(str(unknown)) from unknown


def _record(key: str, customer: Customer) -> SourceRecord:
    """Return the record to pin to: the oldest of the customer unless one is named."""
    records = SourceRecord.objects.filter(customer=customer).select_related("source")
    if key.isdecimal():
        records = records.filter(pk=int(key))
    record = records.order_by("pk").first()
    if record is None:
        raise Http404(_("This record belongs to another customer."))
    return record
