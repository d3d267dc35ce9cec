"""In which country the values of a file are at home."""

import pytest

from mdm.proposals.regions import likely_region
from tests.mdm.proposals.test_columns import column


@pytest.mark.parametrize(
    ("name", "values", "region"),
    [
        ("pays", ["BE", "Belgique", "France"], "BE"),
        ("pays", ["La Réunion", "France"], "FR"),
        ("phone", ["650-650-6176", "(914) 722-3492"], "US"),
        ("tel", ["06 39 98 12 34", "01 42 34 56 78"], "FR"),
        ("SMS", ["33619708664", "33740124324"], "FR"),
        ("portable", ["639981234", "639981235"], "FR"),
        ("mobile", ["612 34 56 78", "934 12 34 56"], "ES"),
        ("tel", ["3949", "n/c"], "FR"),
        ("mobile", ["07400 123456", "07400 123457", "+33 6 39 98 12 34"], "GB"),
        ("billing address", ["7548 Center St, San Diego, CA 92101"], "US"),
        ("nom", ["Le Goff"], "FR"),
    ],
)
def test_the_country_of_a_file_is_that_of_most_of_its_values(name, values, region):
    assert likely_region([column("id", "1"), column(name, *values)]) == region
