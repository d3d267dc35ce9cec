"""Pictures of notices: kept as they came, shown to the DPO, named in proof packs."""

import hashlib

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse

from config.roles import create_roles
from consent.at_risk import BY_CODE, at_risk
from consent.models import NoticePicture, NoticeVersion
from tests.consent.factories import record_event
from tests.mdm.factories import make_record
from tests.mdm.pages import client_of

pytestmark = pytest.mark.django_db
PNG = b"\x89PNG\r\n\x1a\n" + b"form"


@pytest.fixture
def notice() -> NoticeVersion:
    return NoticeVersion.objects.create(
        code="form", version=1, body="By e-mail.", valid_from="2026-01-01"
    )


@pytest.fixture
def dpo() -> Client:
    create_roles()
    return client_of("dpo")


def add(client: Client, notice: NoticeVersion, content: bytes) -> str:
    page = reverse("consent:notice-add-picture", args=[notice.pk])
    file = SimpleUploadedFile("camille besson.png", content)
    return client.post(page, {"file": file}, follow=True).content.decode()


def test_a_consent_on_words_without_a_picture_is_at_risk_until_one_is_added(notice, dpo):
    record = make_record(email="ada@example.org")
    record_event(record, "given", notice_version_id=notice.pk)
    assert at_risk(BY_CODE["picture"]).count() == 1
    assert "no picture of the form" in dpo.get(reverse("consent:at-risk")).text

    assert "PNG or JPEG" in add(dpo, notice, b"%PDF- a scan")
    page = add(dpo, notice, PNG)
    add(dpo, notice, PNG)

    picture, digest = NoticePicture.objects.get(), hashlib.sha256(PNG).hexdigest()
    assert (digest in page, picture.sha256) == (True, digest)
    assert "besson" not in picture.file.name
    shown = dpo.get(reverse("consent:notice-picture", args=[picture.uuid]))
    assert shown["Content-Type"] == "image/png"
    assert b"".join(shown.streaming_content) == PNG
    assert at_risk(BY_CODE["picture"]).count() == 0
    proof = reverse("consent:proof-pack", args=[record.customer.public_id])
    [told] = dpo.post(proof, {"format": "jsonld"}).json()["dpv:hasNotice"]
    assert [kept["orf:sha256"] for kept in told["orf:pictures"]] == [digest]
    assert dpo.post(proof, {"format": "pdf"}).content.startswith(b"%PDF")


def test_a_picture_stays_as_it_came_and_is_the_dpos(notice, dpo):
    add(dpo, notice, PNG)
    picture, steward = NoticePicture.objects.get(), client_of("steward")

    for attack in (
        lambda: NoticePicture.objects.update(sha256=""),
        lambda: NoticePicture.objects.all()._raw_delete("default"),
    ):
        with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
            attack()
    where = reverse("consent:notice-picture", args=[picture.uuid])
    assert steward.get(where).status_code == 403
    add(steward, notice, PNG + b"2")
    assert NoticePicture.objects.count() == 1
