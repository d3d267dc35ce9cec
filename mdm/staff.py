"""What members of staff are called, wherever they are named."""

from django.contrib.auth.models import User


def staff_name(user: User | None) -> str:
    """Return the full name, else the login; "" for nobody."""
    return (user.get_full_name() or user.get_username()) if user else ""
