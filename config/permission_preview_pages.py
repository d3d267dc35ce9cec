"""What a pair's answer Same would do to permissions: a fragment of the review page, or a page.

It stands in `config` because it draws on `matching` (who would be whom) and on `consent`.
"""

from typing import Any

from django.http import Http404
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from consent.permission_preview import PermissionsOf, foresee_permissions
from matching.blind import is_blind
from matching.foresight import Foresight, foresee
from matching.models import ReviewTask
from matching.rulings import Contradiction, Ruling
from mdm.pages import StaffPage


def permissions_of(foresight: Foresight) -> list[PermissionsOf]:
    """Return the permissions of every customer that would change."""
    homes = {
        record: becoming.customer_id
        for becoming in foresight.customers
        for record in becoming.record_ids
    }
    return foresee_permissions(homes) if homes else []


@method_decorator(never_cache, name="dispatch")
class PairPermissionsPage(StaffPage):
    """Permissions before and after two records become one customer."""

    permission_required = ("matching.review_pairs", "consent.view_permissionstate")
    title = gettext_lazy("Permissions if they are one person")

    def get_template_names(self) -> list[str]:
        """Return the page, or its part that the review page asks for."""
        is_part = self.request.headers.get("X-Requested-With") == "fetch"
        return ["consent/_permission_changes.html" if is_part else "consent/pair_permissions.html"]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the matrix of the customer they would be; none when decisions refuse it."""
        task = ReviewTask.objects.filter(pk=self.kwargs["task"]).first()
        if task is None or is_blind(task):
            raise Http404
        ruling = Ruling(task.left_id, task.right_id, is_same=True)
        try:
            changes = permissions_of(foresee([ruling]))
        except Contradiction:
            changes = []
        return super().get_context_data(**{**kwargs, "task": task, "changes": changes})
