"""Towns, streets and addresses of the demo company, in the forms people write them."""

from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from random import Random

from faker.providers.address.fr_FR import Provider as FrenchAddresses
from faker.providers.person.fr_FR import Provider as FrenchPersons

# Large towns with their rough share of customers; small ones are invented in Faker's departments.
_LARGE_TOWNS = (
    *((f"750{n:02d}", "Paris", 4) for n in range(1, 21)),
    *((f"6900{n}", "Lyon", 4) for n in range(1, 10)),
    *((f"130{n:02d}", "Marseille", 4) for n in range(1, 17)),
    ("31000", "Toulouse", 25), ("06000", "Nice", 20), ("44000", "Nantes", 18),
    ("34000", "Montpellier", 16), ("67000", "Strasbourg", 15), ("33000", "Bordeaux", 15),
    ("59000", "Lille", 14), ("35000", "Rennes", 13), ("51100", "Reims", 10),
    ("83000", "Toulon", 10), ("42000", "Saint-Étienne", 10), ("76600", "Le Havre", 9),
    ("38000", "Grenoble", 9), ("21000", "Dijon", 9), ("49000", "Angers", 9),
    ("30000", "Nîmes", 8), ("69100", "Villeurbanne", 8), ("63000", "Clermont-Ferrand", 8),
    ("72000", "Le Mans", 8), ("29200", "Brest", 8), ("13100", "Aix-en-Provence", 8),
    ("37000", "Tours", 8), ("80000", "Amiens", 8), ("87000", "Limoges", 7),
    ("74000", "Annecy", 7), ("66000", "Perpignan", 7), ("25000", "Besançon", 7),
    ("45000", "Orléans", 7), ("57000", "Metz", 7), ("76000", "Rouen", 7),
    ("68100", "Mulhouse", 6), ("14000", "Caen", 6), ("54000", "Nancy", 6),
    ("59200", "Tourcoing", 5), ("06400", "Cannes", 4), ("01000", "Bourg-en-Bresse", 4),
    ("02100", "Saint-Quentin", 4), ("05000", "Gap", 3), ("08000", "Charleville-Mézières", 4),
    ("56100", "Lorient", 4),
)  # fmt: skip
_SMALL_TOWN_SHARE = 0.45
_SMALL_TOWN_COUNT = 1500

_WAYS = (
    *("rue",) * 6, "avenue", "avenue", "boulevard", "chemin", "impasse", "place", "allée", "route",
    "quai", "square",
)  # fmt: skip
_COMMON_STREETS = (
    "de la République", "de l'Église", "de la Gare", "du Moulin", "des Acacias", "Victor-Hugo",
    "Pasteur", "Jean-Jaurès", "du Général-de-Gaulle", "des Lilas", "de la Fontaine",
    "du 8-Mai-1945", "Jules-Ferry", "des Écoles", "de Verdun", "Émile-Zola", "du Château",
    "de la Mairie", "des Tilleuls", "Gambetta", "de la Paix", "Saint-Martin", "du Stade",
    "des Vignes", "Pierre-et-Marie-Curie", "Anatole-France", "du Lavoir", "des Cerisiers",
    "Carnot", "de Bretagne", "du Faubourg-Saint-Antoine", "Notre-Dame", "des Deux-Sœurs",
    "de la Libération", "Voltaire",
)  # fmt: skip
_COMPLEMENTS = (
    "Appt {n}", "Bât {l}", "Étage {n}", "Résidence du Parc", "Esc. {n}", "Résidence Les Pins",
    "Chez M. Lebrun",
)  # fmt: skip
ABBREVIATIONS = {
    "avenue": ("av", "AV.", "ave"), "boulevard": ("bd", "Bd", "bld"), "chemin": ("che", "ch."),
    "impasse": ("imp",), "place": ("pl", "PL."), "allée": ("all",), "route": ("rte", "RTE"),
    "square": ("sq",), "rue": ("r.", "R"), "Saint-": ("St ", "St-"), "Sainte-": ("Ste ",),
    "Faubourg": ("Fbg",), "Général": ("Gal",), "Résidence": ("Rés.",),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Address:
    """One home as its household would write it with care."""

    number: str
    way: str
    street: str
    complement: str
    postcode: str
    city: str

    @property
    def line(self) -> str:
        """Give the street line: `12 bis rue de la Gare`."""
        return f"{self.number} {self.way} {self.street}".strip()


@cache
def _towns() -> tuple[list[tuple[str, str]], list[float]]:
    """Give (postcode, town) and cumulative weights: large towns, then invented small ones."""
    rng = Random(33)  # noqa: S311 - the same towns in every company
    large = sum(weight for *_, weight in _LARGE_TOWNS)
    share = large * _SMALL_TOWN_SHARE / (1 - _SMALL_TOWN_SHARE) / _SMALL_TOWN_COUNT
    small = [_invent_town(rng) for _ in range(_SMALL_TOWN_COUNT)]
    towns = [(postcode, town) for postcode, town, _ in _LARGE_TOWNS] + small
    weights = [float(weight) for *_, weight in _LARGE_TOWNS] + [share] * len(small)
    return towns, list(accumulate(weights))


def _invent_town(rng: Random) -> tuple[str, str]:
    departments = [
        code for code, _ in FrenchAddresses.departments if code.isdigit() and len(code) == 2
    ]
    postcode = f"{rng.choice(departments)}{rng.randrange(10, 99)}0"
    name = rng.choice(FrenchPersons.last_names)
    saint = f"Saint-{rng.choice(FrenchPersons.first_names_male)}"
    endings = (
        "-sur-Mer",
        "-les-Bains",
        "-la-Forêt",
        "-le-Château",
        "-en-Plaine",
        "-sous-Bois",
        "-Ville",
        "ac",
        "",
    )
    return postcode, (saint if rng.random() < 0.35 else name) + rng.choice(endings)


def _draw_street(rng: Random) -> str:
    if rng.random() < 0.5:  # the names every town has, the first ones most often
        return _COMMON_STREETS[int(len(_COMMON_STREETS) * rng.random() ** 1.6)]
    family = rng.choice(FrenchPersons.last_names)
    if rng.random() < 0.3 and " " not in family:
        return f"des {family.rstrip('sxz')}s"
    return f"{rng.choice(FrenchPersons.first_names)} {family}"


def draw_address(rng: Random) -> Address:
    """Draw a home: a town by size, a street by how common its name is."""
    towns, cumulative = _towns()
    postcode, city = rng.choices(towns, cum_weights=cumulative)[0]
    number = str(rng.randrange(1, 200))
    if rng.random() < 0.05:
        number += rng.choice((" bis", " ter", "B"))
    complement = ""
    if rng.random() < 0.15:
        complement = rng.choice(_COMPLEMENTS).format(n=rng.randrange(1, 60), l=rng.choice("ABCDE"))
    return Address(number, rng.choice(_WAYS), _draw_street(rng), complement, postcode, city)
