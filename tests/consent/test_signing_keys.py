"""Checkpoints are signed with a key pair: anybody checks them, nobody else makes one."""

import base64
import hashlib
import hmac
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import translation

from consent.checkpoints import read_checkpoint
from consent.sealing import seal_events
from consent.signing_keys import pem_of, public_keys, signing_key
from tests.consent.factories import record_event
from tests.mdm.factories import make_record
from tests.mdm.pages import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def keys(settings, tmp_path: Path) -> Iterator[Path]:
    settings.LEDGER_FOLDER = tmp_path / "ledger"
    settings.LEDGER_SIGNING_KEY = tmp_path / "keys" / "ledger.pem"
    with translation.override("en"):
        yield tmp_path / "keys"


@pytest.fixture
def checkpoint(settings) -> Path:
    record_event(make_record(email="ada@example.com"), "given")
    seal_events()
    call_command("seal_ledger")
    (path,) = settings.LEDGER_FOLDER.iterdir()
    return path


def public_pem(keys: Path) -> Path:
    (path,) = keys.glob("*.pub.pem")
    return path


def test_openssl_alone_checks_a_checkpoint(checkpoint: Path, keys: Path, tmp_path: Path):
    """As docs/dpo.md says it; jq is left out, as not every machine has it."""
    openssl = shutil.which("openssl")
    assert openssl
    told = json.loads(checkpoint.read_text())
    signed = {name: told[name] for name in ("block", "hash", "last", "sealed_at")}
    (tmp_path / "text").write_text(json.dumps(signed, separators=(",", ":")))
    (tmp_path / "signature").write_bytes(base64.b64decode(told["signature"]))

    def verdict() -> int:
        command = [openssl, "pkeyutl", "-verify", "-pubin", "-inkey", str(public_pem(keys))]
        command += ["-rawin", "-in", "text", "-sigfile", "signature"]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode

    assert verdict() == 0
    (tmp_path / "text").write_text(json.dumps(signed | {"last": 2}, separators=(",", ":")))
    assert verdict() != 0


def test_the_command_checks_files_by_a_public_key_without_the_database(
    checkpoint: Path, keys: Path, tmp_path: Path, django_assert_num_queries, capsys
):
    key = shutil.copy(public_pem(keys), tmp_path / "public.pem")
    shutil.rmtree(keys)

    with django_assert_num_queries(0):
        call_command("verify_ledger", public_key=Path(key), checkpoint=[str(checkpoint)])

    assert "signed by this key" in capsys.readouterr().out
    assert not keys.exists()
    # Another instance's key: our own is not in its folder any more, so a new one is made.
    signing_key()
    with pytest.raises(CommandError, match="not ours"):
        call_command("verify_ledger", public_key=public_pem(keys), checkpoint=[str(checkpoint)])
    with pytest.raises(CommandError, match="no Ed25519 key"):
        call_command("verify_ledger", public_key=checkpoint, checkpoint=[str(checkpoint)])
    with pytest.raises(CommandError, match="not ours"):
        call_command("verify_ledger")


def test_the_private_key_is_its_owners_and_the_public_one_is_shown(checkpoint: Path, keys: Path):
    private = keys / "ledger.pem"
    assert private.stat().st_mode & 0o777 == 0o600
    assert keys.stat().st_mode & 0o777 == 0o700
    secret = "".join(private.read_text().splitlines()[1:-1])

    shown = client_of("dpo").get(reverse("consent:ledger")).text
    assert secret not in shown
    assert public_pem(keys).read_text().splitlines()[1] in shown


def test_a_rotated_key_leaves_older_checkpoints_readable(checkpoint: Path, keys: Path, capsys):
    old = public_pem(keys).read_text()
    capsys.readouterr()

    call_command("ledger_key", rotate=True)

    assert capsys.readouterr().out == pem_of(signing_key().public_key()) != old
    assert len(public_keys()) == 2
    assert read_checkpoint(checkpoint).block == 1
    call_command("verify_ledger")
    next(path for path in keys.glob("*.pub.pem") if path.read_text() == old).unlink()
    with pytest.raises(CommandError, match="not ours"):
        call_command("verify_ledger")


def test_a_checkpoint_of_before_is_still_recognised(checkpoint: Path, settings):
    settings.LEDGER_KEY = "the old key"
    told = json.loads(checkpoint.read_text())
    signed = {name: told[name] for name in ("block", "hash", "last", "sealed_at")}
    key = hashlib.sha256(b"orfevre ledger checkpoint\x00the old key").digest()
    text = json.dumps(signed, sort_keys=True, separators=(",", ":")).encode()
    signature = hmac.new(key, text, hashlib.sha256).hexdigest()
    checkpoint.chmod(0o600)
    checkpoint.write_text(json.dumps(signed | {"signature": signature}))

    call_command("verify_ledger")
    settings.LEDGER_KEY = "another"
    with pytest.raises(CommandError, match="not ours"):
        call_command("verify_ledger")


def test_an_empty_name_of_a_key_opens_no_way_round(checkpoint: Path):
    told = json.loads(checkpoint.read_text())
    checkpoint.chmod(0o600)
    for lie in ({"key": ""}, {"key": "0" * 16}, {"signature": "", "key": told["key"]}):
        checkpoint.write_text(json.dumps(told | lie))
        with pytest.raises(CommandError, match="not ours"):
            call_command("verify_ledger")
