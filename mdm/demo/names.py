"""Given names by generation and family names by frequency, with the nicknames people use.

Faker draws every name of its lists equally often. Real names follow a falling curve, and
matching lives on that curve (a shared rare name says much, a shared "Martin" little), so the
lists get weights here.
"""

from itertools import accumulate
from random import Random
from typing import Literal

from faker.providers.person.fr_FR import Provider as FrenchPersons

Sex = Literal["F", "M"]

# The most given names of each generation, by frequency (Faker has hardly any born after 1980).
_MEN_BY_GENERATION = {
    1930: (
        "Jean Pierre André Michel René Jacques Roger Marcel Robert Georges Claude Louis "
        "Henri Maurice Paul"
    ),
    1945: (
        "Michel Jean Alain Gérard Bernard Daniel Jean-Pierre Christian Jean-Claude Patrick "
        "Philippe Serge Yves"
    ),
    1960: (
        "Philippe Patrick Pascal Éric Thierry Laurent Bruno Didier Dominique Frédéric Marc "
        "Olivier Franck Hervé"
    ),
    1975: (
        "Christophe Nicolas Sébastien David Stéphane Julien Frédéric Jérôme Guillaume "
        "Cédric François Mickaël"
    ),
    1990: (
        "Thomas Kévin Alexandre Maxime Anthony Nicolas Romain Antoine Benjamin Clément "
        "Florian Quentin Jérémy"
    ),
    2000: (
        "Lucas Théo Hugo Mathis Enzo Nathan Louis Antoine Baptiste Yanis Mohamed Adrien "
        "Arthur Samuel Raphaël"
    ),
}
_WOMEN_BY_GENERATION = {
    1930: (
        "Marie Jeanne Denise Simone Jacqueline Madeleine Monique Yvette Suzanne Odette "
        "Paulette Thérèse Colette"
    ),
    1945: (
        "Monique Françoise Michèle Nicole Marie-Claude Danielle Annie Christiane Jocelyne "
        "Chantal Martine Josiane"
    ),
    1960: (
        "Sylvie Catherine Nathalie Isabelle Véronique Brigitte Christine Patricia Corinne "
        "Valérie Pascale Florence"
    ),
    1975: (
        "Sandrine Stéphanie Céline Virginie Karine Delphine Séverine Sophie Laetitia "
        "Aurélie Émilie Anne Caroline"
    ),
    1990: (
        "Marine Camille Laura Julie Marion Pauline Manon Élodie Mélanie Charlotte Justine "
        "Amandine Noémie Sarah"
    ),
    2000: (
        "Léa Chloé Manon Emma Inès Clara Jade Lola Zoé Louise Anaïs Océane Lisa Margaux "
        "Maëlys Romane Alice"
    ),
}
_COMPOUND_SECONDS: dict[Sex, str] = {
    "M": (
        "Pierre Paul Luc Marc Claude François Michel Jacques Louis Yves Philippe Baptiste "
        "Marie Noël"
    ),
    "F": (
        "Claude Christine Hélène Thérèse Laure Sophie Françoise Noëlle Pierre Line Odile "
        "Élisabeth Paule"
    ),
}

NICKNAMES = {
    "Alexandre": "Alex", "Antoine": "Toine", "Benjamin": "Benji", "Bernard": "Nanard",
    "Catherine": "Cathy", "Charlotte": "Charlie", "Christian": "Cricri", "Christine": "Chris",
    "Christophe": "Chris", "Daniel": "Dany", "Danielle": "Dany", "Dominique": "Domi",
    "Édouard": "Doudou", "Élisabeth": "Babeth", "Éric": "Rico", "Émilie": "Mimi",
    "Florence": "Flo", "Florian": "Flo", "Françoise": "Fanfan", "Frédéric": "Fred",
    "Gérard": "Gégé", "Guillaume": "Guigui", "Isabelle": "Isa", "Jacqueline": "Jackie",
    "Jérémy": "Jerem", "Joseph": "Jo", "Julien": "Juju", "Laetitia": "Laeti", "Laurent": "Lolo",
    "Margaux": "Margot", "Maxime": "Max", "Michel": "Mimi", "Mickaël": "Mika", "Nathalie": "Nat",
    "Nicolas": "Nico", "Olivier": "Oliv", "Patricia": "Pat", "Patrick": "Pat", "Philippe": "Phil",
    "Robert": "Bob", "Romain": "Rom", "Sébastien": "Seb", "Stéphane": "Steph",
    "Stéphanie": "Steph", "Sylvie": "Syl", "Théo": "Teo", "Thérèse": "Thé", "Thierry": "Titi",
    "Thomas": "Tom", "Valérie": "Val", "Véronique": "Véro", "Virginie": "Vivi",
}  # fmt: skip

