"""Two counts of a county ten years apart, and the registers of some parishes."""

from collections.abc import Iterator
from random import Random

from benchmarks.elsewhere.slips import born, typo, varied, without
from benchmarks.elsewhere.words import Frequent, Line, Values, of_faker

_SHORT = {
    "William": "Wm", "Thomas": "Thos", "Elizabeth": "Eliza", "Sarah": "Sally",
    "Margaret": "Maggie",
    "Charles": "Chas", "George": "Geo", "Mary": "Polly", "Robert": "Robt", "James": "Jas",
    "Ann": "Annie", "Joseph": "Jos", "Catherine": "Kate", "Edward": "Edwd", "Samuel": "Saml",
}  # fmt: skip
_VICTORIAN_MEN = (
    "William John Thomas George James Charles Henry Joseph Robert Edward Samuel Frederick Alfred "
    "Richard Walter Arthur David Benjamin Daniel Francis Harry Albert Peter Isaac Edwin Stephen"
).split()
_VICTORIAN_WOMEN = (
    "Mary Elizabeth Sarah Ann Eliza Jane Ellen Emma Margaret Hannah Alice Emily Martha Catherine "
    "Harriet Annie Caroline Charlotte Susannah Fanny Maria Agnes Lucy Rebecca Rachel Isabella"
).split()
_ENGLISH_SPELLINGS = (
    ("th", "t"), ("y", "i"), ("i", "y"), ("ll", "l"), ("son", "sen"), ("ck", "k"), ("e", ""),
    ("ey", "y"), ("ea", "ee"), ("nn", "n"), ("ow", "ou"), ("ph", "f"), ("tt", "t"),
)  # fmt: skip
_TRADES = (
    "agricultural labourer,servant,weaver,miner,farmer,dressmaker,carpenter,blacksmith,shoemaker,"
    "grocer,cotton spinner,mason,carter,scholar,tailor,gardener,laundress,butcher,joiner,porter"
).split(",")


_STREETS = (
    "Church Mill High Chapel Bridge Market North South Station Queen King Albert Victoria Well "
    "Castle Cross Green Water Back School Union Water Prospect Spring"
).split()
_WAYS = ("Street", "Lane", "Row", "Road")
Household = tuple[Values, list[Values]]
"""A house, and who lives in it."""


class _County:
    """People of some towns, by household."""

    def __init__(self, chance: Random) -> None:
        """Begin with nobody."""
        self.chance, self.number = chance, 0
        self.families = Frequent.shuffled(list(of_faker("en_GB").last_names), seed=31, flat=20)
        self.given = {
            "M": Frequent.ranked(_VICTORIAN_MEN),
            "F": Frequent.ranked(_VICTORIAN_WOMEN),
        }
        self.towns = [
            f"{start}{end}"
            for start in "Ash Kirk Nor Wal Hel Thorn".split()
            for end in "by ton ham wick ford".split()
        ]

    def person(self, family: str, sex: str, birth: int, town: str, given: str = "") -> Values:
        """Return somebody new."""
        chance, self.number = self.chance, self.number + 1
        return {
            "entity": str(self.number),
            "forename": given or self.given[sex].draw(chance),
            "surname": family,
            "sex": sex,
            "year of birth": str(birth),
            "birth place": town if chance.random() < 0.7 else chance.choice(self.towns),
            "occupation": chance.choice(_TRADES),
        }

    def home(self) -> Values:
        """Return a house."""
        chance = self.chance
        return {
            "town": chance.choice(self.towns),
            "street": f"{chance.choice(_STREETS)} {chance.choice(_WAYS)}",
            "house number": str(chance.randint(1, 120)),
        }

    def children(self, parents: list[Values], since: int, until: int, town: str) -> list[Values]:
        """Return the children born in some years; one in five is called after a parent."""
        father, mother = parents
        birth = int(mother["year of birth"])
        found: list[Values] = []
        for year in range(max(since, birth + 18), min(until, birth + 44) + 1):
            if self.chance.random() < 0.3:
                sex = self.chance.choice("MF")
                taken, given = {child["forename"] for child in found}, ""
                if self.chance.random() < 0.2:
                    given = (father if sex == "M" else mother)["forename"]
                while not given or given in taken:
                    given = self.given[sex].draw(self.chance)
                found.append(self.person(father["surname"], sex, year, town, given))
        return found

    def household(self) -> Household:
        """Return a family at home in 1871, one in five with a servant or lodger."""
        chance, there = self.chance, self.home()
        birth, town = chance.randint(1805, 1848), there["town"]
        father = self.person(self.families.draw(chance), "M", birth, town)
        mother = self.person(father["surname"], "F", birth + chance.randint(-4, 6), town)
        parents = [father, mother]
        members = [*parents, *self.children(parents, birth + 22, 1871, town)]
        members = [member for member in members if chance.random() > 0.08]
        if chance.random() < 0.2:
            family, sex = self.families.draw(chance), chance.choice("MF")
            members.append(self.person(family, sex, chance.randint(1830, 1856), town))
        return there, members

    def later(self, households: list[Household]) -> list[Household]:
        """Return who is at home in 1881: some have died, gone away, moved or married."""
        chance = self.chance
        lone: dict[str, list[Values]] = {"M": [], "F": []}
        found: list[Household] = []
        for there, members in households:
            stay: list[Values] = []
            if chance.random() < 0.35:
                new = self.home()
                there = {**new, **({"town": there["town"]} if chance.random() < 0.6 else {})}
            for member in members:
                age = 1881 - int(member["year of birth"])
                if chance.random() < 0.08 + max(0, age - 45) * 0.012 or chance.random() < 0.1:
                    continue
                marries = 21 <= age <= 35 and chance.random() < 0.55
                (lone[member["sex"]] if marries else stay).append(member)
            if stay:
                found.append((there, stay))
        for man, woman in zip(lone["M"], lone["F"], strict=False):
            there, bride = self.home(), {**woman, "surname": man["surname"]}
            born = self.children([man, bride], 1874, 1881, there["town"])
            found.append((there, [man, bride, *born]))
        return found


