"""Given names with the sex they are given to and the forms that stand for them.

The one table of the project, `given_names.csv`: our own, French first, then its neighbours. Names
are folded (`marie-helene` is one given name). A form may stand for several names, also of both
sexes, so it is weak evidence: "Dom" is a Dominique, of either sex.
"""

import csv
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

TABLE = Path(__file__).with_name("given_names.csv")
# Family names so frequent that one of these in the family name's column says nothing.
_ALSO_FAMILY_NAMES = frozenset(
    "adam aime alain albert alexandre alexis ali andre ange antoine armand arnaud arthur auguste "
    "augustin aubert baptiste barthelemy bastien benoit bernard bertrand blanche brice bruno "
    "camille carlos charles christian christophe claire claude clement colas colette come "
    "constant constantin daniel david denis didier dominique edouard emile etienne eugene fabre "
    "felix ferdinand fernand fernando florent francis franck francois frank frederic gabriel "
    "gaspard gaston gauthier gautier georges gerard germain german gilbert gilles gregoire guy "
    "guillaume guillou gustave henri henry herve hubert hugo hugues humbert ivan jack jacob "
    "jacques james jean joel jordan jose joseph jules julien justin lambert laurent leon leonard "
    "leopold lionel louis luc lucas lucien marc marcel marie marin marius martin mathieu mathis "
    "matthieu maurice max maxime michel morel nicolas noel olivier oscar paris pascal patrick "
    "paul perrin perrine peter philip philippe pierre quentin raoul raymond remy renard renaud "
    "rene richard robert robin roche roger roland romain roman rose samuel sebastien serge simon "
    "stephan stephane sylvain sylvestre tanguy theophile thibault thierry thomas tristan valentin "
    "valery victor vidal vincent vivien walter william xavier yves yvon zacharie".split()
)


class GivenName(NamedTuple):
    """A given name, "m" or "f", and the short and foreign forms that stand for it."""

    name: str
    sex: str
    forms: tuple[str, ...]


@lru_cache(maxsize=1)
def table() -> tuple[GivenName, ...]:
    """Return the rows of the table; a name of both sexes stands there twice."""
    with TABLE.open(encoding="ascii", newline="") as file:
        return tuple(
            GivenName(row["name"], row["sex"], tuple(row["forms"].split()))
            for row in csv.DictReader(file)
        )


def short_forms() -> dict[str, frozenset[str]]:
    """Return each given name that has forms with all of them."""
    found: dict[str, frozenset[str]] = {}
    for name, _sex, forms in table():
        if forms:
            found[name] = found.get(name, frozenset()) | frozenset(forms)
    return found


def names_behind(form: str) -> frozenset[str]:
    """Return the given names that a folded name may stand for, itself among them if known."""
    return _names_by_form().get(form, frozenset())


def sexes(name: str) -> frozenset[str]:
    """Return the sexes a folded given name, or its first part, is given to; empty if unknown."""
    found = _sexes_by_name()
    return found.get(name) or found.get(name.partition("-")[0].partition(" ")[0], frozenset())


def is_given_name(name: str) -> bool:
    """Tell whether a folded name, or the first part of a compound one, is a known given name."""
    return bool(sexes(name))


def is_also_family_name(name: str) -> bool:
    """Tell whether a folded given name is so usual as a family name that it proves nothing."""
    return name in _ALSO_FAMILY_NAMES


@lru_cache(maxsize=1)
def _sexes_by_name() -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for name, sex, _forms in table():
        found[name] = found.get(name, frozenset()) | {sex}
    return found


@lru_cache(maxsize=1)
def _names_by_form() -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for name, _sex, forms in table():
        for form in (name, *forms):
            found[form] = found.get(form, frozenset()) | {name}
    return found
