"""What every test can lean on."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.nodeid import NodeId
from django.conf import settings as settings_of_project
from django.core.cache import cache
from django.db import connection
from django.test import SimpleTestCase, TransactionTestCase
from django.test.utils import setup_databases, teardown_databases
from django.utils import translation
from hypothesis import HealthCheck, settings
from pytest_django import DjangoDbBlocker

from benchmarks.real_input import sample_folder
from config.roles import create_roles
from mdm import bulk
from tests import services
from tests.database_copies import Copy, copied_database
from tests.instance import Instance, instance_environment

# Tests on sample data that is not part of the project: gone where the data are not there.
ON_SAMPLE_DATA = ["mdm/loading/test_real_input.py", "mdm/proposals/test_real_columns.py"]
collect_ignore = [] if sample_folder() else ON_SAMPLE_DATA
pytest_plugins = ["tests.browser.plugin"]

# Nothing here is a timed test: a busy machine must not fail a property.
_PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("usual", _PATIENT)
settings.register_profile("long", _PATIENT, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "usual"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item):
    """With CI=true a skipped test has failed: nothing there may be left untried."""
    report = yield
    if os.environ.get("CI") == "true" and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[-1] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"Skipped although CI=true: {reason}"
    return report


def pytest_configure() -> None:
    """Look for cycles less often: among all that is imported, it is a tenth of the whole run."""
    gc.set_threshold(200_000, 20, 50)


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()  # What is here now stays.


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database-only",
        action="store_true",
        help="leave out the tests that touch no database: they pass or fail alike on any",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what the database at hand says nothing about; keep together what shares."""
    for item in items if config.getoption("loadgroup", default=False) else []:
        if group := _group(item):
            # What pytest-xdist 3.8 does for a mark, in an attribute that pytest 9.2 no longer
            # reads: every test was a group of its own, and costly set-ups were made twice.
            item._id = NodeId.parse(f"{item.nodeid}@{group}")
    left_out = [item for item in items if _is_left_out(config, item)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def _group(item: pytest.Item) -> str:
    """Return what has to run on one worker: tests of processes, and those of one costly set-up.

    Tests of processes are one group, so that no two instances starve each other of processors.
    pytest-xdist starts with the largest groups.
    """
    if item.get_closest_marker("services") or item.get_closest_marker("browser"):
        return "processes"
    definitions = getattr(item, "_fixtureinfo").name2fixturedefs.values()  # noqa: B009
    shares = any(definition[-1].scope == "module" for definition in definitions)
    return item.location[0] if shares else ""


def _is_left_out(config: pytest.Config, item: pytest.Item) -> bool:
    if item.get_closest_marker("postgresql"):
        return not os.environ["DATABASE_URL"].startswith("postgres")
    return bool(config.getoption("database_only")) and not _touches_a_database(item)


def _touches_a_database(item: pytest.Item) -> bool:
    """Whether the test asks for the database itself, or starts processes that open one."""
    return (
        any(item.get_closest_marker(name) for name in ("django_db", "services", "browser"))
        or bool({"db", "transactional_db", "committed"} & set(getattr(item, "fixturenames", ())))
        or issubclass(getattr(item, "cls", None) or object, SimpleTestCase)
    )


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None,
    django_db_modify_db_settings: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Copy]:
    """Make the test database, with the roles, and put it back after each test that commits.

    Gives the database as it was made.
    """
    patch = pytest.MonkeyPatch()
    folder = tmp_path_factory.mktemp("copies")
    with django_db_blocker.unblock():
        made = setup_databases(verbosity=0, interactive=False)
        create_roles()
        with copied_database("pristine", folder) as pristine:
            patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _: pristine.restore())
            patch.setattr(bulk, "_SQLITE_PAUSE_SECONDS", 0.0)  # Nobody clicks meanwhile.
            yield pristine
            patch.undo()
            pristine.restore()  # PostgreSQL drops no database that somebody still uses.
        teardown_databases(made, verbosity=0)


@pytest.fixture(autouse=True)
def _as_if_alone() -> Iterator[None]:
    """Begin in the language of the code and without counts of pages that earlier tests opened."""
    cache.clear()
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def _new_journal_of_erasures() -> None:
    """What an earlier test erased, and rolled back, is nothing to this one."""
    Path(settings_of_project.LEDGER_FOLDER, "erasures.jsonl").unlink(missing_ok=True)


@pytest.fixture(scope="module")
def committed(django_db_setup: Copy, django_db_blocker: DjangoDbBlocker) -> Iterator[Copy]:
    """Let the tests of a module share one database: what each writes stays for the next.

    Gives the database as it was made.
    """
    with django_db_blocker.unblock():
        yield django_db_setup
        django_db_setup.restore()


@pytest.fixture(scope="module")
def instance(committed: Copy) -> Iterator[Instance]:
    """Run web, worker and sweeper on the test database, as `manage.py up` does."""
    with Instance.running(instance_environment(connection)) as running:
        yield running


@pytest.fixture(scope="session")
def chromium_path() -> Path:
    """Return Chromium, or skip the test and say so."""
    try:
        return services.find_chromium()
    except services.Unavailable as error:
        pytest.skip(str(error))