# A tail of rarer names, built as French ones are: 400 names cannot tell 150,000 people apart.
_TAIL_ROOTS = (
    "Abri Alba Ancel Aubi Baill Barb Bast Beau Bell Ber Bess Blanch Bod Boiss Bonn Bouch Bour "
    "Bren Brun Cail Cam Cast Cav Cham Chap Char Chauv Clav Col Corn Coul Cour Dal Daub Del Desm "
    "Don Dorn Dub Dur Escal Fab Fall Faur Ferr Font Fourn Frem Gaill Garr Gaud Gerb Gib Gir God "
    "Grand Gren Guer Guill Haut Herb Jacqu Jol Jour Laff Lamb Land Lav Lebr Lem Lev Loub Mag "
    "Mail Mar Mass Maur Men Mich Mol Mont Mour Nav Noir Ort Pag Par Pasqu Pell Per Pich Plan "
    "Pom Port Poul Pouss Quer Rab Ram Raul Reg Ren Rib Rich Riv Roch Ross Rouss Sal Saub Sav "
    "Ser Sim Tal Tard Tess Thib Tour Trem Val Vass Ver Vid Vign Vill Vinc Voir"
)
_TAIL_ENDINGS = (
    "ac ade ain aire al and ant ard at aud ault ay eau el elle erie eron ert et eux ez ier "
    "ière illon in on ot our"
)
_PARTICLES = ("de", "de", "de La", "du", "Le", "Le", "La")
# Zipf-Mandelbrot offset: the commonest name is borne by 1 in 150, not by 1 in 8.
_FLATTENING = 25.0


class _Weighted:
    """A list to draw from with falling weights; cumulative, so that a draw costs one bisection."""

    def __init__(self, values: list[str], offset: float, steepness: float = 1.0) -> None:
        self._values = values
        weights = (1 / (rank + offset) ** steepness for rank in range(1, len(values) + 1))
        self._cumulative = list(accumulate(weights))

    def draw(self, rng: Random) -> str:
        return rng.choices(self._values, cum_weights=self._cumulative)[0]


def _given_names(generations: dict[int, str], rest: tuple[str, ...]) -> dict[int, _Weighted]:
    # Faker's names follow the generation's own: rare at any age.
    return {
        year: _Weighted(list(dict.fromkeys([*names.split(), *rest])), offset=3.0, steepness=1.3)
        for year, names in generations.items()
    }


def _family_names() -> _Weighted:
    tail = [root + ending for root in _TAIL_ROOTS.split() for ending in _TAIL_ENDINGS.split()]
    # Otherwise every name in Ab- would be common and every one in Vo- rare.
    Random(0).shuffle(tail)  # noqa: S311
    return _Weighted(list(dict.fromkeys([*FrenchPersons.last_names, *tail])), _FLATTENING)


_GIVEN: dict[Sex, dict[int, _Weighted]] = {
    "M": _given_names(_MEN_BY_GENERATION, FrenchPersons.first_names_male),
    "F": _given_names(_WOMEN_BY_GENERATION, FrenchPersons.first_names_female),
}
_FAMILY = _family_names()


def draw_given_name(rng: Random, sex: Sex, birth_year: int) -> str:
    """Draw a given name of the generation; one in twenty is compound (Jean-Luc, Marie-Laure)."""
    if rng.random() < 0.05:
        first = "Jean" if sex == "M" else rng.choice(("Marie", "Marie", "Anne"))
        return f"{first}-{rng.choice(_COMPOUND_SECONDS[sex].split())}"
    generations = _GIVEN[sex]
    return generations[max(year for year in generations if year <= max(birth_year, 1930))].draw(
        rng
    )


def draw_family_name(rng: Random) -> str:
    """Draw a family name by frequency; one in fifty carries a particle (de La Tour, Le Bellec)."""
    name = _FAMILY.draw(rng)
    return f"{rng.choice(_PARTICLES)} {name}" if rng.random() < 0.02 else name
