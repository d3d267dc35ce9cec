"""What people type where they know nothing: `n/c`, `néant`, `-`; names have their own list."""

from mdm.standardise.text import fold

_LONGEST = 24
_FIGURES = frozenset("0123456789")
_FILLERS = frozenset(
    "nc na nr nsp x xx xxx inconnu inconnue unknown neant aucun aucune null none nan vide".split()
) | {
    "n a", "n c", "n r", "non renseigne", "non renseignee", "non communique", "non communiquee",
    "non connu", "non connue", "a completer", "a renseigner", "adresse inconnue", "sans adresse",
    "sans email", "sans mail", "sans telephone", "pas d email", "pas de mail", "pas d adresse",
    "pas de telephone", "pas de tel", "sans objet", "not available", "not applicable",
}  # fmt: skip


def is_filler(value: str) -> bool:
    """Tell whether a cleaned value that is not blank says that nothing is known."""
    if len(value) > _LONGEST or value[:1] in _FIGURES:  # A number of a street, a postcode.
        return False
    folded = fold(value)
    return bool(value) and (not folded or folded in _FILLERS)
