"""App configuration."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MdmConfig(AppConfig):
    """The `mdm` app."""

    name = "mdm"
    verbose_name = _("Customers")

    def ready(self) -> None:
        """Register the kinds of jobs of this app with whoever runs them, lookups and loaders."""
        from django.db.backends.signals import connection_created

        import mdm.loading.database_jobs
        import mdm.loading.preview
        import mdm.loading.undo
        import mdm.loading.work
        import mdm.restandardising
        import mdm.survivorship_jobs  # noqa: F401
        from mdm import instants, lookups

        lookups.register()
        connection_created.connect(instants.follow_connection, dispatch_uid="mdm.instants")
