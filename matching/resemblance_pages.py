"""Is she known already? A page for stewards and a door for other systems, before they create."""

import json
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from matching.desk import signed
from matching.resemblance import (
    NothingLearnt,
    Resemblance,
    resembling,
    standard,
)
from mdm.birth_ids import display
from mdm.models import Customer
from mdm.pages import StaffPage
from mdm.standardise.record import StandardRecord

_LONGEST = 200
_LARGEST_BODY = 10_000
_TEXTS = (
    "given_name", "family_name", "birth_name", "organisation", "identifier", "email", "phone",
    "address_line", "postcode", "city",
)  # fmt: skip


class DescriptionForm(forms.Form):
    """What one knows of a person: any of it."""

    given_name = forms.CharField(label=gettext_lazy("Given name"))
    family_name = forms.CharField(label=gettext_lazy("Family name"))
    birth_date = forms.DateField(
        label=gettext_lazy("Birth date"), widget=forms.DateInput({"type": "date"}, "%Y-%m-%d")
    )
    email = forms.CharField(label=gettext_lazy("E-mail"))
    phone = forms.CharField(label=gettext_lazy("Phone"))
    organisation = forms.CharField(label=gettext_lazy("Organisation"))
    address_line = forms.CharField(label=gettext_lazy("Number and street"))
    postcode = forms.CharField(label=gettext_lazy("Postcode"))
    city = forms.CharField(label=gettext_lazy("Town"))

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        for field in self.fields.values():
            field.required = False
            field.widget.attrs |= {"autocomplete": "off", "maxlength": _LONGEST}

    def record(self) -> StandardRecord:
        """Return what was typed as a load would store it."""
        born = self.cleaned_data["birth_date"]
        texts = {name: text for name, text in self.cleaned_data.items() if name != "birth_date"}
        return _standard(texts, born.isoformat() if born else "")


@method_decorator(never_cache, name="dispatch")
class SimilarPage(StaffPage):
    """Customers like a description; what is typed travels by POST only, and is kept nowhere."""

    permission_required = "mdm.view_customer"
    template_name = "matching/similar.html"
    title = gettext_lazy("Is she known?")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add an empty form, unless one was sent."""
        return super().get_context_data(**{"form": DescriptionForm(), **kwargs})

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Look for the person described."""
        form = DescriptionForm(request.POST)
        context: dict[str, Any] = {"form": form}
        if form.is_valid() and any(form.cleaned_data.values()):
            try:
                context |= {"is_searched": True, "hits": _hits(resembling(form.record()))}
            except NothingLearnt as refusal:
                context["refusal"] = str(refusal)
        return self.render_to_response(self.get_context_data(**context))


@never_cache
@require_POST
def similar_api(request: HttpRequest) -> JsonResponse:
    """Answer which customers a described person may be; keys, scores and reasons, no values."""
    if not isinstance(request.user, User):
        return JsonResponse({"error": "login"}, status=401)
    if not request.user.has_perm("mdm.view_customer"):
        return JsonResponse({"error": "permission"}, status=403)
    described = _read(request.body)
    if described is None:
        return JsonResponse({"error": "json"}, status=400)
    try:
        found = resembling(_standard(described, described.pop("birth_date", "")))
    except NothingLearnt:
        return JsonResponse({"error": "nothing_learnt"}, status=409)
    customers = Customer.objects.in_bulk([one.customer_id for one in found])
    return JsonResponse(
        {"candidates": [_as_json(one, customers[one.customer_id]) for one in found]}
    )


def _standard(texts: dict[str, str], born: str) -> StandardRecord:
    texts = {name: text.strip() for name, text in texts.items()}
    phone = texts.pop("phone", "")
    return standard({**texts, "birth_date": born}, phones=[phone] if phone else [])


def _read(body: bytes) -> dict[str, str] | None:
    """Return the texts of a JSON object; None when it is none, or holds anything else."""
    if len(body) > _LARGEST_BODY:
        return None
    try:
        sent = json.loads(body)
    except ValueError:
        return None
    known = {*_TEXTS, "birth_date"}
    if not isinstance(sent, dict) or not known.issuperset(sent):
        return None
    return sent if all(isinstance(text, str) for text in sent.values()) else None


def _as_json(found: Resemblance, customer: Customer) -> dict[str, Any]:
    reasons = found.reasons
    return {
        "customer": customer.public_id,
        "score": round(found.score, 2),
        "probability": round(reasons.probability, 4),
        "held_back": reasons.held_back,
        "reasons": [
            {"field": one.field, "level": one.level, "bits": one.bits}
            for one in (*reasons.speaks_for, *reasons.speaks_against)
        ],
    }


def _hits(found: list[Resemblance]) -> list[dict[str, Any]]:
    customers = Customer.objects.select_related("golden").in_bulk(
        [one.customer_id for one in found]
    )
    return [_hit(one, customers[one.customer_id]) for one in found]


def _hit(found: Resemblance, customer: Customer) -> dict[str, Any]:
    golden = getattr(customer, "golden", None)
    return {
        "public_id": customer.public_id,
        "display_id": display(customer.public_id),
        "golden": golden,
        "score": signed(found.score),
        "percent": min(99, max(1, round(100 * found.reasons.probability))),
        "likelihood": found.reasons.likelihood,
        "speaks_for": found.reasons.speaks_for,
        "speaks_against": found.reasons.speaks_against,
        "held_back": found.reasons.held_back,
    }
