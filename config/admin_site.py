"""Orfèvre's admin site: the home page of each role."""

from typing import TYPE_CHECKING, Any, cast

from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from unfold.sites import UnfoldAdminSite

if TYPE_CHECKING:
    from django.contrib.auth.models import User


class OrfevreAdminSite(UnfoldAdminSite):
    """Unfold's site under our own name and home page."""

    index_title = _("Today")
    index_template = "orfevre/home.html"

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """Show what waits, what runs and what is wrong for this person."""
        # Models are not loaded yet when the site is.
        from config.home import home_of

        # Unfold guards this page: whoever comes here is signed in as staff.
        home = home_of(cast("User", request.user))
        page: TemplateResponse = super().index(request, {"home": home, **(extra_context or {})})
        return page