def census(chance: Random) -> Iterator[Line]:
    """Yield two counts: who lived on is met again, older, elsewhere or married."""
    county = _County(chance)
    households = [county.household() for _ in range(1500)]
    for there, members in households:
        for member in members:
            yield _counted(chance, "census1871", member, there)
    for there, members in county.later(households):
        for member in members:
            if chance.random() < 0.4:
                member = {**member, "occupation": chance.choice(_TRADES)}
            yield _counted(chance, "census1881", member, there)


def _counted(chance: Random, source: str, member: Values, there: Values) -> Line:
    """Return what the enumerator wrote."""
    cells = {**member, **there}
    entity = cells.pop("entity")
    if chance.random() < 0.15:
        cells["forename"] = _SHORT.get(cells["forename"], cells["forename"])
    if chance.random() < 0.08:
        cells["surname"] = varied(chance, cells["surname"], _ENGLISH_SPELLINGS)
    for name in ("forename", "surname", "street", "birth place"):
        if chance.random() < 0.03:
            cells[name] = typo(chance, cells[name])
    shift = chance.choices([0, 1, -1, 2, -2, 5], [60, 15, 12, 5, 5, 3])[0]
    cells["year of birth"] = str(int(cells["year of birth"]) + shift)
    return Line(
        source,
        entity,
        without(
            chance,
            cells,
            {"birth place": 0.05, "occupation": 0.2, "year of birth": 0.02, "house number": 0.5},
        ),
    )


_FRENCH_SPELLINGS = (
    ("f", "ph"), ("ault", "aud"), ("eau", "aut"), ("i", "y"), ("ss", "c"), ("er", "ier"),
    ("c", "qu"), ("en", "an"), ("an", "en"), ("t", "th"), ("l", "ll"), ("n", "nn"), ("ai", "é"),
    ("é", "ai"), ("ou", "oux"), ("s", ""), ("d", "t"), ("g", "gu"), ("ot", "aut"), ("r", "rr"),
)  # fmt: skip
_PARISH_MEN = (
    "Jean Pierre François Jacques Louis Antoine Étienne Joseph Nicolas Claude Guillaume Michel "
    "Charles André Mathieu Laurent Julien René Gilles Denis"
).split()
_PARISH_WOMEN = (
    "Marie Jeanne Anne Françoise Marguerite Catherine Louise Madeleine Perrine Renée Julienne "
    "Élisabeth Geneviève Mathurine Charlotte Michelle Barbe Claudine Toinette Guillemette"
).split()
_PARISHES = (
    "Saint-Aubin Plélan Guer Campénéac Paimpont Mauron Concoret Ploërmel Beignon Augan Tréal "
    "Monteneuf"
).split()
_PARISH_TRADES = (
    "laboureur journalier tisserand maréchal meunier charpentier cabaretier notaire domestique "
    "filandière"
).split()


def parish(chance: Random) -> Iterator[Line]:
    """Yield baptisms, marriages and burials of some parishes; dates are partly missing."""
    families = Frequent.shuffled(list(of_faker("fr_FR").last_names), seed=41, flat=20)
    men, women = (Frequent.ranked(words) for words in (_PARISH_MEN, _PARISH_WOMEN))
    for number in range(4500):
        sex = chance.choice("MF")
        given = (men if sex == "M" else women).draw(chance)
        if chance.random() < 0.2:
            given += " " + chance.choice(_PARISH_MEN if sex == "M" else _PARISH_WOMEN)
        day = born(chance, 1700, 1780)
        year, month, date = day.split("-")
        values = {
            "prénom": given,
            "nom": families.draw(chance),
            "sexe": sex,
            "date de naissance": f"{date}/{month}/{year}",
            "commune": chance.choice(_PARISHES),
            "profession": chance.choice(_PARISH_TRADES),
        }
        acts = [
            "baptisms",
            *(
                act
                for act, share in (("marriages", 0.45), ("burials", 0.5))
                if chance.random() < share
            ),
        ]
        for act in acts:
            yield Line(act, str(number), _in_register(chance, act, values))


def _in_register(chance: Random, act: str, values: Values) -> Values:
    cells = dict(values)
    if chance.random() < 0.25:
        cells["nom"] = varied(chance, cells["nom"], _FRENCH_SPELLINGS)
    if chance.random() < 0.05:
        cells["prénom"] = varied(chance, cells["prénom"], _FRENCH_SPELLINGS)
    if " " in cells["prénom"] and chance.random() < 0.4:
        cells["prénom"] = chance.choice(cells["prénom"].split())
    if act != "baptisms":
        year = (
            int(cells["date de naissance"][-4:])
            + chance.choices([0, 1, -1, 3, -5], [50, 18, 18, 8, 6])[0]
        )
        if chance.random() < 0.75:
            cells["date de naissance"] = str(year)
        if chance.random() < 0.25:
            cells["commune"] = chance.choice(_PARISHES)
        missing = {"date de naissance": 0.3, "profession": 0.3, "sexe": 0.1}
    else:
        missing = {"profession": 1.0}
    return without(chance, cells, missing)
