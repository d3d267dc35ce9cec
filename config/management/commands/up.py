"""Run an instance: web, worker and sweeper, until Ctrl-C."""

import os
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from config import processes
from config.roles import create_roles
from config.supervisor import Supervisor

LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Command(BaseCommand):
    """Everything one machine needs, on the data that is there."""

    help = "Bring the database up to date, then run web, worker and sweeper until Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare --bind, --port and --workers."""
        parser.add_argument("--bind", default="127.0.0.1", metavar="HOST")
        parser.add_argument("--port", type=int, default=settings.PORT)
        parser.add_argument("--workers", type=int, default=2, help="web processes")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until told to stop."""
        bind = options["bind"]
        if bind not in LOOPBACK and settings.SECRET_KEY == settings.DEFAULT_SECRET_KEY:
            raise CommandError(
                _("Set SECRET_KEY before opening Orfèvre to other machines with --bind.")
            )
        try:
            with processes.alone_on(settings.DATA_DIR):
                prepare()
                run(bind, options["port"], web_processes=options["workers"], ready=self._ready)
        except processes.CannotStart as error:
            raise CommandError(str(error)) from error

    def _ready(self, address: str) -> None:
        message = _("Orfèvre answers at %(address)s (Ctrl-C stops it).")
        self.stdout.write(message % {"address": address})
        self.stdout.flush()


def prepare() -> None:
    """Bring database and static files to what this version needs."""
    call_command("migrate", verbosity=0, interactive=False)
    create_roles()
    if settings.PRODUCTION:
        call_command("collectstatic", verbosity=0, interactive=False)


def run(bind: str, port: int, *, web_processes: int, ready: Callable[[str], None]) -> None:
    """Run web, worker and sweeper; call `ready` with the address once a page can be had.

    Raises:
        CannotStart: when the port is taken.
    """
    port = processes.choose_port(bind, port)
    # Links in mails lead here unless the operator says where people reach it.
    os.environ.setdefault("PUBLIC_URL", processes.address(bind, port).rstrip("/"))
    children = [
        processes.web(bind, port, processes=web_processes),
        processes.worker(),
        processes.sweeper(),
    ]
    Supervisor(children).run(
        is_ready=lambda: processes.answers(bind, port),
        when_ready=lambda: ready(processes.address(bind, port)),
    )
