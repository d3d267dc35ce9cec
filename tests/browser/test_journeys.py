"""The three journeys in a real browser, against a real web, worker and sweeper."""

import csv
import io
from pathlib import Path

import pytest
from django.core.management import call_command
from playwright.sync_api import Page, expect

from campaigns.models import ListDownload
from consent.models import ConsentEvent
from matching.models import Decision, ReviewTask
from mdm.demo.company import write_company
from mdm.models import Customer
from tests.browser.plugin import LogIn
from tests.instance import ROOT, Instance

pytestmark = [pytest.mark.browser, pytest.mark.services, pytest.mark.slow]


@pytest.fixture(scope="module")
def company(instance: Instance, tmp_path_factory: pytest.TempPathFactory) -> Instance:
    """A running Orfèvre with a small company, loaded and matched."""
    files = write_company(tmp_path_factory.mktemp("company"), rows=400, seed=3)
    for code in ("crm", "shop", "newsletter"):
        mapping = str(ROOT / "mdm" / "mappings" / f"demo-{code}.toml")
        call_command("load", str(getattr(files, code)), source=code, mapping=mapping, json=True)
    call_command("match", json=True)
    return instance


def test_a_steward_reviews_a_merge_by_keyboard_and_takes_it_back(
    company: Instance, page: Page, log_in: LogIn
):
    log_in("steward")
    open_before = ReviewTask.objects.filter(state="open").count()
    assert open_before

    page.goto(f"{company.url}/review/")
    form = page.locator("form.rv-answer")
    first = form.get_attribute("action")
    page.keyboard.press("s")
    expect(page.locator(f"form.rv-answer[action='{first}']")).to_have_count(0)

    decision = Decision.objects.get()
    assert decision.verdict == "same"
    left = ReviewTask.objects.filter(state="open").count()
    badge = page.locator("#nav-sidebar-apps a[href='/review/'] > span:nth-child(3)")
    expect(badge).to_have_text(str(left))
    assert decision.left.customer == decision.right.customer
    page.keyboard.press("z")
    expect(page.locator(f"form.rv-answer[action='{first}']")).to_have_count(1)
    decision.refresh_from_db()
    assert decision.retracted_at is not None
    assert decision.left.customer != decision.right.customer
    assert ReviewTask.objects.filter(state="open").count() == open_before


def test_a_dpo_finds_a_customer_and_reads_her_consent_history(
    company: Instance, page: Page, log_in: LogIn
):
    event = ConsentEvent.objects.filter(type="given").order_by("pk").last()
    customer = Customer.objects.get(pk=event.source_record.customer_id)
    log_in("dpo")

    page.fill("input[data-search]", customer.display_id)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/customers/{customer.public_id}/")
    page.goto(f"{company.url}/consent/customers/{customer.public_id}/")

    expect(page.locator("main, body").first).to_contain_text("consentement donné")
    page.locator(f"a[href='/consent/events/{event.uuid}/']").first.click()
    expect(page.locator("body")).to_contain_text(str(event.uuid))
    assert ConsentEvent.objects.filter(pk=event.pk).exists()


def test_the_name_of_a_scan_stays_out_of_the_reference_of_a_proof(
    company: Instance, page: Page, log_in: LogIn
):
    customer = Customer.objects.filter(records__contact_points__kind="email")[0]
    log_in("steward")
    page.goto(f"{company.url}/consent/customers/{customer.public_id}/off-line/")
    scan = {"name": "Zoe Zyzanie.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7"}

    page.set_input_files("input[name=file]", scan)

    expect(page.locator("input[name=reference]")).to_have_value("")


def test_a_marketer_walks_from_a_campaign_to_a_file(company: Instance, page: Page, log_in: LogIn):
    log_in("marketer")

    page.goto(f"{company.url}/campaigns/new/")
    page.select_option("select[name=channel]", "post")
    page.fill("input[name=name]", "Catalogue")
    page.locator("main form button.o-button--primary, form button.o-button--primary").last.click()
    expect(page.locator("[data-waterfall]")).to_be_visible()
    page.locator("[data-freeze]").click()
    page.wait_for_url("**/lists/*/")
    expect(page.locator("form[data-download]")).to_be_visible()
    page.fill("#reason", "Envoi du catalogue")
    with page.expect_download() as downloading:
        page.locator("button[name=format][value=csv]").click()

    text = Path(downloading.value.path()).read_text("utf-8-sig")
    lines = list(csv.reader(io.StringIO(text), delimiter=";"))
    download = ListDownload.objects.get()
    assert len(lines) - 1 == download.row_count > 0
    assert download.reason == "Envoi du catalogue"
