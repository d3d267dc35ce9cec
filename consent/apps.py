"""App configuration."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ConsentConfig(AppConfig):
    """The `consent` app."""

    name = "consent"
    verbose_name = _("Consent")

    def ready(self) -> None:
        """Follow loads, merges and the sweeper.

        Claims become events, an undone file takes its claims back, members change what
        events add up to, late mails ring again.
        """
        import consent.erasing
        import consent.policy_simulation  # noqa: F401
        from consent.batch_reports import report_on
        from consent.claims import await_claims, receive_claims, refold_others
        from consent.housekeeping import tidy_up  # Brings the jobs of consent along.
        from consent.permission_preview import warn_of_conflicts
        from consent.projection import follow_customers
        from consent.retractions import foresee_undo, take_back
        from mdm.signals import (
            customers_changed,
            file_shown,
            file_undone,
            joining_shown,
            records_arriving,
            records_loaded,
            records_settled,
            swept,
            undo_asked,
        )

        records_arriving.connect(await_claims, dispatch_uid="consent.claims")
        records_loaded.connect(receive_claims, dispatch_uid="consent.claims")
        records_settled.connect(refold_others, dispatch_uid="consent.claims")
        customers_changed.connect(follow_customers, dispatch_uid="consent.projection")
        swept.connect(tidy_up, dispatch_uid="consent.housekeeping")
        file_shown.connect(report_on, dispatch_uid="consent.batch_reports")
        joining_shown.connect(warn_of_conflicts, dispatch_uid="consent.conflicts")
        undo_asked.connect(foresee_undo, dispatch_uid="consent.undo")
        file_undone.connect(take_back, dispatch_uid="consent.retractions")
