"""The demo company: the same seed gives the same people, and nothing in it can reach anybody."""

import csv
import re
from collections import Counter
from contextlib import closing
from datetime import date

import pytest
from openpyxl import load_workbook

from mdm.demo import crm, shop
from mdm.demo.company import CompanyFiles, write_company

DAY = date(2026, 11, 1)
FICTION = re.compile(r"0(19900|26191|35301|46571|53649|63998)\d{4}")
SAFE_DOMAIN = re.compile(r"@([a-z0-9.-]+\.)?(example\.com|example\.org|[a-z]+\.test)$", re.I)


@pytest.fixture(scope="module")
def company(tmp_path_factory) -> CompanyFiles:
    return write_company(tmp_path_factory.mktemp("demo"), rows=3000, seed=7, today=DAY)


def crm_rows(company):
    with company.crm.open(encoding="cp1252", newline="") as stream:
        return list(csv.DictReader(stream, delimiter=";"))


def newsletter_rows(company):
    with company.newsletter.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def shop_rows(company):
    with closing(load_workbook(company.shop, read_only=True)) as workbook:
        header, *rows = workbook[shop.SHEET].values
    return [dict(zip(header, row, strict=False)) for row in rows]


def truth_rows(company):
    with company.truth.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def as_phone(cell):
    digits = re.sub(r"\D", "", str(cell))
    return "0" + re.sub(r"^(0033|33|0)", "", digits)


def test_the_same_seed_and_day_give_the_same_company(company, tmp_path):
    again = write_company(tmp_path, rows=3000, seed=7, today=DAY)

    assert again.crm.read_bytes() == company.crm.read_bytes()
    assert again.newsletter.read_bytes() == company.newsletter.read_bytes()
    assert again.truth.read_bytes() == company.truth.read_bytes()
    assert shop_rows(again) == shop_rows(company)


@pytest.mark.parametrize("day", [date(2027, 1, 1), date(2033, 6, 30)])
def test_another_day_shows_the_same_people(company, tmp_path, day):
    later = write_company(tmp_path, rows=3000, seed=7, today=day)

    assert later.truth.read_bytes() == company.truth.read_bytes()
    for rows, named in (
        (crm_rows, ("id_client", "nom", "prenom", "naissance", "email")),
        (newsletter_rows, ("CONTACT_ID", "EMAIL", "NOM", "OPT_IN")),
    ):
        assert [[row[n] for n in named] for row in rows(later)] == [
            [row[n] for n in named] for row in rows(company)
        ]


def test_another_seed_gives_other_people(company, tmp_path):
    other = write_company(tmp_path, rows=3000, seed=8, today=DAY)

    assert other.crm.read_bytes() != company.crm.read_bytes()


def test_the_truth_names_every_line_of_the_three_files_once(company):
    keys = [("crm", row["id_client"]) for row in crm_rows(company)]
    keys += [("shop", str(row["customer_id"])) for row in shop_rows(company)]
    keys += [("newsletter", row["CONTACT_ID"]) for row in newsletter_rows(company)]

    truth = [(row["source"], row["source_key"]) for row in truth_rows(company)]

    assert len(keys) == 3000
    assert sorted(truth) == sorted(keys)
    assert len(set(truth)) == 3000


def test_one_line_in_four_is_a_duplicate_across_the_sources_and_within(company):
    truth = truth_rows(company)
    entities = Counter(row["entity"] for row in truth)
    within = Counter((row["source"], row["entity"]) for row in truth)

    assert 0.20 <= 1 - len(entities) / len(truth) <= 0.30
    assert max(within.values()) >= 2
    assert len({row["source"] for row in truth}) == 3


def test_the_sources_share_the_lines_as_planned(company):
    share = {
        source: n / 3000 for source, n in Counter(r["source"] for r in truth_rows(company)).items()
    }

    assert share["crm"] == pytest.approx(0.45, abs=0.05)
    assert share["shop"] == pytest.approx(0.30, abs=0.05)
    assert share["newsletter"] == pytest.approx(0.25, abs=0.05)


