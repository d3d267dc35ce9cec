"""A steward adds a source the product has never seen, in a real browser and without a program."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from mdm.models import LoadBatch, MappingDraft, SourceRecord
from tests.browser.plugin import LogIn
from tests.instance import Instance

pytestmark = [pytest.mark.browser, pytest.mark.services, pytest.mark.slow]

FILE = (
    "Réf adhérent;Nom prénom;Courriel;Né le;Lettre info\r\n"
    "A-1;Mme Anne LE GOFF;anne@example.org;31/12/1960;OUI\r\n"
    "A-2;DUPONT, Jean;jean@example.org;01/02/1961;NON\r\n"
    ";Sans clé;x@example.org;;\r\n"
).encode("cp1252")


@pytest.fixture
def steward(instance: Instance, page: Page, log_in: LogIn) -> Callable[[str], None]:
    """A steward logged in by the form; returns what opens an address."""
    log_in("steward")
    return lambda path: page.goto(instance.url + path)


def test_a_refused_file_stays_chosen(steward: Callable[[str], None], page: Page, tmp_path: Path):
    path = tmp_path / "adherents.csv"
    path.write_bytes(FILE)
    steward("/loads/new/")
    page.set_input_files("input[name=file]", path)
    page.click("summary >> nth=0")
    page.fill("input[name=header]", "90")
    page.click("button[value=preview]")
    expect(page.locator("[role=alert]")).to_be_visible()

    page.fill("input[name=header]", "")
    page.click("button[value=preview]")
    page.wait_for_url("**/mappings/**")

    assert MappingDraft.objects.get().file_name == "adherents.csv"


def test_an_unknown_file_becomes_a_source_with_its_records_and_is_undone(
    steward: Callable[[str], None], page: Page, tmp_path: Path
):
    path = tmp_path / "adherents.csv"
    path.write_bytes(FILE)
    steward("/loads/new/")
    page.set_input_files("input[name=file]", path)
    page.click("button[value=preview]")
    page.wait_for_url("**/mappings/**")

    _map_what_was_proposed(page)
    _apply(page)

    anne = SourceRecord.objects.get(source_key="A-1")
    batch = LoadBatch.objects.get()
    assert (anne.given_name, anne.family_name, str(anne.birth_date)) == (
        "Anne",
        "Le Goff",
        "1960-12-31",
    )
    assert (batch.new_count, batch.rejected_count) == (2, 1)

    page.click("form[action$='/ask-undo/'] button")
    now = page.locator("form[action$='/undo/'] button")
    expect(now).to_be_visible()
    now.click()
    expect(page.locator(".o-note--rare")).to_be_visible()
    assert not SourceRecord.objects.active().exists()


def _map_what_was_proposed(page: Page) -> None:
    # Without a number of the source, columns make the key.
    number = page.locator("[data-column]", has_text="Réf adhérent")
    expect(page.locator("[data-key]")).to_be_hidden()
    number.locator("select[name$='-attribute']").select_option("")
    expect(page.locator("[data-key]")).to_be_visible()
    number.locator("select[name$='-attribute']").select_option("source_key")
    expect(page.locator("[data-key]")).to_be_hidden()
    # Proposed: by its name, by its values; one column is left to the steward.
    letter = page.locator("[data-column]", has_text="Lettre info")
    expect(letter.locator("input[name$='-yes']")).to_be_hidden()
    letter.locator("select[name$='-attribute']").select_option("permission")
    letter.locator("select[name$='-channel']").select_option("email")
    letter.locator("input[name$='-yes']").fill("OUI")
    letter.locator("input[name$='-no']").fill("NON")
    expect(page.locator("[data-rows]")).to_contain_text("✔ e-mail")
    expect(page.locator("[data-rows]")).to_contain_text("Le Goff")
    page.fill("input[name=source-label]", "Œuvres d’été")
    expect(page.locator("input[name=source-code]")).to_have_value("oeuvres-d-ete")
    page.fill("input[name=source-code]", "club")
    page.fill("input[name=source-label]", "Club")
    expect(page.locator("input[name=source-code]")).to_have_value("club")
    page.click("button[value=save]")


def _apply(page: Page) -> None:
    page.wait_for_url("**/loads/*/")
    apply = page.locator("form[action$='/apply/'] button")
    expect(apply).to_be_visible()
    assert not SourceRecord.objects.exists()
    apply.click()
    expect(page.locator("#rejects")).to_be_visible()
