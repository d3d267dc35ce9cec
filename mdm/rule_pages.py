"""What the pages of rules share: an action answers with a message and shows the page again."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from mdm.rule_versions import RulesRefused

Change = Callable[..., str]
"""Takes the request, the user and the address's arguments; returns what happened in words."""


def action(permission: str, page: str) -> Callable[[Change], Callable[..., HttpResponseBase]]:
    """Make a view of a change: for those allowed to, by POST, with the refusal in words."""

    def view_of(change: Change) -> Callable[..., HttpResponseBase]:
        @require_POST
        @permission_required(permission, raise_exception=True)
        @wraps(change)
        def view(request: HttpRequest, **kwargs: Any) -> HttpResponse:
            try:
                messages.success(request, change(request, cast("User", request.user), **kwargs))
            except RulesRefused as refusal:
                messages.error(request, str(refusal))
            return redirect(page)

        return view

    return view_of
