"""Pictures of notices: kept as they came, shown to the DPO, named in proof packs."""

import hashlib
from io import BytesIO
from zlib import crc32

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse
from PIL import Image

from consent.at_risk import BY_CODE, at_risk
from consent.models import NoticePicture, NoticeVersion
from tests.consent.factories import record_event
from tests.mdm.factories import make_record
from tests.mdm.pages import client_of

pytestmark = pytest.mark.django_db


def picture(kind: str = "PNG", size: tuple[int, int] = (40, 30), **how: object) -> bytes:
    content = BytesIO()
    Image.new("RGB", size, "ivory").save(content, kind, **how)
    return content.getvalue()


def vast() -> bytes:
    """Return a PNG whose head promises four thousand million pixels."""
    head = b"IHDR" + (65_000).to_bytes(4, "big") * 2 + PNG[24:29]
    return PNG[:12] + head + crc32(head).to_bytes(4, "big") + PNG[33:]


PNG, JPEG = picture(), picture("JPEG")
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.fixture
def notice() -> NoticeVersion:
    return NoticeVersion.objects.create(
        code="form", version=1, body="By e-mail.", valid_from="2026-01-01"
    )


@pytest.fixture
def dpo() -> Client:
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
    add(steward, notice, JPEG)
    assert NoticePicture.objects.count() == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "The submitted file is empty."),
        (b"%PDF- a scan", "A picture is a PNG or JPEG file."),
        (SVG, "A picture is a PNG or JPEG file."),
        (picture("GIF"), "A picture is a PNG or JPEG file."),
        (PNG[:60], "The picture is damaged"),
        (PNG[:-40] + bytes(40), "The picture is damaged"),
        (JPEG[:-30], "The picture is damaged"),
        (picture(size=(8_000, 6_300)), "more than 50 million pixels"),
        (vast(), "more than 50 million pixels"),
        (picture(save_all=True, append_images=[Image.new("RGB", (40, 30))]), "The picture moves"),
        (PNG + bytes(10 * 1024 * 1024), "The file is larger than 10 MB."),
    ],
    ids="empty pdf svg gif cut overwritten cut-jpeg large vast moving heavy".split(),
)
def test_what_cannot_be_shown_is_refused_and_says_why(notice, dpo, content, words):
    assert words in add(dpo, notice, content)
    assert not NoticePicture.objects.exists()


def test_a_jpeg_is_kept_whatever_it_calls_itself(notice, dpo):
    add(dpo, notice, JPEG)

    assert NoticePicture.objects.get().file.name.endswith(".jpg")
