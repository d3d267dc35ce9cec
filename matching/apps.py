"""App configuration."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MatchingConfig(AppConfig):
    """The `matching` app."""

    name = "matching"
    verbose_name = _("Matching")

    def ready(self) -> None:
        """Register the job of this app and how it is told, and listen to loads."""
        import matching.erasing
        import matching.words  # noqa: F401
        from matching import codes
        from matching.key_table import follow_sweep
        from matching.review_tasks import follow_change, follow_load
        from mdm.signals import records_changed, records_loaded, records_settled, swept

        records_settled.connect(follow_load, dispatch_uid="matching.review_tasks")
        records_loaded.connect(codes.follow_load, dispatch_uid="matching.codes")
        swept.connect(follow_sweep, dispatch_uid="matching.key_table")
        records_changed.connect(codes.follow_change, dispatch_uid="matching.codes")
        records_changed.connect(follow_change, dispatch_uid="matching.review_tasks")
