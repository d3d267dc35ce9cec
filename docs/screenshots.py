"""Take the pictures of the documents from a running demo.

    make demo                                        # in one terminal
    .venv/bin/python docs/screenshots.py ADDRESS     # in another, with the address it printed

Needs the development tools (`make test` installs them) and Chromium. The pictures land in
docs/images/, in English, 1400 pixels wide.
"""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

IMAGES = Path(__file__).parent / "images"
# Where `make demo` keeps the logins it printed.
DEMO = Path(__file__).parent.parent / ".data" / "demo" / "demo.json"


def home(page: Page) -> None:
    """The steward's home page."""
    page.goto("/admin/")


def review(page: Page) -> None:
    """A possible duplicate, with the evidence open."""
    page.goto("/review/")
    page.keyboard.press("e")


def customer(page: Page) -> None:
    """A customer with several source records, found by the search box."""
    page.goto("/admin/")
    page.fill("input[data-search]", "martin")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search/")
    rows = page.locator("tr:has(a[href*='/customers/'])")
    richest = max(rows.all(), key=lambda row: int(row.locator("td").last.inner_text()))
    richest.locator("a").first.click()
    page.wait_for_url("**/customers/**")


def waterfall(page: Page) -> None:
    """A new campaign: who may be reached, and why the others may not."""
    page.goto("/campaigns/new/")
    page.select_option("select[name=channel]", "email")
    page.fill("input[name=name]", "Winter catalogue")
    page.locator("form button.o-button--primary").last.click()
    page.wait_for_selector("[data-waterfall]")


PICTURES: dict[str, tuple[str, Callable[[Page], None]]] = {
    "home": ("steward", home),
    "review": ("steward", review),
    "customer": ("steward", customer),
    "waterfall": ("marketer", waterfall),
}


def main(address: str) -> None:
    """Take every picture."""
    passwords = json.loads(DEMO.read_text())["passwords"]
    IMAGES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium") or shutil.which("google-chrome"),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        for name, (user, visit) in PICTURES.items():
            page = _logged_in(browser, address, user, passwords[user])
            visit(page)
            page.wait_for_load_state("networkidle")
            page.screenshot(path=IMAGES / f"{name}.png")
            page.close()


def _logged_in(browser: Browser, address: str, user: str, password: str) -> Page:
    context = browser.new_context(
        base_url=address, locale="en-GB", viewport={"width": 1400, "height": 900}
    )
    page = context.new_page()
    page.goto("/admin/login/")
    page.fill("input[name=username]", user)
    page.fill("input[name=password]", password)
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/")
    return page


if __name__ == "__main__":
    main(sys.argv[1])
