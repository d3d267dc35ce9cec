"""The person's own way in a real browser: sign-up, mail, confirmation, choices, the DPO's view.

The mail is read from the folder where the worker wrote it.
"""

import hashlib
import re
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import BrowserContext, Page, expect

from consent.models import ConsentEvent, EventSeal, Evidence, ProofPack
from tests.browser.plugin import LogIn
from tests.consent.doors import collection_point
from tests.instance import Instance, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.services, pytest.mark.slow]


# The backend of files ends each mail with this line and names a file by the second, so that two
# mails of one second may stand in one file.
_END_OF_MAIL = b"\n" + b"-" * 79 + b"\n"


def mailed(word: str) -> str:
    """Wait for a mail that holds a word and return its text part."""
    found: list[str] = []

    def has_come() -> bool:
        for file in sorted((Path(settings.DATA_DIR) / "mails").glob("*.log"), reverse=True):
            for content in reversed(file.read_bytes().split(_END_OF_MAIL)):
                body = message_from_bytes(content, policy=policy.default).get_body(("plain",))
                text = body.get_content() if body else ""
                if word in text:
                    found.append(text)
                    return True
        return False

    wait_until(has_come, f"a mail with {word} comes")
    return found[0]


def address_in(text: str, name: str) -> str:
    found = re.search(rf"https?://\S+/{name}/\S+", text)
    assert found
    return found[0]


def test_a_person_signs_up_confirms_chooses_and_the_dpo_sees_it(
    instance: Instance, page: Page, browser_context: BrowserContext, log_in: LogIn
):
    form = collection_point(choices=(("marketing", "email"), ("news", "email")))
    collection_point("preferences", method="preferences", choices=(("marketing", "email"),))

    event = _sign_up(page, f"{instance.url}/sign-up/{form.code}/")
    _choose(page)
    acts = ["confirmed", "withdrawn", "given", "objection"]
    assert [e.type for e in ConsentEvent.objects.order_by("pk")] == acts
    assert browser_context.cookies() == []
    assert Evidence.objects.count() == 4

    log_in("dpo")
    page.goto(f"{instance.url}/customers/{event.source_record.customer.public_id}/")
    for recorded in ConsentEvent.objects.all():
        expect(page.locator(f"a[href='/consent/events/{recorded.uuid}/']").first).to_be_visible()
    page.goto(f"{instance.url}/consent/events/{event.uuid}/")
    expect(page.locator(".c-shown__text")).to_contain_text("newsletter-marketing-email")
    # Every act was sealed as it happened; the proof pack is a click away.
    assert [seal.event.type for seal in EventSeal.objects.order_by("number")] == acts
    expect(page.locator(".o-chip--rare").first).to_be_visible()
    page.goto(f"{instance.url}/consent/customers/{event.source_record.customer.public_id}/")
    with page.expect_download() as download:
        page.locator("button[value=pdf]").click()
    content = download.value.path().read_bytes()
    assert hashlib.sha256(content).hexdigest() == ProofPack.objects.get().sha256


def _sign_up(page: Page, address: str) -> ConsentEvent:
    """Fill in the form, confirm by the link of the mail, and return what was recorded."""
    page.goto(address)
    page.fill("input[name=email]", "ada@example.com")
    page.fill("input[name=family_name]", "Lovelace")
    page.locator("input[type=checkbox]").first.check()
    page.locator("button.p-button--main").click()
    expect(page.locator(".p-card--done")).to_be_visible()
    assert not ConsentEvent.objects.exists()

    page.goto(address_in(mailed("/confirm/"), "confirm"))
    assert not ConsentEvent.objects.exists()
    page.locator("button[value=confirm]").click()
    expect(page.locator(".p-card--done")).to_be_visible()
    event = ConsentEvent.objects.get()
    assert (event.type, event.evidence_level) == ("confirmed", 3)
    return event


def _choose(page: Page) -> None:
    """Withdraw, agree again and stop everything in the preference centre."""
    page.goto(address_in(mailed("/preferences/"), "preferences"))
    expect(page.locator(".p-state--on")).to_have_count(1)
    page.locator("button[value=withdraw]").first.click()
    expect(page.locator(".p-note--done")).to_be_visible()
    expect(page.locator(".p-state--on")).to_have_count(0)
    page.locator("details.p-more summary").first.click()
    page.locator("button[value=accept]").first.click()
    expect(page.locator(".p-state--on")).to_have_count(1)
    page.locator("button[value=stop]").click()
    expect(page.locator(".p-state--on")).to_have_count(0)


def test_public_pages_fit_any_screen_without_a_script(
    instance: Instance, browser_context: BrowserContext
):
    form = collection_point("any-screen")
    for width in (320, 390, 1400):
        context = browser_context.browser.new_context(
            viewport={"width": width, "height": 700}, java_script_enabled=False
        )
        page = context.new_page()
        page.goto(f"{instance.url}/sign-up/{form.code}/")

        wide = page.locator("body *").evaluate_all(
            "all => all.filter(e => e.getBoundingClientRect().right > innerWidth + 1).length"
        )

        assert wide == 0, width
        context.close()
