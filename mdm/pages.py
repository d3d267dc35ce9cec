"""The frame of our own pages inside the admin: sidebar, title, permission, access log."""

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.auth.mixins import PermissionRequiredMixin
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.generic import TemplateView

from mdm.models import AccessLog


class StaffPage(PermissionRequiredMixin, TemplateView):
    """A page for staff with a permission: others are sent to the login, or refused with 403."""

    title: ClassVar[Any] = ""

    def has_permission(self) -> bool:
        """Only active staff with the page's permissions."""
        return bool(getattr(self.request.user, "is_staff", False)) and super().has_permission()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add what the admin's frame needs: sidebar, branding, title."""
        return super().get_context_data(
            **{**admin.site.each_context(self.request), "title": self.title, **kwargs}
        )


class CustomerActPage(StaffPage):
    """A page about one customer that only a post opens, so that no record stands in its address.

    Its address alone, as after a change of language, leads back to the customer.
    """

    http_method_names = ("get", "post")

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Go to the customer: nothing was asked."""
        return redirect("mdm:customer", public_id=kwargs["public_id"])


def staff_user(request: HttpRequest) -> User:
    """Return the person a staff page is open for."""
    assert isinstance(request.user, User)  # noqa: S101  (StaffPage lets nobody else in)
    return request.user


def log_access(user: AbstractBaseUser | AnonymousUser, action: str, reference: str = "") -> None:
    """Note who saw or took what; `reference` is a key or public id, never a value."""
    AccessLog.objects.create(user_id=user.pk, action=action, reference=reference)
