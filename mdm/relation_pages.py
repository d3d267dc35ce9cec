"""What the customer page sends about households and relations: a word, or taking it back."""

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from mdm.households import RelationRefused, relate, retract
from mdm.identity import UnknownCustomer, resolve
from mdm.models import Customer, Relation

_SEEN_FROM_THE_OTHER = {
    "ward": Relation.Kind.GUARDIAN.value,
    "employs": Relation.Kind.WORKS_FOR.value,
}
"""What the form calls a relation on the page of its second customer."""


@require_POST
@permission_required("mdm.add_relation", raise_exception=True)
def add(request: HttpRequest, public_id: str) -> HttpResponse:
    """Record a steward's word on a customer and another one, named by any id ever issued."""
    customer = get_object_or_404(Customer.objects.of_public_ids([public_id]), merged_into=None)
    kind = request.POST.get("kind", "")
    try:
        one, other = customer, resolve(request.POST.get("other", "").strip())
        if kind in _SEEN_FROM_THE_OTHER:
            one, other, kind = other, one, _SEEN_FROM_THE_OTHER[kind]
        relate(
            one,
            other,
            kind,
            holds=request.POST.get("holds") != "no",
            reason=request.POST.get("reason", "").strip()[:400],
            by=cast("User", request.user),
        )
    except (RelationRefused, UnknownCustomer) as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Recorded. It can be taken back at any time."))
    return _back(customer)


@require_POST
@permission_required("mdm.add_relation", raise_exception=True)
def take_back(request: HttpRequest, public_id: str, pk: int) -> HttpResponse:
    """Retract a word, whoever gave it."""
    customer = get_object_or_404(Customer.objects.of_public_ids([public_id]))
    relation = get_object_or_404(Relation, pk=pk)
    retract(relation, by=cast("User", request.user))
    messages.success(request, _("Taken back."))
    return _back(customer)


def _back(customer: Customer) -> HttpResponse:
    return redirect(reverse("mdm:customer", args=[customer.public_id]) + "#relations")
