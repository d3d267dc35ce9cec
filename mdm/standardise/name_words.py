"""The words that stand around names: titles, couples, fillers, particles, birth and marriage."""

import re

_MEN = (
    "m mr monsieur mister mons sir herr herrn hr sr senor don dom signore sig sgr dhr heer meneer "
    "pan senhor snr"
)
_WOMEN = (
    "mme mmme madame mlle mle mademoiselle mrs ms miss mx lady frau fraulein sra senora srta "
    "senorita dona signora signorina sigra mevr mevrouw mw mej pani senhora"
)
TITLES = frozenset(
    "dr docteur pr prof professeur me maitre doctor doktor doutor dott dottore dottssa ing abbe "
    "pere rev colonel capitaine general".split()
)
COMPANY_WORDS = frozenset("ste societe sarl sas sasu ets".split())
CIVILITIES = (
    dict.fromkeys(_MEN.split(), "mr")
    | dict.fromkeys(_WOMEN.split(), "mrs")
    | dict.fromkeys(TITLES, "")
    | dict.fromkeys(COMPANY_WORDS, "")
    | {"mx": "", "sig ra": "mrs", "dott ssa": "mrs"}
)
SEX_OF_CIVILITY = {"mr": "m", "mrs": "f", "": ""}
SEXES = (
    dict.fromkeys("m h homme male masculin man mann hombre uomo 1 mr monsieur herr".split(), "m")
    | dict.fromkeys(
        "f femme female feminin woman w frau mujer donna 2 mme madame mlle".split(), "f"
    )
    | dict.fromkeys(["", "0", "9", "u", "x", "d", "nc", "unknown", "inconnu"], "")
)

_HIM = r"(?:m|mr|monsieur|dr|docteur|herr|sr|señor|sig|signor|dhr)"
_HER = r"(?:mme|madame|mrs|ms|frau|sra|señora|sig\.?ra|signora|mevr)"
_AND = r"(?:\.?\s*(?:et|ou|und|and|y|en|&|/|-|\+)\s*|\.?\s+)"
COUPLE = re.compile(
    rf"^(?:{_HIM}{_AND}{_HER}|{_HER}{_AND}{_HIM}|messieurs|mesdames|messrs"
    r"|famille|fam\.|consorts|indivision|succession|h[ée]ritiers|familie|familia)"
    r"\.?(?!\S)\s*",
    re.IGNORECASE,
)
TWO_GIVEN_NAMES = re.compile(
    r"^[^\W\d_][\w'.-]+\s+(?:et|ou|und|and|&|\+)\s+[^\W\d_][\w'.-]+", re.IGNORECASE
)
TWO_NAMES = re.compile(
    r"(?<![^\s,])([^\W\d_][\w'.-]+)\s+(?:et|ou|und|and|&|\+)\s+([^\W\d_][\w'.-]+)(?![^\s,])",
    re.IGNORECASE,
)

PLACEHOLDERS = frozenset(
    "test tests testtest inconnu inconnue unknown nc na nr anonyme anonymous client cliente "
    "comptoir neant aucun null none azerty qwerty asdf toto nom prenom monsieur madame doublon "
    "divers supprime prospect vide".split()
) | {
    "x", "n a", "n c", "client comptoir", "client divers", "client passage", "client web",
    "non renseigne", "non communique", "non connu", "sans nom", "sans prenom", "nom inconnu",
    "prenom inconnu", "a completer", "a renseigner", "ne pas utiliser", "nom prenom",
}  # fmt: skip
ONE_LETTER = re.compile(r"([a-z])\1{2,}")

# Du Bellay apart, these stand in small letters inside a family name; "Le", "La", "Da" do not.
SMALL_PARTICLES = frozenset("de du des van von der den zu zum zur ten ter".split())
# All that a list may leave out; the key without them makes "de La Tour" and "Tour" meet.
PARTICLES = SMALL_PARTICLES | frozenset(
    "d da das del della dello di do dos el al ben bin ibn la le les l mac mc o af av y".split()
)

_BIRTH_WORDS = (
    r"(?:née|nee|né|né\(e\)|n[ée]e?\s*:|[ée]pouse|[ée]pse|[ée]p\.?|veuve|vve\.?|veuf|divorc[ée]e|div\."
    r"|born|geb\.?|geborene)"
)
BIRTH_WORD = re.compile(rf"(?<![^\s,(]){_BIRTH_WORDS}(?!\S)", re.IGNORECASE)
BIRTH = re.compile(
    rf"^(?P<before>.*?)[\s,(]*(?<![^\s,(])(?P<word>{_BIRTH_WORDS})\s+(?P<after>\S.*)$",
    re.IGNORECASE,
)
# After these stands the name at birth, after the others the one by marriage.
_OF_BIRTH = ("n", "born", "geb")


def tells_birth(word: str) -> bool:
    """Tell whether the name at birth follows this folded word, and not the married one."""
    return word.startswith(_OF_BIRTH)
