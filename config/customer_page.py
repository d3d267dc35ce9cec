"""The customer page: one click from the search box to everything known about her.

It stands in `config` because it is the one page that draws on every app.
"""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.utils.timezone import localtime
from django.views.decorators.cache import never_cache

from config.customer_file import customer_file
from config.customer_then import customer_then
from consent.forms import MomentForm
from matching.versions import versions_of
from mdm.fates import Fate, what_became_of
from mdm.happenings import FILTERS
from mdm.identity import UnknownCustomer
from mdm.models import Customer
from mdm.pages import StaffPage, log_access


@method_decorator(never_cache, name="dispatch")
class CustomerPage(StaffPage):
    """Any id ever issued opens the page of the customer it stands for now."""

    permission_required = "mdm.view_customer"
    template_name = "mdm/customer.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the customer, or go to the address of the one she was merged into.

        With `at`, a past day, show what stood on the page of this very id at its end.
        """
        fate = _fate(kwargs["public_id"])
        form = MomentForm(request.GET)
        if moment := form.moment():
            return self._then(fate.asked, moment, form)
        customer = fate.live
        if customer.public_id != kwargs["public_id"]:
            if fate.is_merged:
                messages.info(request, " ".join(fate.sentences()))
            return redirect("mdm:customer", public_id=customer.public_id)
        log_access(request.user, "customer.view", customer.public_id)
        file = customer_file(customer, request.user, narrowed_to=self._narrowed_to)
        title = str(file.golden) if file.golden else customer.display_id
        return self._shown(
            file=file,
            fate=fate,
            title=title,
            versions=versions_of([customer]),
            moment=form,
            here="?",
        )

    def _then(self, asked: Customer, moment: datetime, form: MomentForm) -> HttpResponse:
        log_access(self.request.user, "customer.then", asked.public_id)
        reader = self.request.user
        then = customer_then(asked, moment, reader, narrowed_to=self._narrowed_to)
        title = str(then.golden) if then.golden else asked.display_id
        self.template_name = "mdm/customer_then.html"
        here = f"?at={localtime(moment):%Y-%m-%d}&"
        return self._shown(then=then, title=title, form=form, here=here)

    def _shown(self, **context: Any) -> HttpResponse:
        filters = [(code, words) for code, (words, _kinds) in FILTERS.items()]
        return self.render_to_response(
            self.get_context_data(filters=filters, narrowed_to=self._narrowed_to, **context)
        )

    @property
    def _narrowed_to(self) -> str:
        wanted = self.request.GET.get("history", "")
        return wanted if wanted in FILTERS else ""


def _fate(text: str) -> Fate:
    try:
        return what_became_of(text)
    except UnknownCustomer as unknown:
        raise Http404(str(unknown)) from unknown
