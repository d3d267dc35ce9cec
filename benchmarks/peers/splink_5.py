"""Splink 5 on DuckDB, set up as its documentation does or as an expert would.

python splink_5.py TABLE RESULT COLUMNS documented|expert [dedupe_only|link_only]
"""

import logging
import sys

import duckdb
import numpy as np
import splink.comparison_level_library as levels
import splink.comparison_library as comparisons
from measuring import Clock, arguments, rules_for, save
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

logging.getLogger("splink").setLevel(logging.ERROR)
table, result, columns = arguments()
is_expert = sys.argv[4] == "expert"
link_type = sys.argv[5] if len(sys.argv) > 5 else "dedupe_only"
THRESHOLD = 0.9


def with_frequencies(comparison):
    """Let common values count less."""
    return comparison.configure(term_frequency_adjustments=True)


def one_address():
    """One comparison instead of three that depend on one another."""
    towns = [name for name in ("postcode", "city") if name in columns]
    same = [f"{name}_l={name}_r" for name in towns]
    missing = f"({towns[0]}_l is null or {towns[0]}_r is null)"
    town = f"coalesce({', '.join(same)}, true)"
    return comparisons.CustomComparison(
        output_column_name="address",
        comparison_levels=[
            levels.CustomLevel(f"(street_l is null or street_r is null) and {missing}").configure(
                is_null_level=True
            ),
            levels.CustomLevel(f"street_l=street_r and {town}", label_for_charts="all"),
            levels.CustomLevel(
                f"jaro_winkler_similarity(street_l, street_r) >= 0.92 and {town}",
                label_for_charts="near",
            ),
            levels.CustomLevel(" or ".join(same), label_for_charts="town"),
            levels.ElseLevel(),
        ],
    )


def names():
    """The names of a person, by the ready-made comparisons."""
    if "given_name" not in columns:
        return [with_frequencies(comparisons.JaroWinklerAtThresholds("organisation", [0.92, 0.8]))]
    if is_expert:
        return [
            with_frequencies(comparisons.NameComparison(name))
            for name in ("given_name", "family_name")
        ]
    return [comparisons.ForenameSurnameComparison("given_name", "family_name")]


def address():
    """The address, field by field or as one."""
    found = []
    if is_expert and "street" in columns:
        return [one_address()]
    if "postcode" in columns:
        found.append(with_frequencies(comparisons.LevenshteinAtThresholds("postcode", 1)))
    if "street" in columns:
        found.append(with_frequencies(comparisons.JaroWinklerAtThresholds("street", [0.92, 0.8])))
    if "city" in columns:
        found.append(with_frequencies(comparisons.JaroWinklerAtThresholds("city", [0.9])))
    return found


def birth_dates():
    """Dates of birth; where years are all that is known of some, how far these are apart."""
    if "sex" not in columns:
        return comparisons.DateOfBirthComparison(
            "birth_date", input_is_string=True, datetime_format="%Y%m%d"
        )
    apart = "abs(cast(birth_date_l[1:4] as int) - cast(birth_date_r[1:4] as int))"
    return comparisons.CustomComparison(
        output_column_name="birth_date",
        comparison_levels=[
            levels.NullLevel("birth_date"),
            levels.CustomLevel(
                "birth_date_l=birth_date_r and birth_date_l[5:8]!='0101'", label_for_charts="same"
            ),
            *(
                levels.CustomLevel(f"{apart} <= {years}", label_for_charts=f"{years} years")
                for years in (0, 1, 2, 5)
            ),
            levels.ElseLevel(),
        ],
    )


def others():
    """What is left."""
    ready = {
        "birth_date": birth_dates,
        "sex": lambda: comparisons.ExactMatch("sex"),
        "website": lambda: comparisons.ExactMatch("website"),
        "phone": lambda: comparisons.LevenshteinAtThresholds("phone", 1),
        "email": lambda: comparisons.EmailComparison("email"),
        "identifier": lambda: comparisons.LevenshteinAtThresholds("identifier", 1),
    }
    return [make() for name, make in ready.items() if name in columns]


connection = duckdb.connect()
wanted = ", ".join(f"nullif({name}, '') as {name}" for name in columns)
street = "nullif(trim(concat_ws(' ', street_number, street)), '') as street"
wanted = wanted.replace("nullif(street, '') as street", street)
source = "source as source_dataset," if link_type == "link_only" else ""
rows = connection.execute(
    f"select (row_number() over ())-1 as unique_id, {source} {wanted}"
    f" from read_csv('{table}', header=true, all_varchar=true, parallel=false)"
)
rows = rows.to_arrow_table() if hasattr(rows, "to_arrow_table") else rows.fetch_arrow_table()
count = rows.num_rows
if link_type == "link_only":
    sides = [rows.filter([s == side for s in rows["source_dataset"].to_pylist()]) for side in "ab"]
    sides = [side.drop_columns(["source_dataset"]) for side in sides]

clock = Clock()
api = DuckDBAPI(connection)
registered = (
    [api.register(side) for side in sides] if link_type == "link_only" else api.register(rows)
)
rules = rules_for(columns)
settings = SettingsCreator(
    link_type=link_type,
    comparisons=[*names(), *address(), *others()],
    blocking_rules_to_generate_predictions=[block_on(*rule) for rule in rules],
    retain_intermediate_calculation_columns=False,
    retain_matching_columns=False,
)
linker = Linker(registered, settings)
exact = [("given_name", "family_name", "birth_date"), ("email",), ("phone", "family_name")]
scarce = [("given_name", "family_name", "postcode"), ("organisation", "postcode")]
if "sex" in columns:  # Whole dates are known of few: two of one name in one town, then.
    exact.append(("given_name", "family_name", "city"))
exact = [rule for rule in exact if set(rule) <= set(columns)] or [
    rule for rule in scarce if set(rule) <= set(columns)
]
linker.training.estimate_probability_two_random_records_match(
    [block_on(*rule) for rule in exact], recall=0.6
)
clock.lap("prior")
linker.training.estimate_u_using_random_sampling(max_pairs=1e7 if is_expert else 1e6, seed=1)
clock.lap("u")
sessions = [
    ("given_name", "family_name"),
    ("birth_date",),
    ("email",),
    ("phone",),
    ("organisation",),
    ("street", "city"),
]
if "street" not in columns or {"email", "phone"} & set(columns):
    sessions.remove(("street", "city"))
options = {"max_pairs": 3e5} if is_expert else {}
for fields in sessions:
    if set(fields) <= set(columns):
        linker.training.estimate_parameters_using_expectation_maximisation(
            block_on(*fields), **options
        )
clock.lap("train")
found = linker.inference.predict(threshold_match_probability=0.001)
clock.lap("predict")
grouped = linker.clustering.cluster_pairwise_predictions_at_threshold(found, THRESHOLD)
clock.lap("cluster")

members = grouped.as_pyarrow_table()
clusters = np.empty(count, np.int64)
labels = np.unique(members["cluster_id"].to_numpy(zero_copy_only=False), return_inverse=True)[1]
clusters[members["unique_id"].to_numpy()] = labels
pairs = found.as_pyarrow_table()
left, right = (pairs[f"unique_id_{side}"].to_numpy() for side in "lr")
bits = pairs["match_weight"].to_numpy()
clock.report(pairs=len(left))
save(
    result, left, right, bits,
    threshold=float(np.log2(THRESHOLD / (1 - THRESHOLD))), clusters=clusters,
)  # fmt: skip
