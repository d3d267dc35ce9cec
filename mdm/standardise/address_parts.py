"""What stands around the street in an address: flat, building, mailbox."""

import re

# How a part begins tells the line of the label it belongs to (NF Z10-011).
_INSIDE = (
    r"appartement|appt?|apt|app|étage|etage|etg|escalier|esc|porte|pte|boîte aux lettres|bal"
    r"|chez|c/o|couloir|chambre|ch|studio|logement|lgt"
)
_OUTSIDE = (
    r"bâtiment|batiment|bât|bat|immeuble|imm|résidence|residence|rés|res|entrée|entree|entr"
    r"|hall|tour|bloc|villa|pavillon|pav|porte d'entrée|centre commercial|zone"
)
_MAILBOX = r"B\.?\s?P\.?|C\.?\s?S\.?|T\.?\s?S\.?\s?A\.?|bo[iî]te postale|course sp[ée]ciale"
_INSIDE_START = re.compile(
    rf"(?:{_INSIDE})(?![^\W\d_])|\d+\s?(?:er|e|è|ème|eme)\s+(?:étage|etage)", re.IGNORECASE
)
_OUTSIDE_START = re.compile(rf"(?:{_OUTSIDE})(?![^\W_])", re.IGNORECASE)
MAILBOX = re.compile(rf"(?<![\w.])(?:{_MAILBOX})\s*(?:n[°o]?\s*)?(\d{{1,6}})(?!\w)", re.IGNORECASE)
# Behind the street: "12 rue X Bât B Appt 3". A word before it keeps "rue de la Porte" whole.
_BEHIND = re.compile(
    r"(?<=[\w.])(?:\s*[,;]\s*|\s+[-–]\s+|\s+)"
    r"(?=(?:appartement|appt|apt|bâtiment|batiment|bât|bat|escalier|esc|immeuble|imm|étage|etage)"
    r"\.?\s*[A-Z0-9]{1,4}(?:\W|$)|\d+\s?(?:er|e|ème|eme)\s+[ée]tage\b)",
    re.IGNORECASE,
)
_SEPARATOR = re.compile(r"\s*[,;]\s*|\s+[-–]\s+")


def take_mailbox(text: str) -> tuple[str, str]:
    """Return the text without its mailbox, and the mailbox as `BP 123` ("" when there is none)."""
    found = MAILBOX.search(text)
    if found is None:
        return text, ""
    kind = found[0][: found.start(1) - found.start()].upper()
    name = "TSA" if kind.startswith("T") else "CS" if kind.startswith("C") else "BP"
    rest = f"{text[: found.start()]} {text[found.end() :]}"
    return " ".join(rest.split()).strip(" ,;-"), f"{name} {found[1]}"


def take_parts(text: str, *, is_street: re.Pattern[str]) -> tuple[str, list[str]]:
    """Return the street of a line, and the flats and buildings that stood before or behind it.

    `is_street` matches a piece that starts as a street does, with its number.
    """
    pieces = [piece for piece in _SEPARATOR.split(_BEHIND.sub(", ", text)) if piece]
    parts = [piece for piece in pieces if is_part(piece) and not is_street.match(piece)]
    streets = [piece for piece in pieces if piece not in parts]
    if not parts or not streets:
        return text, []
    return ", ".join(streets), parts


def is_part(text: str) -> bool:
    """Tell whether a text starts as a flat, floor, building or the like."""
    return bool(_INSIDE_START.match(text) or _OUTSIDE_START.match(text))


def by_label_line(complement: str) -> tuple[str, str, str]:
    """Return what a complement says inside the building, outside it, and for the mail line."""
    rest, mailbox = take_mailbox(complement)
    inside, outside, other = [], [], []
    for piece in filter(None, _SEPARATOR.split(_BEHIND.sub(", ", rest))):
        if _INSIDE_START.match(piece):
            inside.append(piece)
        elif _OUTSIDE_START.match(piece):
            outside.append(piece)
        else:
            other.append(piece)
    # What nobody can place goes outside, where La Poste expects buildings and estates.
    return ", ".join(inside), ", ".join(outside + other), mailbox
