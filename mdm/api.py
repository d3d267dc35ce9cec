"""JSON for other systems: what became of a customer id."""

from django.contrib.auth.models import User
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from mdm.fates import what_became_of
from mdm.identity import UnknownCustomer


@never_cache
@require_safe
def customer(request: HttpRequest, public_id: str) -> JsonResponse:
    """Answer for any id ever issued; keys and a status, no value of anybody."""
    if not isinstance(request.user, User):
        return _refusal("login", 401)
    if not request.user.has_perm("mdm.view_customer"):
        return _refusal("permission", 403)
    try:
        return JsonResponse(what_became_of(public_id).as_json())
    except UnknownCustomer:
        return _refusal("unknown", 404)


def _refusal(code: str, status: int) -> JsonResponse:
    return JsonResponse({"error": code}, status=status)
