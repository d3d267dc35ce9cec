"""The promises of the whole: what must hold whatever is built next."""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polib
import pytest
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.template import engines
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from config.production import refuse_unsafe_settings
from mdm.access_words import in_words

ROOT = Path(__file__).resolve().parent.parent
OUR_APPS = ("mdm", "consent", "matching", "campaigns")
CATALOGUES = sorted((ROOT / "config" / "locale" / "fr" / "LC_MESSAGES").glob("*.po"))

# Models whose changes simple-history does not record, and why that is right.
NOT_AUDITED = {
    "campaigns.ListDownload": "append-only: itself the log of who took what",
    "campaigns.ListExclusion": "frozen with its list",
    "campaigns.TargetList": "frozen once made; its downloads are logged",
    "campaigns.TargetListMember": "frozen with its list",
    "consent.AccessPack": "is itself the record of what left",
    "consent.CallAttempt": "written once: itself the record of a call",
    "consent.ConflictResolution": "append-only: another decision is another row",
    "consent.ConsentEvent": "append-only: the ledger itself",
    "consent.EventSeal": "append-only: a place in the chain",
    "consent.Evidence": "written once with its events, never changed",
    "consent.LedgerCheck": "is itself the record of what a check found",
    "consent.NoticePicture": "append-only: another picture is another row",
    "consent.NoticeVersion": "append-only: other words are another version",
    "consent.NoticeWithdrawal": "written once: a notice stays withdrawn",
    "consent.OptInChoice": "belongs to its opt-in request",
    "consent.OptInRequest": "blanked once settled: a history would keep the details",
    "consent.OutgoingMail": "is itself the record of what was sent",
    "consent.ProofFinding": "append-only: a later finding is another row",
    "consent.ProofPack": "is itself the record of what left",
    "consent.QuarantineDecision": "append-only: written once",
    "consent.RegisterCheck": "append-only: itself the record of a check",
    "consent.SampleDraw": "append-only: drawn once",
    "consent.SampledClaim": "append-only: belongs to its draw",
    "consent.SealBlock": "append-only: events sealed together",
    "consent.Suppression": "a fingerprint, written once; its list is audited",
    "consent.Throttle": "a count of some minutes, without a name",
    "matching.CodedPage": "derived from the records, put together anew at will",
    "matching.FormerEvidence": "what a run replaced, kept while the run can be undone",
    "matching.MatchRun": "a fact: one row per run, which names who undid it and why",
    "matching.BlockingKey": "derived from the records, proved by rebuild --check",
    "matching.MatchPart": "work under way, gone with the end of its run",
    "matching.PairEvidence": "derived by a rule set, written again at each run",
    "matching.ReviewTask": "derived; the decision it leads to is audited",
    "matching.WholeFile": "belongs to its run",
    "mdm.AccessLog": "is itself the record of who saw what",
    "mdm.ContactPoint": "a distinct value; who carries it stands on the source records",
    "mdm.Contract": "a fact as loaded, kept with its load batch",
    "mdm.CustomerAct": "append-only: what made events happen",
    "mdm.CustomerEvent": "append-only: itself what happened to each id",
    "mdm.Erasure": "is itself the record of an erasure",
    "mdm.FieldMapping": "versioned: a change is a new row",
    "mdm.Heartbeat": "a sign of life, overwritten every few seconds",
    "mdm.Job": "says itself who asked for what, and how it ended",
    "mdm.LoadBatch": "a fact: one row per load, never changed after it",
    "mdm.MappingDraft": "a file on its way to a mapping, gone once it is saved",
    "mdm.PostcodeTown": "a public table, replaced as a whole; no personal data",
    "mdm.RecordContactPoint": "follows from the source record, which is audited",
    "mdm.RejectedRow": "a fact of its load batch",
    "mdm.SourceQuality": "derived: counted again from the records whenever they change",
    "mdm.Sale": "a fact as loaded, kept with its load batch",
}


@pytest.mark.django_db
def test_migrations_match_the_models():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


@pytest.mark.parametrize(
    "name",
    sorted(str(path.relative_to(ROOT / "templates")) for path in ROOT.glob("templates/**/*.html")),
)
def test_every_template_compiles(name: str):
    engines["django"].get_template(name)


def test_every_model_is_audited_or_listed_with_the_reason():
    unaudited = {
        model._meta.label
        for app in OUR_APPS
        for model in apps.get_app_config(app).get_models()
        if not hasattr(model, "history") and not model.__name__.startswith("Historical")
    }

    assert unaudited == set(NOT_AUDITED)


def test_the_register_of_accesses_has_words_for_whatever_is_written_into_it():
    written = {
        code
        for app in (*OUR_APPS, "config")
        for path in (ROOT / app).rglob("*.py")
        for code in re.findall(
            r'log_access\([^"()]*(?:\([^"()]*\)[^"()]*)*"([^"]+)"', path.read_text()
        )
    }

    assert len(written) > 15
    assert {code for code in written if in_words(code) == code} == set()


