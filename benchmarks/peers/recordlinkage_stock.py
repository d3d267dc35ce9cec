"""recordlinkage as it comes: blocks, Jaro-Winkler with thresholds, ECM.

python recordlinkage_stock.py TABLE RESULT COLUMNS - [dedupe_only|link_only]
"""

import sys

import numpy as np
import pandas as pd
import recordlinkage
from measuring import Clock, arguments, rules_for, save
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

table, result, columns = arguments()
is_link = len(sys.argv) > 5 and sys.argv[5] == "link_only"
rows = pd.read_csv(table, dtype=str, keep_default_na=False)
frame = rows[columns].where(rows[columns] != "", None).copy()
if "street" in columns:
    joined = (rows.street_number + " " + rows.street).str.strip()
    frame["street"] = joined.where(joined != "", None)

clock = Clock()
index = recordlinkage.Index()
for rule in rules_for(columns):
    index.block(list(rule))
sides = (frame[rows.source == "a"], frame[rows.source == "b"]) if is_link else (frame,)
pairs = index.index(*sides)
clock.lap("block")
compare = recordlinkage.Compare()
STRINGS = {
    "given_name": ("jarowinkler", 0.88),
    "family_name": ("jarowinkler", 0.88),
    "street": ("jarowinkler", 0.9),
    "city": ("levenshtein", 0.85),
    "email": ("jarowinkler", 0.92),
    "organisation": ("jarowinkler", 0.9),
}
for name in columns:
    if name in STRINGS:
        method, threshold = STRINGS[name]
        compare.string(name, name, method=method, threshold=threshold, label=name)
    else:
        compare.exact(name, name, label=name)
vectors = compare.compute(pairs, *sides)
clock.lap("compare")
classifier = recordlinkage.ECMClassifier()
classifier.fit(vectors)
probability = classifier.prob(vectors).to_numpy()
clock.lap("train")
left, right = (pairs.get_level_values(side).to_numpy() for side in (0, 1))
kept = probability >= 0.5
links = coo_matrix((np.ones(kept.sum()), (left[kept], right[kept])), shape=(len(frame),) * 2)
clusters = connected_components(links, directed=False)[1]
clock.lap("cluster")
clock.report(pairs=len(pairs))
bits = np.log2(np.maximum(probability, 1e-300)) - np.log2(np.maximum(1 - probability, 1e-16))
save(result, left, right, bits, threshold=0.0, clusters=clusters)
