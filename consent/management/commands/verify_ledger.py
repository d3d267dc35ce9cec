"""`manage.py verify_ledger`: hash every consent event again and name the first bad row."""

import json
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from consent.checkpoints import Checkpoint, CheckpointRefused, kept_checkpoints, read_checkpoint
from consent.models import LedgerCheck
from consent.signing_keys import KeyRefused, read_public_key
from consent.verification import keep, verify


class Command(BaseCommand):
    """Verify the ledger; exit 1 with the first bad row when it does not hold."""

    help = "Hash every consent event again; name the first bad row and what is wrong with it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare which checkpoints to compare with, and what to leave out."""
        parser.add_argument(
            "--checkpoint",
            action="append",
            metavar="FILE",
            default=[],
            help="compare with this checkpoint (default: those of LEDGER_FOLDER); repeatable",
        )
        parser.add_argument(
            "--public-key",
            type=Path,
            metavar="PEM",
            help="only check the signatures of the checkpoints, by this key and without database",
        )
        parser.add_argument(
            "--chain-only",
            action="store_true",
            help="leave out whether permission states follow from the events",
        )
        parser.add_argument("--json", action="store_true", help="one JSON object on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        """Verify, keep the result for the DPO's page, print it."""
        paths = [Path(name) for name in options["checkpoint"]] or kept_checkpoints()
        try:
            key = read_public_key(options["public_key"]) if options["public_key"] else None
            checkpoints = [read_checkpoint(path, key=key) for path in paths]
        except CheckpointRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        except KeyRefused as refusal:
            raise CommandError(_("%s holds no Ed25519 key.") % refusal) from refusal
        if key:
            self._tell_signed(checkpoints)
            return
        found = verify(checkpoints=checkpoints, with_states=not options["chain_only"])
        check = keep(found)
        self.stdout.write(json.dumps(_report(check)) if options["json"] else _sentence(check))
        if check.fault:
            raise CommandError(_bad_row(check))

    def _tell_signed(self, checkpoints: Sequence[Checkpoint]) -> None:
        for checkpoint in checkpoints:
            words = _(
                "Block %(block)d, %(last)d events, sealed %(sealed_at)s: signed by this key."
            )
            self.stdout.write(words % asdict(checkpoint))


def _report(check: LedgerCheck) -> dict[str, Any]:
    oldest = check.oldest_unsealed_at
    return {
        "intact": not check.fault,
        "events": check.event_count,
        "erased": check.erased_count,
        "unsealed": check.unsealed_count,
        "oldest_unsealed_at": oldest.isoformat() if oldest else None,
        "head": check.head or None,
        "fault": check.fault or None,
        "place": check.place,
        "event": str(check.event_uuid) if check.event_uuid else None,
        "detail": check.detail or None,
    }


def _sentence(check: LedgerCheck) -> str:
    return ngettext(
        "%(events)d event in the chain, lawfully erased: %(erased)d; not sealed yet: "
        "%(unsealed)d. Head %(head)s.",
        "%(events)d events in the chain, lawfully erased: %(erased)d; not sealed yet: "
        "%(unsealed)d. Head %(head)s.",
        check.event_count,
    ) % {
        "events": check.event_count,
        "erased": check.erased_count,
        "unsealed": check.unsealed_count,
        "head": check.head or "–",
    }


def _bad_row(check: LedgerCheck) -> str:
    place = check.place if check.place is not None else "–"
    return _("First bad row: %(what)s (place %(place)s, event %(event)s). %(detail)s") % {
        "what": check.get_fault_display(),
        "place": place,
        "event": check.event_uuid or "–",
        "detail": check.detail,
    }
