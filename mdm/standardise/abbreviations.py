"""Words of French addresses in full and shortened: one table, read both ways.

Addresses are stored in full; a postal label shortens only what does not fit (NF Z10-011).
"""

from mdm.standardise.text import fold

# Full form: the short form of labels, then other forms people type.
_STREET_TYPES = """
allée: all, allee
allées: all, allees
avenue: av, ave, aven
boulevard: bd, bld, blvd, boul, bvd
carrefour: car, carref
chaussée: chs, chee, chaussee
chemin: che, ch, chem
cité: cite
clos: clos
corniche: cor
cours: crs
domaine: dom
esplanade: esp
faubourg: fg, fbg
hameau: ham
impasse: imp
lieu-dit: ld, lieu dit, lieudit
lotissement: lot
montée: mte, montee
passage: pas, pass, psg
place: pl
promenade: prom
quai: qu, quai
quartier: qua, quart
résidence: res, resid, residence
rond-point: rpt, rond point
route: rte, rout
rue: r
ruelle: rle
sente: sen
sentier: sent
square: sq
traverse: tra, trav
venelle: ven
villa: vla
voie: voie
ZA: za
ZAC: zac
ZI: zi
"""
_WORDS = """
Saint: st
Sainte: ste
Général: gal, gen
Maréchal: mal
Colonel: col
Capitaine: cne, cap
Commandant: cdt
Lieutenant: lt
Président: pdt
Docteur: dr
Professeur: pr
Faubourg: fg, fbg
"""
# Shortened on labels; as typed they could mean something else.
_LABEL_WORDS = """
appartement: apt
bâtiment: bat
centre commercial: c cial
entrée: ent
escalier: esc
étage: etg
immeuble: imm
pavillon: pav
porte: pte
Grand: gd
Grande: gde
Notre Dame: nd
Monsieur: m
Madame: mme
Société: ste
Établissements: ets
"""
# Short forms that are whole words of their own inside a street's name ("rue du Col").
_NEVER_INSIDE = frozenset(["col", "cap", "lt", "pr", "cne"])


def _read(table: str) -> dict[str, list[str]]:
    lines = (line.partition(":") for line in table.strip().splitlines())
    return {full: [form.strip() for form in forms.split(",")] for full, _, forms in lines}


def _full_forms(table: str) -> dict[str, str]:
    read = _read(table)
    forms = {form: full for full, shorts in reversed(read.items()) for form in shorts}
    return forms | {fold(full): full for full in read}


STREET_TYPES = _full_forms(_STREET_TYPES)
"""Folded form → street type in full."""
WORDS_IN_FULL = {
    form: full for full, forms in _read(_WORDS).items() for form in forms
    if form not in _NEVER_INSIDE
}  # fmt: skip
"""Folded short form → word in full, inside the name of a street or town."""
ON_LABELS = {
    fold(full).upper(): forms[0].upper()
    for table in (_LABEL_WORDS, _WORDS, _STREET_TYPES)
    for full, forms in _read(table).items()
}
"""Word in capitals → its short form on a label."""
