"""The product at work: an invented company, loaded and matched, with a login for each role."""

import json
import os
import secrets
import shutil
import subprocess
import sys
from typing import Any, TypedDict

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections
from django.utils.translation import gettext as _

from config import processes, roles
from config.management.commands import up
from consent.demo import FORM

_STATE_FILE = settings.DATA_DIR / "demo.json"
# Letters and digits that nobody mistakes for one another when typing them off a terminal.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
_PEOPLE = {
    roles.STEWARD: ("Camille", "Besson"),
    roles.DPO: ("Dominique", "Paulet"),
    roles.MARKETER: ("Maxime", "Arnaud"),
    roles.ADMINISTRATOR: ("Alix", "Dubreuil"),
}


class DemoState(TypedDict):
    """What an earlier run left: the passwords, and whether the company is loaded and matched."""

    passwords: dict[str, str]
    is_ready: bool


class Command(BaseCommand):
    """Build the demo where an earlier run left it, then run it."""

    help = "Show Orfèvre at work on an invented company, in a data folder of its own."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare --rows, --port, --reset and --prepare-only."""
        parser.add_argument("--rows", type=int, default=5000, help="source records to invent")
        parser.add_argument("--port", type=int, default=settings.PORT)
        parser.add_argument("--reset", action="store_true", help="delete the demo's data")
        parser.add_argument("--prepare-only", action="store_true", help="build it, run nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        """Reset, or prepare and run."""
        if settings.DATABASES["default"]["ENGINE"] != "django.db.backends.sqlite3":
            raise CommandError(_("The demo runs on the embedded database only: use make demo."))
        try:
            with processes.alone_on(settings.DATA_DIR):
                if options["reset"]:
                    self._reset()
                    return
                state = self._prepare(options["rows"])
                if not options["prepare_only"]:
                    self._run(options["port"], state)
        except processes.CannotStart as error:
            raise CommandError(str(error)) from error

    def _reset(self) -> None:
        connections.close_all()
        shutil.rmtree(settings.DATA_DIR)
        self.stdout.write(_("The demo's data is deleted; make demo starts over."))

    def _prepare(self, rows: int) -> DemoState:
        self._say(_("Creating the database and the roles…"))
        up.prepare()
        state = _read_state()
        _create_users(state)
        if not state["is_ready"]:
            self._say(_("Inventing a company, loading its files and finding duplicates…"))
            _run_command(["seed_demo", "--rows", str(rows)])
            state["is_ready"] = True
            _write_state(state)
        return state

    def _run(self, port: int, state: DemoState) -> None:
        def ready(address: str) -> None:
            self.stdout.write(_logins(address, state["passwords"]))
            self.stdout.flush()

        # The name the invented company's customers know, on public pages and in mails.
        os.environ.setdefault("COMPANY_NAME", "Maison Dorée")
        self._say(_("Starting web and worker…"))
        up.run("127.0.0.1", port, web_processes=2, ready=ready)

    def _say(self, words: str) -> None:
        self.stderr.write(words)


def _read_state() -> DemoState:
    if _STATE_FILE.exists():
        state: DemoState = json.loads(_STATE_FILE.read_text())
        return state
    passwords = {role: _password() for role in _PEOPLE}
    return {"passwords": passwords, "is_ready": False}


def _write_state(state: DemoState) -> None:
    _STATE_FILE.touch(mode=0o600)
    _STATE_FILE.write_text(json.dumps(state))


def _password() -> str:
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(3))


def _create_users(state: DemoState) -> None:
    """Create one user per role, named after it; known ones keep their password."""
    for role, (first_name, last_name) in _PEOPLE.items():
        user, is_new = User.objects.get_or_create(
            username=role,
            defaults={"first_name": first_name, "last_name": last_name, "is_staff": True},
        )
        if is_new:
            user.email = f"{role}@example.org"
            user.set_password(state["passwords"][role])
            user.save()
            user.groups.set([Group.objects.get(name=role)])
    _write_state(state)


def _run_command(command: list[str]) -> None:
    """Run a command of ours in a process that gives its memory back when it ends."""
    done = subprocess.run(  # noqa: S603 - our own command line.
        [sys.executable, settings.BASE_DIR / "manage.py", *command],
        stdout=sys.stderr.fileno(),
        check=False,
    )
    if done.returncode:
        raise CommandError(_("The demo could not be prepared: the reason stands above."))


def _logins(address: str, passwords: dict[str, str]) -> str:
    lines = [
        "",
        _("Orfèvre answers at %(address)s") % {"address": address},
        "",
        _("Log in as:"),
        *(f"  {role:<14} {password}" for role, password in passwords.items()),
        "",
        _("Customers sign up at %(address)s") % {"address": f"{address}sign-up/{FORM}/"},
        _("Mails to them are files in %(folder)s") % {"folder": settings.DATA_DIR / "mails"},
        "",
        _("Ctrl-C stops everything; make demo goes on from here."),
    ]
    return "\n".join(lines)
