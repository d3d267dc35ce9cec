"""A real Chromium that fails the test on any error in its console."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    expect,
    sync_playwright,
)

from tests.factories import PASSWORD, UserFactory
from tests.instance import Instance

# Playwright runs an event loop in this thread; the tests use the ORM beside it on purpose.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

# Long enough for a busy machine: whoever waits in vain has failed, whoever does not pays nothing.
_PATIENCE_MILLISECONDS = 60_000
_REFUSED = "status of 422"
expect.set_options(timeout=_PATIENCE_MILLISECONDS)

LogIn = Callable[[str], None]

_FLAGS = [
    "--no-sandbox",  # Chromium refuses its sandbox to root, and containers have no other.
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="session")
def chromium(chromium_path: Path) -> Iterator[Browser]:
    """One browser for the session."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def browser_context(chromium: Browser, tmp_path: Path) -> Iterator[BrowserContext]:
    """A fresh French visitor: no cookies, a laptop's screen."""
    context = chromium.new_context(
        locale="fr-FR", viewport={"width": 1400, "height": 900}, accept_downloads=True
    )
    context.set_default_timeout(_PATIENCE_MILLISECONDS)
    yield context
    context.close()


@pytest.fixture
def page(browser_context: BrowserContext) -> Iterator[Page]:
    """A page; an error it writes to the console fails the test, as a file not found does.

    A refused form stands there, too, with its status, and is none.
    """
    page = browser_context.new_page()
    errors: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error" and _REFUSED not in message.text:
            errors.append(message.text)

    page.on("pageerror", lambda error: errors.append(f"page error: {error}"))
    page.on("console", note)

    yield page
    assert errors == []


@pytest.fixture
def log_in(instance: Instance, page: Page) -> LogIn:
    """Log a new member of staff of a role in, by the form.

    The form leads to a page that stays as it is: the home page comes anew when a job has ended,
    and would break off what the test does next.
    """

    def by_the_form(role: str) -> None:
        quiet = "/admin/password_change/"
        page.goto(f"{instance.url}/admin/login/?next={quiet}")
        page.fill("input[name=username]", UserFactory.create(role=role).username)
        page.fill("input[name=password]", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(instance.url + quiet)

    return by_the_form
