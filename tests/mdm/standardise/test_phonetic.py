"""Names that sound alike in French share a code; names that do not, do not.

The pairs are made by hand, and the floors only rise. FONEM as published finds 22 of 30 such pairs
and joins none that differ; this code must do better.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdm.standardise.phonetic import phonetic_code
from tests.effort import takes_at_most

ALIKE = """
Lefebvre Lefèvre, Lefebvre Lefebure, Renault Renaud, Renaud Reynaud, Philippe Filip,
Guillaume Guilhaume, Bouchet Boucher, Bouchez Boucher, Benoît Benoist, Christophe Cristof,
Thibault Thibaud, Gauthier Gautier, Dupond Dupont, Durand Durant, Martineau Martinot,
Lemaître Lemaistre, Le_Goff Legoff, Saint-Martin St_Martin, Sainte-Marie Ste_Marie,
Mathieu Matthieu, Rémi Rémy, Hervé Ervé, Michaud Michaux, Arnaud Arnault, Chesneau Chêneau,
Chauveau Chauvot, Mercier Mersier, Caron Karon, Dubois Duboy, Girault Giraud, Faure Fort,
Kervella Quervella, Baudouin Baudoin, Bernard Bernart, Picquet Piquet, Leclerc Leclercq,
Quéré Kéré, Blanchet Blancher, Jacquet Jaquet, Sylvie Silvi, Perrault Perrot, Hébert Ébert,
Dominique Dominik, Étienne Étiene, de_Villiers Villier, Schmitt Schmit, Moreau Morau,
Pelletier Peltier, Besson Beson, Roussel Rousel
"""
DIFFERENT = """
Dupont Dupuis, Martin Morin, Bernard Bénard, Petit Petiot, Robert Roger, Richard Ricard,
Durand Durin, Moreau Maury, Simon Simonin, Laurent Laurin, Michel Michaud, Garcia Gracia,
Roux Roche, Vincent Vinson, Fournier Fontaine, Girard Giraud, Bonnet Bonin, Lambert Lombard,
Rousseau Roussel, Blanc Blin, Guérin Garin, Boyer Boulay, Masson Mathon, Marchand Marchais,
Duval Duvaud, Denis Denise, Lucas Lucie, Fabre Favre, Colin Collet, Leroux Leroy, Gautier Gaudin,
Meyer Mayet, Barbier Barbe, Brun Breton, Boucher Bouche
"""


def pairs(text: str) -> list[tuple[str, ...]]:
    return [tuple(name.replace("_", " ") for name in pair.split()) for pair in text.split(",")]


def same(pair: tuple[str, ...]) -> bool:
    return phonetic_code(pair[0]) == phonetic_code(pair[1])


def test_most_names_that_sound_alike_share_a_code():
    missed = [pair for pair in pairs(ALIKE) if not same(pair)]

    assert len(pairs(ALIKE)) == 50
    assert len(missed) <= 3, missed


def test_hardly_any_names_that_sound_apart_share_a_code():
    joined = [pair for pair in pairs(DIFFERENT) if same(pair)]

    assert len(pairs(DIFFERENT)) == 35
    assert len(joined) <= 1, joined


@pytest.mark.parametrize(
    ("name", "code"),
    [("Lefebvre", "LEFEVR"), ("Philippe", "FILIP"), ("Renault", "RENO"), ("", ""), ("1-2", "")],
)
def test_a_code_can_be_read_aloud(name, code):
    assert phonetic_code(name) == code


@given(st.text(st.characters(exclude_categories=[]), max_size=40))
def test_any_text_has_a_code_of_capitals(name):
    code = phonetic_code(name)

    assert code == "" or (code.isascii() and code.isalpha() and code.isupper())


@pytest.mark.parametrize(
    "nonsense", ["e" * 100_000, "aul" * 33_333, "st " * 33_333, "\ud800" * 99]
)
def test_nonsense_costs_next_to_nothing(nonsense):
    assert takes_at_most(5, lambda number: phonetic_code(nonsense[number:]))
