"""The page behind the search box in the header of every page."""

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from mdm.pages import StaffPage
from mdm.search import MOST_HITS, find

_LONGEST_TEXT = 200


@method_decorator(never_cache, name="dispatch")
class SearchPage(StaffPage):
    """Customers found; a single one is opened at once. The words travel by POST only."""

    permission_required = "mdm.view_customer"
    template_name = "mdm/search.html"
    title = gettext_lazy("Customers")

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Look for the words sent."""
        text = request.POST.get("text", "").strip()[:_LONGEST_TEXT]
        hits = find(text)
        if len(hits) == 1:
            return redirect("mdm:customer", public_id=hits[0].public_id)
        context = self.get_context_data(
            search_text=text,
            is_searched=bool(text),
            hits=hits[:MOST_HITS],
            has_more=len(hits) > MOST_HITS,
            most_hits=MOST_HITS,
        )
        return self.render_to_response(context)
