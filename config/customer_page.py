"""The customer page: one click from the search box to everything known about her.

It stands in `config` because it is the one page that draws on every app.
"""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from config.customer_file import customer_file
from matching.versions import versions_of
from mdm.fates import Fate, what_became_of
from mdm.identity import UnknownCustomer
from mdm.pages import StaffPage, log_access


@method_decorator(never_cache, name="dispatch")
class CustomerPage(StaffPage):
    """Any id ever issued opens the page of the customer it stands for now."""

    permission_required = "mdm.view_customer"
    template_name = "mdm/customer.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the customer, or go to the address of the one she was merged into."""
        fate = _fate(kwargs["public_id"])
        customer = fate.live
        if customer.public_id != kwargs["public_id"]:
            if fate.is_merged:
                messages.info(request, " ".join(fate.sentences()))
            return redirect("mdm:customer", public_id=customer.public_id)
        log_access(request.user, "customer.view", customer.public_id)
        file = customer_file(customer, request.user)
        title = str(file.golden) if file.golden else customer.display_id
        versions = versions_of([customer])
        return self.render_to_response(
            self.get_context_data(file=file, fate=fate, title=title, versions=versions)
        )


def _fate(text: str) -> Fate:
    try:
        return what_became_of(text)
    except UnknownCustomer as unknown:
        raise Http404(str(unknown)) from unknown