def test_no_email_can_reach_anybody(company):
    emails = [row["email"] for row in crm_rows(company)]
    emails += [row["email"] for row in shop_rows(company)]
    emails += [row["EMAIL"] for row in newsletter_rows(company)]
    written = [email for email in emails if email]

    assert len(written) > 1500
    assert [email for email in written if not SAFE_DOMAIN.search(email)] == []


def test_every_phone_lies_in_a_range_reserved_for_fiction(company):
    cells = [row[column] for row in crm_rows(company) for column in ("tel", "portable")]
    cells += [row[column] for row in shop_rows(company) for column in ("phone", "phone_mobile")]
    cells += [row["SMS"] for row in newsletter_rows(company)]
    phones = [as_phone(cell) for cell in cells if cell]

    assert len(phones) > 1500
    assert [phone for phone in phones if not FICTION.fullmatch(phone)] == []


def test_in_a_small_company_strangers_do_not_share_a_mobile(company):
    entity = {(r["source"], r["source_key"]): r["entity"] for r in truth_rows(company)}
    holders: dict[str, set[str]] = {}
    for row in crm_rows(company):
        if row["portable"]:
            holders.setdefault(as_phone(row["portable"]), set()).add(
                entity["crm", row["id_client"]]
            )

    shared = [phone for phone, people in holders.items() if len(people) > 1]

    # Only a misdialled number can fall on somebody else's.
    assert len(shared) <= len(holders) * 0.01


def test_the_files_carry_the_dirt_of_their_systems(company):
    crm_lines, shop_lines = crm_rows(company), shop_rows(company)
    family_names = [row["nom"] for row in crm_lines]
    raw = company.crm.read_bytes()

    assert raw.count(b"\r\n") == len(crm_lines) + 1
    assert b"\xe9" in raw  # an e with an acute accent in cp1252
    assert any(name.isupper() for name in family_names)
    assert any(not name.isupper() for name in family_names)
    assert any(name != name.strip() for name in family_names)
    assert any(isinstance(row["postcode"], int) and row["postcode"] < 10_000 for row in shop_lines)
    assert any(isinstance(row["phone_mobile"], int) for row in shop_lines)
    assert {"O", "N", ""} == {row["accord_email"] for row in crm_lines}
    assert {0, 1, None} == {row["newsletter"] for row in shop_lines}
    assert any(not row["NOM"] and not row["PRENOM"] for row in newsletter_rows(company))
    assert any(row["contrat_famille"] in crm.CONTRACT_FAMILIES for row in crm_lines)
    assert any(row.get("last_order_family") in shop.SALE_FAMILIES for row in shop_lines)


def test_relatives_share_an_email_and_twins_a_birthday(company):
    entity = {(r["source"], r["source_key"]): r["entity"] for r in truth_rows(company)}
    people_of_email: dict[str, set[str]] = {}
    people_of_birth: dict[tuple[str, str], set[str]] = {}
    for row in crm_rows(company):
        person = entity["crm", row["id_client"]]
        people_of_email.setdefault(row["email"], set()).add(person)
        birth = (row["nom"].upper(), row["naissance"])
        people_of_birth.setdefault(birth, set()).add(person)
    del people_of_email[""]

    assert any(len(people) > 1 for people in people_of_email.values())
    assert any(
        len(p) > 1 for (_, day), p in people_of_birth.items() if day[:5] not in ("", "01/01")
    )


def test_nobody_is_registered_before_coming_of_age(company):
    for row in crm_rows(company):
        if row["naissance"] and not row["naissance"].startswith("01/01"):
            born, seen = int(row["naissance"][-4:]), int(row["date_creation"][-4:])
            assert seen - born >= 7  # 18, but for a birth year ten years off: part of the dirt


def test_dates_are_never_later_than_the_export(company):
    assert all(row["date_upd"].date() <= DAY for row in shop_rows(company))
    assert all(row["MODIFIED_TIME"][:10] <= str(DAY) for row in newsletter_rows(company))
