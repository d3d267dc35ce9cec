"""What comes in by the browser: its size, its number, its name."""

import csv
import io

import pytest
from django.conf import settings as configured
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from mdm import jobs
from mdm.loading.batches import start_load, throw_away
from mdm.models import LoadBatch, MappingDraft
from tests.factories import UserFactory
from tests.mdm.loading.files import DOCUMENT, csv_bytes, load, row

pytestmark = pytest.mark.django_db


class Body:
    """The body of a request that counts what is read of it and never ends."""

    def __init__(self) -> None:
        self.read_count = 0

    def read(self, size: int = 1 << 16) -> bytes:
        self.read_count += size
        return b"x" * size

    readline = read


@pytest.fixture
def steward(client):
    client.force_login(UserFactory(username="anne", role="steward"))
    return client


def send(client, address: str, megabytes: int, language: str = "fr"):
    body = Body()
    response = client.request(
        PATH_INFO=address,
        REQUEST_METHOD="POST",
        CONTENT_TYPE="multipart/form-data; boundary=x",
        CONTENT_LENGTH=str(megabytes * 1_000_000),
        HTTP_ACCEPT_LANGUAGE=language,
        **{"wsgi.input": body},
    )
    return response, body.read_count


def test_a_gigabyte_is_refused_before_it_is_read(steward):
    """413 by the announced length (A-IMP-12)."""
    response, read_count = send(steward, reverse("mdm:load-new"), 1000, language="en")

    assert (response.status_code, read_count) == (413, 0)
    assert "512 MB" in response.content.decode()
    assert not LoadBatch.objects.exists()


@pytest.mark.parametrize("name", ["mdm:search", "mdm:load-new", "admin:login"])
def test_who_may_not_load_sends_no_more_than_a_form(client, name):
    response, read_count = send(client, reverse(name), 50)

    assert (response.status_code, read_count) == (413, 0)


def test_a_large_file_goes_to_the_page_of_loading_alone(steward):
    response, read_count = send(steward, reverse("mdm:search"), 50)

    assert (response.status_code, read_count) == (413, 0)


def test_a_steward_may_send_a_large_file(steward):
    load(row("C1"))
    rows = [row(f"C{n}", nom="A" * 90) for n in range(110_000)]
    file = SimpleUploadedFile("crm.csv", csv_bytes(rows))
    assert file.size > 12_000_000

    response = steward.post(reverse("mdm:load-new"), {"file": file, "source": "crm"})

    assert response.status_code == 302


def stored(by) -> LoadBatch:
    return start_load(
        io.BytesIO(csv_bytes([row("C1")])),
        file_name="crm.csv",
        source_code="crm",
        document=DOCUMENT,
        by=by,
        is_foreground=True,
        is_preview=True,
    )


def test_files_of_one_person_may_wait_only_so_many_at_a_time(steward, settings):
    """Two hundred uploads in a row (A-IMP-12)."""
    settings.UPLOAD_MAX_PENDING = 2
    anne = LoadBatch.created_by.field.related_model.objects.get(username="anne")
    first, _second = stored(anne), stored(anne)

    def upload():
        file = SimpleUploadedFile("crm.csv", csv_bytes([row("C1")]))
        return steward.post(reverse("mdm:load-new"), {"file": file, "source": "crm"})

    refused = upload()
    throw_away(first)
    taken = upload()

    assert refused.status_code == 422
    assert "2" in str(refused.context["form"].errors["file"])
    assert taken.status_code == 302
    stored(UserFactory(username="paul", role="steward"))


def test_a_file_to_be_mapped_counts_too(steward, settings):
    settings.UPLOAD_MAX_PENDING = 1
    file = SimpleUploadedFile("new.csv", b"a;b\n1;2\n")
    values = {"new_code": "shop"}
    first = steward.post(reverse("mdm:load-new"), {"file": file, **values})
    file.seek(0)

    second = steward.post(reverse("mdm:load-new"), {"file": file, **values})

    assert (first.status_code, second.status_code) == (302, 422)
    assert MappingDraft.objects.count() == 1


NAMES = {
    "../../etc/x.csv": "x.csv",
    "<img src=x onerror=alert(1)>.csv": "<img src=x onerror=alert(1)>.csv",
    "a" * 300 + ".csv": ("a" * 300 + ".csv")[-255:],
    "facture\r\nSet-Cookie: x=1.csv": "factureSet-Cookie: x=1.csv",
    "relev\u202egpj.csv": "relevgpj.csv",
    'x"; filename="evil.html.csv': 'x"; filename="evil.html.csv',
}


@pytest.mark.parametrize("name", NAMES)
def test_a_file_keeps_its_name_for_people_only(client, name):
    """Names that climb out, hold tags, CRLF or marks of direction (A-IMP-10)."""
    client.force_login(UserFactory(role="steward"))
    batch = start_load(
        io.BytesIO(csv_bytes([row("")])),
        file_name=name,
        source_code="crm",
        document=DOCUMENT,
        by=None,
        is_foreground=True,
    )
    kept = [path.name for path in (configured.DATA_DIR / "loads").iterdir()]
    jobs.run_now(batch.job)

    page = client.get(reverse("mdm:batch", args=[batch.pk])).content.decode()
    listed = client.get(reverse("admin:mdm_loadbatch_changelist")).content.decode()
    rejects = client.get(reverse("mdm:batch-rejects", args=[batch.pk]))

    assert batch.file_name == NAMES[name]
    assert all(name.partition(".")[0].isalnum() and "evil" not in name for name in kept)
    assert "<img src=x" not in page + listed
    assert "\n" not in rejects["Content-Disposition"]
    assert rejects["Content-Disposition"].count("filename") == 1
    assert list(csv.reader(io.StringIO(b"".join(rejects.streaming_content).decode("utf-8-sig"))))
