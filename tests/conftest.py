"""What every test can lean on."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection
from django.test import SimpleTestCase, TransactionTestCase
from hypothesis import settings
from pytest_django import DjangoDbBlocker

from benchmarks.real_input import sample_folder
from tests import services
from tests.database_copies import copied_database
from tests.instance import Instance, Worker, instance_environment

# Tests on sample data that is not part of the project: gone where the data are not there.
ON_SAMPLE_DATA = ["mdm/loading/test_real_input.py", "mdm/proposals/test_real_columns.py"]
collect_ignore = [] if sample_folder() else ON_SAMPLE_DATA
pytest_plugins = ["tests.browser.plugin"]

# Nothing here is a timed test: a busy machine must not fail a property.
settings.register_profile("usual", deadline=None)
settings.register_profile("long", deadline=None, max_examples=1000)
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


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database-only",
        action="store_true",
        help="leave out the tests that touch no database: they pass or fail alike on any",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what the database at hand says nothing about; keep process tests on one worker."""
    for item in items:
        if item.get_closest_marker("services") or item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.xdist_group("processes"))
    left_out = [item for item in items if _is_left_out(config, item)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def _is_left_out(config: pytest.Config, item: pytest.Item) -> bool:
    if item.get_closest_marker("postgresql"):
        return not os.environ["DATABASE_URL"].startswith("postgres")
    return bool(config.getoption("database_only")) and not _touches_a_database(item)


def _touches_a_database(item: pytest.Item) -> bool:
    """Whether the test asks for the database itself, or starts processes that open one."""
    return (
        any(item.get_closest_marker(name) for name in ("django_db", "services", "browser"))
        or bool({"db", "transactional_db"} & set(getattr(item, "fixturenames", ())))
        or issubclass(getattr(item, "cls", None) or object, SimpleTestCase)
    )


@pytest.fixture(scope="session")
def django_db_setup(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[None]:
    """After a test that commits, put back the database as the migrations made it."""
    patch = pytest.MonkeyPatch()
    folder = tmp_path_factory.mktemp("copies")
    with django_db_blocker.unblock(), copied_database("pristine", folder) as pristine:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda case: pristine.restore())
        yield
        patch.undo()


@pytest.fixture
def instance(transactional_db: None) -> Iterator[Instance]:
    """Run web, worker and sweeper on the test database, as `manage.py up` does."""
    with Instance.running(instance_environment(connection)) as running:
        yield running


@pytest.fixture
def worker(transactional_db: None) -> Iterator[Worker]:
    """Give a Celery worker process that can be started, killed and started again."""
    process = Worker(instance_environment(connection))
    yield process
    process.kill()


@pytest.fixture(scope="session")
def chromium_path() -> Path:
    """Return Chromium, or skip the test and say so."""
    try:
        return services.find_chromium()
    except services.Unavailable as error:
        pytest.skip(str(error))