def test_nothing_is_fetched_from_another_host():
    fetching = re.compile(
        r"""(?:src|srcset|action|@import|url\()\s*=?\s*["'(]?\s*(?:https?:)?//"""
        r"""|<link[^>]+href=["'](?:https?:)?//|(?:fetch|import)\(\s*["'`](?:https?:)?//"""
    )
    pages = [*ROOT.glob("templates/**/*.html"), *ROOT.glob("static/**/*.css")]
    pages += ROOT.glob("static/**/*.js")

    assert [page for page in pages if fetching.search(page.read_text())] == []


def test_env_example_lists_every_setting_and_no_other():
    read = set(re.findall(r'env\.\w+\(\s*"(\w+)"', (ROOT / "config" / "settings.py").read_text()))
    listed = re.findall(r"^(?:# )?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)

    assert sorted(listed) == sorted(read)


def test_the_example_as_it_stands_puts_every_folder_below_the_data(tmp_path: Path):
    lines = (ROOT / ".env.example").read_text().splitlines()
    told = dict(line.split("=", 1) for line in lines if re.match("[A-Z_]+=", line))
    program = "from config import settings as s; print(s.LEDGER_FOLDER, s.LEDGER_SIGNING_KEY)"

    done = _run([sys.executable, "-c", program], {**told, "DATA_DIR": str(tmp_path)})

    assert done.stdout.split() == [f"{tmp_path}/ledger", f"{tmp_path}/keys/ledger.pem"]


def test_the_web_process_never_imports_what_finds_duplicates():
    program = (
        "import sys, django; django.setup(); import config.urls, config.wsgi;"
        "print(*sorted({'pandas', 'recordlinkage', 'scipy', 'sklearn'} & set(sys.modules)))"
    )

    assert _run([sys.executable, "-c", program]).stdout.strip() == ""


def test_commands_and_workers_start_without_pages_and_numbers():
    program = (
        "import sys, django; django.setup(); import config.celery;"
        "print(*sorted({'numpy', 'openpyxl', 'mdm.admin', 'consent.admin'} & set(sys.modules)))"
    )

    assert _run([sys.executable, "-c", program]).stdout.strip() == ""


def test_the_admin_is_checked_before_any_page_was_asked_for():
    program = (
        "import django; django.setup(); from django.contrib.admin import sites;"
        "from django.core import checks; from mdm.models import SourceSystem;"
        "before = len(sites.site._registry); checks.run_checks(tags=['admin']);"
        "print(before, SourceSystem in sites.site._registry)"
    )

    assert _run([sys.executable, "-c", program]).stdout.split() == ["0", "True"]


def test_one_start_names_every_wrong_value():
    wrong = {
        "DATABASE_POOL_SIZE": "many",
        "JOB_LEASE_SECONDS": "-1",
        "LANGUAGE_CODE": "tlh",
        "LOG_LEVEL": "LOUD",
        "MATCH_PAIRS_PER_PART": "1000",
        "MATCH_SPREAD_FROM_PAIRS": "0",
        "PORT": "99999",
        "PRODUCTION": "perhaps",
        "TIME_ZONE": "Europe/Atlantis",
        "EMAIL_URL": "pigeon://loft",
    }

    started = _start(wrong)

    assert started.returncode != 0
    assert [name for name in wrong if name not in started.stderr.splitlines()[-1]] == []


@pytest.mark.parametrize(
    ("setting", "value"),
    [("DATABASE_URL", "mysql://somewhere/else"), ("CELERY_BROKER_URL", "carrier-pigeon://")],
)
def test_a_server_of_an_unknown_kind_stops_the_start_by_its_setting(setting: str, value: str):
    started = _start({setting: value})

    assert started.returncode != 0
    assert setting in started.stderr.splitlines()[-1]


SAFE = {
    "PRODUCTION": "true",
    "SECRET_KEY": "".join(map(chr, range(ord("A"), ord("A") + 55))),
    "DEBUG": "false",
    "ALLOWED_HOSTS": "mdm.example.org",
}


def test_production_starts_with_safe_settings_and_nothing_to_say_about_them():
    done = _run([sys.executable, "manage.py", "check", "--deploy"], SAFE)

    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


def test_production_does_not_start_with_the_default_secret_key():
    started = _start({"PRODUCTION": "true", "ALLOWED_HOSTS": "mdm.example.org"})

    assert started.returncode != 0
    assert "SECRET_KEY" in started.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("secret_key", ""),
        ("secret_key", "short"),
        ("secret_key", "the default key, long enough to be mistaken for a good one"),
        ("debug", True),
        ("allowed_hosts", ["*"]),
        ("allowed_hosts", ["mdm.example.org", "*"]),
        ("allowed_hosts", []),
    ],
)
def test_production_refuses_an_unsafe_setting_by_its_name(setting: str, value: object):
    safe: dict[str, Any] = {
        "secret_key": SAFE["SECRET_KEY"],
        "default_secret_key": "the default key, long enough to be mistaken for a good one",
        "debug": False,
        "allowed_hosts": ["mdm.example.org"],
    }
    refuse_unsafe_settings(**safe)

    with pytest.raises(ImproperlyConfigured, match=setting.upper()):
        refuse_unsafe_settings(**{**safe, setting: value})


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_the_locks_hold_every_direct_dependency(name: str):
    locked = _locked(name)

    for wanted in _direct_dependencies(with_tools="dev" in name):
        versions = locked.get(canonicalize_name(wanted.name), [])
        assert versions, f"{wanted.name} is not locked: make lock"
        assert all(wanted.specifier.contains(version) for version in versions), wanted


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_the_locks_name_no_host_and_hash_everything(name: str):
    requirement = re.compile(
        r"[a-z0-9][\w.-]*(?:\[[\w,-]+\])?==[\w.+!-]+(?: ; [\w .'=<>!()-]+)? \\"
    )
    digest = re.compile(r"    --hash=sha256:[0-9a-f]{64}(?: \\)?")
    lines = (ROOT / "config" / name).read_text().splitlines()
    pinned = [line for line in lines if not line.startswith("#")]

    # Only versions and digests: whatever else a lock may say could name a place.
    assert [p for p in pinned if not requirement.fullmatch(p) and not digest.fullmatch(p)] == []
    followed = zip(pinned, [*pinned[1:], ""], strict=True)
    assert [p for p, next_ in followed if p[0] != " " and not digest.fullmatch(next_)] == []


