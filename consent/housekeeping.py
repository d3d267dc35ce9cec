"""What the sweeper does for consent: ring for mails that wait, end and delete what has lapsed."""

import time

from consent.clients import forget_old_counts
from consent.double_opt_in import tidy
from consent.mails import ring_if_due

_SECONDS = 300

_tidied_at = float("-inf")


def tidy_up(**signal: object) -> None:
    """Ring for late mails at every round; tidy every few minutes."""
    global _tidied_at
    ring_if_due()
    if time.monotonic() - _tidied_at >= _SECONDS:
        _tidied_at = time.monotonic()
        tidy()
        forget_old_counts()
