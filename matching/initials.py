"""Initials that may be several people: "J. Martin" under the roof of Jacques and of Jules; pure.

Either pair looks like one person, and no value of a pair says that there is another one. What
tells it is all that an initial fits, so it is told here and not by a score.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from rapidfuzz.distance import OSA

from matching.linkage.folding import words
from mdm.standardise.given_names import names_behind

CLEARLY = 3.0
"""Bits by which one of two people must fit better: what a link needs against even odds, too."""

_LONGEST = len("J.-P. M.")

Pair = tuple[int, int]
Words = tuple[str, ...]


def is_initials(given_name: str) -> bool:
    """Return whether a given name is nothing but initials: "J.", "J-P"."""
    return 0 < len(given_name) <= _LONGEST and _are_initials(words(given_name))


def unclear(
    links: Iterable[tuple[int, int, float]], called: Mapping[int, str], unit: Mapping[int, int]
) -> dict[Pair, Pair]:
    """Return the links of initials that another person fits as well.

    Args:
        links: (left, right, score) of pairs that would link by themselves.
        called: given name of each record that has initials, and of those they link with.
        unit: record -> what decisions have made one person.

    Returns:
        (left, right) of a link -> the record with initials, and a record of the other person. Two
        records that link with each other are of one person, however she is spelt, and so are two
        names of which one is a slip of the other, or a part.
    """
    if not called:
        return {}
    names = {record: tuple(words(name)) for record, name in called.items() if name}
    fits: dict[int, list[tuple[float, int]]] = defaultdict(list)
    linked: set[Pair] = set()
    for left, right, score in links:
        if left in names and right in names:
            linked |= {(left, right), (right, left)}
            for one, other in ((left, right), (right, left)):
                if _are_initials(names[one]) and not _are_initials(names[other]):
                    fits[one].append((-score, other))

    def are_two(one: int, other: int) -> bool:
        is_one = unit[one] == unit[other] or (one, other) in linked
        return not is_one and not _are_one(names[one], names[other])

    found: dict[Pair, Pair] = {}
    for short, people in fits.items():
        ranked = sorted(people)
        for score, one in ranked:
            better = (other for rank, other in ranked if rank < score + CLEARLY)
            rival = next((other for other in better if are_two(one, other)), None)
            if rival is not None:
                found[min(short, one), max(short, one)] = (short, rival)
    return found


def _are_initials(name: Iterable[str]) -> bool:
    return set(map(len, name)) == {1}


def _are_one(one: Words, other: Words) -> bool:
    """Return whether two names may be one: a part, or a slip, of which people bear one at most."""
    if set(one) <= set(other) or set(other) <= set(one):
        return True
    forms = "".join(one), "".join(other)
    return OSA.distance(*forms, score_cutoff=1) <= 1 and not all(map(names_behind, forms))
