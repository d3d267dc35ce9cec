"""What production refuses to start with, by any door: server, worker or command."""

from collections.abc import Sequence

from django.core.exceptions import ImproperlyConfigured


def refuse_unsafe_settings(
    *, secret_key: str, default_secret_key: str, debug: bool, allowed_hosts: Sequence[str]
) -> None:
    """Stop the start when a production setting would not protect anybody.

    Raises:
        ImproperlyConfigured: naming every unsafe setting and what to do.
    """
    refusals = []
    if secret_key == default_secret_key or len(secret_key) < 40:
        refusals.append("SECRET_KEY is missing or short: set 50 random characters of your own.")
    if debug:
        refusals.append("DEBUG must be off when PRODUCTION is on.")
    if not allowed_hosts or any("*" in host for host in allowed_hosts):
        refusals.append("ALLOWED_HOSTS must name the hosts, without a wildcard.")
    if refusals:
        raise ImproperlyConfigured(" ".join(refusals))
