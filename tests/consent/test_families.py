"""Soft opt-in reaches from what was sold to what the DPO declared similar, and no further."""

from datetime import datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils.timezone import localdate, now
from hypothesis import given
from hypothesis import strategies as st

from consent.evaluation import evaluate, may_contact, offer_for
from consent.families import grounds
from consent.models import SimilarFamily
from mdm.models import Sale, SourceRecord
from tests.consent.factories import email_of, marketing
from tests.mdm.factories import make_record
from tests.mdm.pages import client_of


@pytest.fixture
def ada(db: None) -> SourceRecord:
    """Bought shoes a month ago, and gave her address at it."""
    record = make_record(email="ada@example.com", source_created_at=now() - timedelta(days=60))
    Sale.objects.create(
        record=record,
        reference="S1",
        sold_on=localdate() - timedelta(days=30),
        product_family="shoes",
        contact_point=email_of(record),
    )
    return record


def rule(record: SourceRecord, family: str, at: datetime | None = None) -> str:
    offer = offer_for(marketing(), families=[family], at=at)
    answer = may_contact(record.customer, channel="email", offer=offer, at=at).answer
    if at is None:
        (many,) = evaluate([record.customer_id], channel="email", offer=offer)
        assert many.answer.rule == answer.rule
    return answer.rule


def declare(sold: str, offered: str, **values: object) -> SimilarFamily:
    return SimilarFamily.objects.create(sold=sold, offered=offered, reason="Worn alike", **values)


def test_a_sale_is_a_ground_for_what_is_declared_similar(ada):
    assert rule(ada, "socks") == "E1_none"

    declare("shoes", "socks", declared_on=localdate() - timedelta(days=9))

    assert rule(ada, "socks") == "E2"


def test_similarity_has_one_direction_and_one_step(ada):
    declare("socks", "shoes")
    declare("hats", "tea")
    Sale.objects.update(product_family="hats")
    declare("tea", "cups")

    assert rule(ada, "tea") == "E2"
    assert rule(ada, "cups") == "E1_none"
    Sale.objects.update(product_family="shoes")
    assert rule(ada, "socks") == "E1_none"


def test_the_past_is_answered_by_the_matrix_of_then(ada):
    declare("shoes", "socks", declared_on=localdate() - timedelta(days=9))

    assert rule(ada, "socks", now() - timedelta(days=10)) == "E1_none"
    assert rule(ada, "socks", now() - timedelta(days=8)) == "E2"


def test_an_ended_similarity_counts_until_its_end(ada):
    today = localdate()
    declare("shoes", "socks", declared_on=today - timedelta(days=9), ended_on=today)

    assert rule(ada, "socks") == "E1_none"
    assert rule(ada, "socks", now() - timedelta(days=2)) == "E2"


@given(st.sets(st.sampled_from("abcd")), st.sets(st.tuples(*[st.sampled_from("abcd")] * 2)))
def test_grounds_hold_the_offer_itself_and_only_what_was_declared(families, pairs):
    similar = {o: frozenset(s for s, other in pairs if other == o) for _s, o in pairs}

    found = grounds(families, similar)

    assert families <= found
    assert all(f in families or any((f, o) in pairs for o in families) for f in found)


def add(client: Client, **values: object):
    told = {
        "sold": "shoes",
        "offered": "socks",
        "reason": "Worn alike",
        "declared_on": "2026-01-05",
    }
    return client.post(reverse("admin:consent_similarfamily_add"), {**told, **values})


def test_the_dpo_declares_and_ends_but_never_deletes_or_redates(ada):
    client = client_of("dpo")
    assert add(client).status_code == 302
    row = SimilarFamily.objects.get()
    address = reverse("admin:consent_similarfamily_change", args=[row.pk])

    client.post(address, {"sold": "x", "declared_on": "2020-01-01", "reason": "R", "ended_on": ""})
    row.refresh_from_db()
    assert (row.sold, row.declared_on.isoformat(), row.reason) == ("shoes", "2026-01-05", "R")
    client.post(address, {"reason": "R", "ended_on": "2026-02-01"})
    row.refresh_from_db()
    assert row.ended_on is not None
    delete = reverse("admin:consent_similarfamily_delete", args=[row.pk])
    assert client.post(delete, {"post": "yes"}).status_code == 403


@pytest.mark.parametrize(
    "values",
    [{"offered": "shoes"}, {"reason": ""}, {"ended_on": "2025-01-01"}, {"declared_on": "soon"}],
)
def test_what_makes_no_sense_is_refused_on_the_form(db, values):
    assert add(client_of("dpo"), **values).status_code == 200
    assert not SimilarFamily.objects.exists()


def test_a_file_brings_the_matrix_after_a_preview(db):
    client = client_of("dpo")
    declare("hats", "gloves", declared_on="2026-01-05")
    lines = "sold,offered,reason,declared_on,ended_on\nshoes,socks,Worn alike,2026-01-05,\n"

    def upload(text: str):
        file = SimpleUploadedFile("m.csv", text.encode())
        return client.post(
            reverse("admin:consent_similarfamily_import"), {"import_file": file, "format": "0"}
        )

    preview = upload(lines)
    assert SimilarFamily.objects.count() == 1
    form = preview.context["confirm_form"].initial
    client.post(reverse("admin:consent_similarfamily_process_import"), form)
    assert str(SimilarFamily.objects.get(sold="shoes")) == "shoes → socks"

    redated = upload("sold,offered,reason,declared_on,ended_on\nhats,gloves,R,2020-01-05,\n")
    assert "The day from which it counts cannot be changed." in redated.content.decode()


@pytest.mark.parametrize("role", ["steward", "marketer", "administrator", "caller"])
def test_other_roles_do_not_declare_similarity(db, role):
    assert add(client_of(role)).status_code == 403


def test_the_customer_page_tells_what_she_may_be_written_about(ada):
    declare("shoes", "socks")

    page = client_of("steward").get(reverse("mdm:customer", args=[ada.customer.public_id]))

    assert "socks" in page.content.decode()
    with pytest.raises(ValidationError):
        SimilarFamily(sold="a", offered="a", reason="x").full_clean()
