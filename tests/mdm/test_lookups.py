"""Long lists in a filter find what short ones find, with one parameter."""

import pytest

from mdm.models import RecordContactPoint, SourceRecord
from tests.mdm.factories import make_records

pytestmark = pytest.mark.django_db

NOBODYS = range(-20_000, 0)
"""Keys that no sequence gives, however many tests came before."""


@pytest.fixture
def keys() -> list[int]:
    return [
        record.pk
        for record in make_records(
            [{"key": f'K’é"{n}', "email": f"k{n}@example.org"} for n in range(4)]
        )
    ]


@pytest.mark.parametrize("kind", [list, tuple, set])
def test_a_long_list_of_keys_finds_the_same(keys, kind):
    wanted = kind([*keys[:3], *NOBODYS])

    assert set(SourceRecord.objects.filter(pk__in=wanted).values_list("pk", flat=True)) == set(
        keys[:3]
    )
    assert RecordContactPoint.objects.filter(record__in=wanted).count() == 3
    assert SourceRecord.objects.exclude(pk__in=wanted).get().pk == keys[3]


def test_a_long_list_of_texts_finds_the_same(keys):
    wanted = [f'K’é"{n}' for n in range(2)] + [f"none{n}" for n in range(200)]

    assert SourceRecord.objects.filter(source_key__in=wanted).count() == 2


def test_mixed_and_empty_lists_are_left_to_django(keys):
    assert SourceRecord.objects.filter(pk__in=[str(key) for key in keys]).count() == 4
    assert SourceRecord.objects.filter(pk__in=[*map(str, keys), *NOBODYS]).exists()
    assert not SourceRecord.objects.filter(pk__in=[]).exists()
