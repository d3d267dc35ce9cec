"""A phonetic code for French names: names that sound alike in French share it.

After FONEM (Bouchard, Brard, Lavoie, "FONEM : un code de transcription phonétique pour la
reconstitution automatique des familles saguenayennes", Population 36-6, 1981, p. 1085-1103): the
name is rewritten from left to right of the table below, spelling by spelling, and what is left
can be read aloud. To their vowels and consonants come rules of our own, marked "+": letters that
nobody pronounces at the end, learned letters (th, ch before a consonant, ph), and the spellings
that parted with the printers of the 17th century (-bv-, -lt, -ld, -st).

A code is a key to find candidates by, no evidence: Maure and Mort share one.
"""

import re
from functools import lru_cache

from mdm.standardise.text import fold

_V, _C = "AEIOUY", "BCDFGHJKLMNPQRSTVWXZ"

# In this order; each line is (spelling, sound). `{V}` is a vowel, `{C}` a consonant.
_RULES = (
    # Saints and noble particles are written in many ways, or left out.
    (r"\b(?:SAINTE|STE)\b", "SAINT"),
    (r"\bST\b", "SAINT"),
    (r"^(?:DE|DU|DES|D) (?=.)", ""),  # +
    (r"\bMC|\bMAC(?=[{C}])", "MAK"),
    (r"[^A-Z]", ""),
    # Learned and foreign letters.
    (r"PH", "F"),
    (r"TH", "T"),  # +
    (r"SCH|SH", "CH"),
    (r"CH(?=[BDFGJKLMNPQRTVZ])", "K"),  # + Christophe, but not Chevalier
    (r"(?<=[AO])CH$", "K"),  # + Bach, Roch
    (r"GUILH", "GUILL"),  # + Guilhem: the spelling of the south
    (r"LH(?=[{V}])", "L"),
    (r"(?<![CPS])H", ""),
    (r"W", "V"),
    (r"C?K+|CQU?|QU?(?![{C}])|Q", "K"),
    # Letters kept by printers and spoken by nobody.
    (r"FE(?:BV|BU|VB|B)(?=R)", "FEV"),  # + Lefebvre, Lefebure
    (r"BV", "V"),
    (r"(?<=[{V}])S(?=T$)|(?<=[AO]I)S(?=T)", ""),  # + Benoist, Lemaistre
    (r"(?<=[EUO])S(?=[NLM])", ""),  # + Chesneau, Meslier
    (r"(?<=[AEO]U)L(?=[TDX]S?$)", ""),  # Renault, Rigauld, Thiboult
    # Groups of vowels.
    (r"GE(?=[AO])", "J"),
    (r"GU(?=[EI])", "G#"),  # kept hard until g before e and i is through
    (r"OUIN$", "OIN"),  # + Baudouin
    (r"E?AU[XTDS]*(?=$|[{C}])|E?AUX?", "O"),
    (r"(?<=[{V}])ILLE?|(?<=[{V}])IL$", "Y"),
    (r"AY(?=[{V}])", "EY"),
    (r"[AE]Y(?![{V}])|AI(?![MN](?:[{C}]|$))|EI(?![MN](?:[{C}]|$))", "E"),
    (r"Y(?![{V}])", "I"),
    (r"OU(?=[AEO])", "V"),
    # Nasal vowels; a doubled m or n opens the vowel again.
    (r"(?:[AE]IM|AIN|EIN|YM|YN|IM)(?=[{CX}]|$)", "IN"),
    (r"[AE]M(?=[BP])|EN(?=[{CX}])|EM(?=[{CT}])", "AN"),
    (r"OM(?=[BPT])", "ON"),
    (r"UM(?=[BP]|$)", "UN"),
    # Consonants before e and i.
    (r"SC(?=[EI])", "S"),
    (r"CC(?=[EI])", "X"),
    (r"C(?=[EI])", "S"),
    (r"C(?![HEI])", "K"),
    (r"G(?=[EI])", "J"),
    (r"#", ""),
    (r"(?<=GN)I(?=[{V}])", ""),
    (r"(?<=[{V}])S(?=[{V}])", "Z"),
    (r"TI(?=ON$|EN$)", "SI"),
    (r"TZ|X(?=[SZ])", "S"),
    # Ends that are not heard.
    (r"(?<=..)(?:ER|ET|EZ|ED|EE)[ST]?$", "e"),  # + Boucher, Bouchet, Bouchez, but not Bouche
    (r"(?<=.[{V}])[TDGXSZ]+$|(?<=M)PS?$", ""),
    (r"(?<=[RLN])[TDSXZPGC]+$", ""),
    (r"(?<=..)E$", ""),
    # One sound, one letter.
    (r"([{C}])\1+", r"\1"),
    (r"([{V}])\1+", r"\1"),
)
_LONGEST = 100


def _compiled() -> tuple[tuple[re.Pattern[str], str], ...]:
    letters = {"V": _V, "C": _C, "CX": "BCDFGJKLPQRSTVWXZ", "CT": "BCDFGJKLPQRSTVXZ"}
    return tuple(
        (re.compile(re.sub(r"\{(V|C|CX|CT)\}", lambda f: letters[f[1]], rule)), sound)
        for rule, sound in _RULES
    )


_COMPILED = _compiled()


@lru_cache(maxsize=1 << 16)
def phonetic_code(name: str) -> str:
    """Return how a name sounds in French, in capitals: `Lefebvre` and `Lefèvre` are `LEFEVR`.

    "" when the name holds no letter. The code stands for the whole name, blanks left out.
    """
    code = fold(name[:_LONGEST]).upper()
    for spelling, sound in _COMPILED:
        code = spelling.sub(sound, code)
    return code.upper()
