"""dedupe, which learns from labelled pairs: 300 matches and 300 others, taken from the truth.

python dedupe_3.py TABLE RESULT COLUMNS - [dedupe_only|link_only]

Its own way is to ask a person at the console. Here the truth answers, more pairs than anybody
would label: it is the only contestant that is told any. Linking two tables is left out.
"""

import csv
import random
from itertools import combinations

import dedupe
import numpy as np
from dedupe import variables
from measuring import Clock, arguments, save

LABELS = 300
THRESHOLD = 0.5

table, result, columns = arguments()
with table.open(encoding="utf-8", newline="") as stream:
    lines = list(csv.DictReader(stream))
entity = [line["entity"] for line in lines]
records = {n: {name: line[name] or None for name in columns} for n, line in enumerate(lines)}


def labels():
    """Give pairs of one entity, and pairs that share a name or an address and are two."""
    generator = random.Random(1)
    people, alike = {}, {}
    for number, line in enumerate(lines):
        people.setdefault(line["entity"], []).append(number)
        for name in ("family_name", "postcode", "city"):
            if line.get(name):
                alike.setdefault((name, line[name]), []).append(number)
    match = [pair for group in people.values() for pair in combinations(group, 2)]
    groups = [group for group in alike.values() if len(group) > 1]
    distinct = [generator.sample(generator.choice(groups), 2) for _ in range(20 * LABELS)]
    distinct = [pair for pair in distinct if entity[pair[0]] != entity[pair[1]]]
    chosen = {
        "match": generator.sample(match, min(LABELS, len(match))),
        "distinct": generator.sample(distinct, min(LABELS, len(distinct))),
    }
    return {
        kind: [(records[one], records[other]) for one, other in pairs]
        for kind, pairs in chosen.items()
    }


fields = [variables.ShortString(name, has_missing=True) for name in columns]
labelled = labels()
clock = Clock()
deduper = dedupe.Dedupe(fields, num_cores=1)
deduper.prepare_training(records, sample_size=1000)
deduper.mark_pairs(labelled)
deduper.train(index_predicates=False)
clock.lap("train")
found = list(deduper.partition(records, THRESHOLD))
clock.lap("block, score, cluster")

clusters = np.empty(len(records), np.int64)
pairs = []
for number, (members, scores) in enumerate(found):
    confidence = dict(zip(members, scores, strict=True))
    clusters[list(members)] = number
    for one, other in combinations(sorted(members), 2):
        pairs.append((one, other, min(confidence[one], confidence[other])))
left, right, probability = np.array(pairs).T if pairs else np.zeros((3, 0))
clock.report(pairs=len(pairs))
probability = np.clip(probability, 1e-9, 1 - 1e-9)
# What it says of a pair is its place in a cluster: there are no other scores to choose from.
save(
    result, left.astype(np.int64), right.astype(np.int64),
    np.log2(probability / (1 - probability)), threshold=-99.0, clusters=clusters,
)  # fmt: skip
