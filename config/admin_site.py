"""Orfèvre's admin site: the home page of each role."""

from typing import Any

from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from unfold.sites import UnfoldAdminSite


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

        return super().index(request, {"home": home_of(request.user), **(extra_context or {})})
