"""What the sweeper does for consent: ring for late mails, seal new events, end what has lapsed."""

import time

from consent.clients import forget_old_counts
from consent.double_opt_in import tidy
from consent.earlier_claims import QUARANTINE  # noqa: F401 - its job is known to workers.
from consent.ledger_jobs import check_when_due
from consent.mails import ring_if_due
from consent.quarantine_jobs import SETTLE  # noqa: F401 - its job is known to workers.
from consent.sealing import seal_events

_SECONDS = 300

_tidied_at = float("-inf")


def tidy_up(**signal: object) -> None:
    """Ring for late mails and seal what loads wrote at every round; tidy every few minutes."""
    global _tidied_at
    ring_if_due()
    seal_events()
    if time.monotonic() - _tidied_at >= _SECONDS:
        _tidied_at = time.monotonic()
        tidy()
        check_when_due()
        forget_old_counts()
