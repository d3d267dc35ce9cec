"""A mapping is checked as a whole before a file is read by it."""

import json
from pathlib import Path

import pytest

from mdm.mapping import Column, MappingError
from mdm.mapping_parsing import parse_mapping, read_document

MAIL = {"column": [{"name": "email", "attribute": "email"}]}
KEY = {"name": "id", "attribute": "source_key"}
SHIPPED = sorted((Path(__file__).parents[2] / "mdm" / "mappings").glob("*.toml"))


def column(**entry: object) -> dict[str, object]:
    return {"column": [KEY, {"name": "x", **entry}]}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_mapping_that_ships_can_be_followed(path):
    mapping = parse_mapping(read_document(path))

    assert mapping.key_column
    assert mapping.source is not None


def test_a_mapping_may_be_json(tmp_path):
    path = tmp_path / "crm.json"
    path.write_text(json.dumps({"column": [KEY]}))

    assert parse_mapping(read_document(path)).key_column == "id"


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({}, "[[column]]"),
        ({"column": [{"name": "id", "attribute": "email"}]}, "source_key"),
        (column(attribute="emial"), "email"),
        (column(attribute="permission"), "sms"),
        (column(attribute="permission", channel="*"), "*"),
        (column(attribute="city", format="%d"), "format"),
        (column(attribute="birth_date", format="JJ/MM"), "JJ/MM"),
        (column(attribute="birth_date", format="epoch"), "epoch"),
        (column(attribute="permission", channel="sms", yes="O"), '["O"]'),
        (column(attribute="opt_out", channel="sms", yes=["1"], no=["1"]), "1"),
        (column(attribute="opt_out", channel="sms", by_words="yes"), "by_words"),
        (column(attribute="city", by_words=True), "by_words"),
        (column(attribute="source_key"), "source_key"),
        (column(attribute="city", colour="red"), "colour"),
        ({"column": [KEY, {"name": "id", "attribute": "city"}]}, "id"),
        ({"column": [KEY], "file": {"encoding": "utf-9"}}, "utf-9"),
        ({"column": [KEY], "file": {"delimiter": "||"}}, ";"),
        ({"column": [KEY], "source": {"trust": 200}}, "100"),
        ({"column": [KEY], "source": {"region": "Frankreich"}}, "Frankreich"),
        ({"column": [KEY], "source": {"file_mode": "some"}}, "delta"),
        ({"column": [KEY], "sheet": 1}, "sheet"),
        ({"column": "id"}, "[[column]]"),
        ({"column": [KEY], "key_from": ["email"]}, "source_key"),
        ({**MAIL, "key_from": "email"}, '["email"]'),
        ({**MAIL, "key_from": [""]}, '["email"]'),
        ({**MAIL, "key_from": []}, "key_from"),
        ({**MAIL, "key_from": ["email", "Email "]}, "twice"),
    ],
)
def test_a_mistake_is_named(document, words):
    with pytest.raises(MappingError, match=r".") as refusal:
        parse_mapping(document)

    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_columns_that_make_a_key_are_sorted_and_spelt_as_the_mapping_does():
    mapping = parse_mapping({**MAIL, "key_from": ["nom", " EMAIL"]})

    assert (mapping.key_column, mapping.key_from) == ("", ("email", "nom"))
    assert mapping.wanted == ("email", "nom")


def test_a_near_attribute_is_offered():
    with pytest.raises(MappingError) as refusal:
        parse_mapping(column(attribute="prenom given"))

    assert "given_name" in str(refusal.value)


@pytest.mark.parametrize("text", ["[[column", "\x00", "é".encode("latin-1")])
def test_a_broken_mapping_file_is_one_line(tmp_path, text):
    path = tmp_path / "crm.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())

    with pytest.raises(MappingError, match=r"crm\.toml"):
        read_document(path)


def test_words_that_refuse_are_a_no_among_permissions_alone():
    permission = Column("accord", "permission", yes=frozenset({"o"}), no=frozenset({"n"}))
    told = ["désinscrit", "Opt-out", "UNSUBSCRIBED", "n", "O", "peut-être"]

    assert [permission.answer(cell) for cell in told] == ["no", "no", "no", "no", "yes", "unknown"]
    assert Column("stop", "opt_out").answer("désinscrit") == "unknown"
    assert [Column("accord", "permission").answer(cell) for cell in "✓✗"] == ["yes", "no"]


def test_answers_are_read_whatever_their_case():
    mapping = parse_mapping(column(attribute="permission", channel="email"))
    answers = [mapping.columns[1].answer(cell) for cell in ("OUI", " o ", "Non", "", "maybe")]

    assert answers == ["yes", "yes", "no", "blank", "unknown"]
