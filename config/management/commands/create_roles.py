"""Create the groups steward, dpo, marketer and administrator with their permissions."""

from typing import Any

from django.core.management.base import BaseCommand

from config.roles import PERMISSIONS, create_roles


class Command(BaseCommand):
    """Give every role exactly the permissions of `config/roles.py`; safe to run again."""

    help = "Create or bring up to date the groups of the four roles."

    def handle(self, *args: Any, **options: Any) -> None:
        """Create the roles and name them."""
        create_roles()
        self.stdout.write(f"Roles: {', '.join(PERMISSIONS)}.")
