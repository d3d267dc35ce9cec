"""The call desk as a page: check a number, call, say what came of it. Numbers travel by POST."""

from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import localtime, now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consent.call_desk import Callee, CallRefused, callees, number_of, record_call
from consent.models import CallAttempt, Purpose
from mdm.models import ContactPoint, Customer
from mdm.pages import StaffPage, log_access, staff_user


class NumberForm(forms.Form):
    """Which number, and what the call is about."""

    number = forms.CharField(
        label=gettext_lazy("Number"),
        max_length=40,
        widget=forms.TextInput(attrs={"inputmode": "tel", "autofocus": True}),
    )
    purpose = forms.ModelChoiceField(
        Purpose.objects.filter(is_active=True), label=gettext_lazy("Purpose"), empty_label=None
    )

    def clean_number(self) -> str:
        """Return the number in E.164."""
        try:
            return number_of(self.cleaned_data["number"])
        except CallRefused as refusal:
            raise forms.ValidationError(str(refusal)) from refusal


class OutcomeForm(NumberForm):
    """What came of a call to one of the people behind the number."""

    key = forms.UUIDField()
    customer = forms.ModelChoiceField(Customer.objects.all())
    contact_point = forms.ModelChoiceField(ContactPoint.objects.filter(kind="phone"))
    outcome = forms.ChoiceField(choices=CallAttempt.Outcome.choices)


class CallDeskPage(StaffPage):
    """Check a number now, and record what came of the call."""

    permission_required = "consent.use_call_desk"
    template_name = "consent/calls.html"
    title = gettext_lazy("Call desk")

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show who is behind a number; record an outcome first when one is given."""
        if "outcome" in request.POST:
            self._record(OutcomeForm(request.POST))
        return self.render_to_response(self.get_context_data(form=NumberForm(request.POST)))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the form, the people found, and what this member of staff did today."""
        form = kwargs.pop("form", None) or NumberForm()
        found = self._found(form) if form.is_bound and form.is_valid() else None
        return super().get_context_data(
            form=form,
            number=form.cleaned_data["number"] if found is not None else "",
            purpose=form.cleaned_data["purpose"] if found is not None else None,
            callees=found,
            outcomes=_answers(),
            key=uuid4(),
            today=self._today(),
            **kwargs,
        )

    def _found(self, form: NumberForm) -> list[Callee]:
        found = callees(form.cleaned_data["number"], form.cleaned_data["purpose"])
        for callee in found:
            log_access(self.request.user, "call check", callee.customer.public_id)
        return found

    def _record(self, form: OutcomeForm) -> None:
        if not form.is_valid():
            messages.error(self.request, _("Nothing was recorded: check the number again."))
            return
        told = form.cleaned_data
        try:
            record_call(
                told["customer"],
                told["contact_point"],
                told["purpose"],
                told["outcome"],
                key=told["key"],
                by=staff_user(self.request),
            )
        except CallRefused as refusal:
            messages.error(self.request, str(refusal))
        else:
            messages.success(self.request, _SAID.get(told["outcome"], _RECORDED))

    def _today(self) -> dict[str, int]:
        midnight = localtime(now()).replace(hour=0, minute=0, second=0, microsecond=0)
        own = CallAttempt.objects.filter(called_by=self.request.user.pk, called_at__gte=midnight)
        counts = list(own.values_list("outcome", flat=True))
        return {
            "calls": len(counts),
            "reached": counts.count(CallAttempt.Outcome.REACHED),
            "refused": counts.count(CallAttempt.Outcome.REFUSED),
        }


_RECORDED = gettext_lazy("The call is recorded.")
_SAID = {
    CallAttempt.Outcome.REFUSED: gettext_lazy(
        "The objection is recorded: nobody calls this person any more, on any of her numbers."
    ),
    CallAttempt.Outcome.WRONG_NUMBER: gettext_lazy(
        "The number is marked as somebody else's: it is not used any more."
    ),
}


def _answers() -> list[tuple[str, Any, str]]:
    """Return the outcomes as buttons: value, words, look."""
    looks = {CallAttempt.Outcome.REACHED: "primary", CallAttempt.Outcome.REFUSED: "danger"}
    return [(o.value, o.label, looks.get(o, "plain")) for o in CallAttempt.Outcome]
