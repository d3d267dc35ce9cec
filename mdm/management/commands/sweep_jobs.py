"""Put back jobs that lost their worker, ring for jobs nobody heard, look into watched folders."""

import logging
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, close_old_connections

from mdm import heartbeats
from mdm.jobs import sweep
from mdm.loading import retention, watched_folders
from mdm.signals import swept

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    """One sweep, or one every N seconds for ever."""

    help = "Re-queue lost jobs, ring for waiting ones, take dropped files, delete old ones."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare --every."""
        parser.add_argument("--every", type=int, metavar="SECONDS", help="go on for ever")

    def handle(self, *args: Any, every: int | None = None, **options: Any) -> None:
        """Sweep; with --every, survive a database that is away for a while."""
        while True:
            try:
                put_back, rung = sweep()
                heartbeats.beat(heartbeats.SWEEPER)
                heartbeats.ask_workers()
                swept.send(sender=None)
                taken = watched_folders.look()
                retention.purge_when_due()
                if put_back or rung or taken:
                    words = "Sweep: %d put back, %d rung for, %d files taken"
                    logger.info(words, put_back, rung, taken)
            except DatabaseError as error:
                if not every:
                    raise
                logger.warning("Sweep: %s", type(error).__name__)
            if not every:
                return
            close_old_connections()
            time.sleep(every)