def test_both_locks_agree():
    runtime, tools = _locked("requirements.lock"), _locked("requirements-dev.lock")

    assert {name: tools.get(name) for name in runtime} == runtime


def test_no_other_name_of_gettext_hides_words_from_the_catalogue():
    alias = re.compile(r"^\s*(?!_\b)\w+ = gettext\w*$|gettext\w* as (?!_\b)", re.MULTILINE)
    modules = [path for app in (*OUR_APPS, "config") for path in (ROOT / app).rglob("*.py")]

    assert [str(path) for path in modules if alias.search(path.read_text())] == []


def test_the_french_catalogue_is_complete_and_compiled():
    assert "django.po" in {path.name for path in CATALOGUES}
    for path in CATALOGUES:
        catalogue = polib.pofile(str(path))
        assert [entry.msgid for entry in catalogue.untranslated_entries()] == []
        assert [entry.msgid for entry in catalogue.fuzzy_entries()] == []
        assert _strings(polib.mofile(str(path.with_suffix(".mo")))) == _strings(catalogue)


def _strings(entries: Iterable[polib._BaseEntry]) -> dict[object, object]:
    return {(e.msgctxt, e.msgid): (e.msgstr, e.msgstr_plural) for e in entries if not e.obsolete}


def _direct_dependencies(*, with_tools: bool) -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    tools = project["optional-dependencies"]["dev"] if with_tools else []
    return [Requirement(line) for line in [*project["dependencies"], *tools]]


def _locked(name: str) -> dict[str, list[str]]:
    """Return distribution -> versions (numpy has one per Python)."""
    versions: dict[str, list[str]] = {}
    text = (ROOT / "config" / name).read_text()
    for found in re.finditer(r"^([a-z0-9][\w.-]*)==([^\s;]+)", text, re.MULTILINE):
        versions.setdefault(canonicalize_name(found[1]), []).append(found[2])
    return versions


def test_tests_of_processes_run_on_one_worker_one_after_the_other(request: pytest.FixtureRequest):
    """pytest-xdist groups tests by the end of their ids; without it there is nothing to group."""
    if not request.config.getoption("loadgroup", default=False):
        return
    items = [i for i in request.session.items if i.get_closest_marker("services")]

    assert {item.nodeid.rpartition("@")[2] for item in items} <= {"processes"}


def _start(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return _run([sys.executable, "-c", "import config.settings"], environment)


def _run(
    command: list[str], environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    surroundings = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"}
    surroundings.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)  # For the browser tests alone.
    return subprocess.run(
        command,
        cwd=ROOT,
        env=surroundings | (environment or {}),
        capture_output=True,
        text=True,
        check=False,
    )


_PROMISED = {
    *(f"I{number}" for number in range(1, 25)),
    *(f"A-PUB-{number:02}" for number in range(1, 15)),
    *(f"A-LED-{number:02}" for number in range(1, 5)),
    *("A-IMP-08", "A-ROLE-06"),
}


def test_every_invariant_and_attack_of_consent_names_tests_that_exist():
    rows: dict[str, list[tuple[str, str]]] = {}
    for line in (ROOT / "docs" / "testing.md").read_text().splitlines():
        if row := re.match(r"\| (I\d+|A-[A-Z]+-\d+) \|", line):
            rows.setdefault(row[1], []).extend(re.findall(r"`([\w/]+\.py)::(\w+)`", line))

    named = {(path, test) for tests in rows.values() for path, test in tests}
    gone = [
        f"{path}::{test}"
        for path, test in sorted(named)
        if f"\ndef {test}(" not in (ROOT / "tests" / path).read_text()
    ]

    assert gone == []
    assert {name for name in _PROMISED if not rows.get(name)} == set()
