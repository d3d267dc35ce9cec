"""Documents of evidence in an access pack: hers go along, what shows others waits for a reason."""

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils.html import escape

from consent.models import AccessPack, Evidence
from consent.offline import kept_evidence
from mdm.models import AccessLog, SourceRecord
from tests.access_packs import page_of, take
from tests.consent.factories import record_event
from tests.mdm.factories import make_record
from tests.mdm.loading.files import load, row
from tests.mdm.pages import client_of

pytestmark = pytest.mark.django_db

SCAN = b"%PDF-1.7 a scanned form"


@pytest.fixture(autouse=True)
def _folder(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def record() -> SourceRecord:
    load(row("C1", nom="Quenneville", prenom="Zyzanie", email="zyzanie@example.com"))
    return SourceRecord.objects.get()


@pytest.fixture
def proof(record: SourceRecord) -> Evidence:
    """A form that she signed."""
    kept = kept_evidence(Evidence.Kind.SIGNED_PAPER, "Shelf 12", ContentFile(SCAN))
    kept.save()
    kept.events.add(record_event(record, "given"))
    return kept


def refused(record: SourceRecord, **told: object) -> str:
    answer = client_of("dpo").post(page_of(record), {"language": "en", **told})
    assert answer["Content-Type"].startswith("text/html")
    return answer.text


def test_a_document_goes_along_and_the_table_names_it(record, proof):
    page = client_of("dpo").get(page_of(record)).text
    pack = take(record)

    name = f"evidence/{proof.uuid}.pdf"
    assert escape(f"/consent/evidence/{proof.uuid}/") in page
    assert pack.files[name] == SCAN
    (row,) = pack.table("evidence")
    assert (row["has_document"], row["document"]) == (True, name)
    assert row["document_sha256"] == proof.file_sha256
    assert pack.data["left_out"] == {}
    taken = AccessLog.objects.filter(action="evidence file")
    assert [entry.reference for entry in taken] == [str(proof.uuid)]


def test_one_that_shows_somebody_else_is_left_out_with_a_tick(record, proof):
    pack = take(record, without=[f"document-{proof.pk}"])

    assert not [name for name in pack.files if name.startswith("evidence/")]
    (row,) = pack.table("evidence")
    assert (row["has_document"], row["document"]) == (True, None)
    assert pack.data["left_out"] == {"document": 1}
    assert AccessPack.objects.get().left_out_count == 1
    assert not AccessLog.objects.filter(action="evidence file").exists()


def test_one_that_proves_something_about_others_is_added_for_a_reason_only(record, proof):
    other = make_record(given_name="Nestor", email="nestor@example.com", key="N")
    proof.events.add(record_event(other, "given"))
    code = f"document-{proof.pk}"

    assert take(record).data["left_out"] == {"document": 1}
    assert "Say why" in refused(record, added=[code])
    added = take(record, added=[code], reason="She signed for her brother.")
    assert added.files[f"evidence/{proof.uuid}.pdf"] == SCAN
    assert added.data["left_out"] == {}


@pytest.mark.parametrize("content", [b"%PDF-1.7 another form", None], ids=["altered", "missing"])
def test_a_document_that_is_no_more_what_was_kept_stops_the_pack(record, proof, content):
    default_storage.delete(proof.file.name)
    if content:
        default_storage.save(proof.file.name, ContentFile(content))

    words = refused(record)

    assert "is missing, or is no more what was kept" in words
    assert not AccessPack.objects.exists()
    assert take(record, without=[f"document-{proof.pk}"]).data["left_out"] == {"document": 1}
