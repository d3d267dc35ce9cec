"""Lines of a table that are nobody: sums (*Sous-total : 1 204*), and headers of other tables."""

import re

from mdm.loading.rows import Cells, RowReader
from mdm.proposals.headers import is_known_name

_TOTAL = re.compile(
    r"\W*(?:grand[- ]?|sous[- ]?|sub[- ]?)?(?:total|totals|totaux)"
    r"(?: (?:général|general|global|clients?|customers?|contacts?|lignes|rows|records))?"
    r"[\s:=]*[\d\s.,]*\W*"
    # With words of its own it has its number beside them: "Total adhérents : 8".
    r"|(?:total|nombre de|nb de|number of)(?: [^\W\d]+){1,3}\s*[:=]\s*[\d\s.,]+",
    re.IGNORECASE,
)
# The pattern takes the cube of a text's length to refuse it.
_LONGEST = 80


def what_else(cells: Cells, reader: RowReader) -> str:
    """Return the reason why a row is rejected that is no customer; "" where it is one."""
    first = next((text for text in cells.values() if text.strip()), "")
    if len(first) <= _LONGEST and _TOTAL.fullmatch(first):
        return "total" if _is_total(first, cells, reader) else ""
    return "other_header" if _is_header(first, cells) else ""


def _is_header(first: str, cells: Cells) -> bool:
    """Tell whether a row holds nothing but names that columns have, two at least."""
    # What most rows begin with, a number or an address, is no name of a column.
    if first[-1:].isdigit() or "@" in first or not is_known_name(first):
        return False
    said = [text for text in cells.values() if text.strip()]
    return len(said) > 1 and all(map(is_known_name, said))


def _is_total(first: str, cells: Cells, reader: RowReader) -> bool:
    """Tell whether a row says nothing but the word for a total, its first, and numbers.

    A company called Total has a number of its own, or an address, or a permission.
    """
    rest = {name: "" if text == first else text for name, text in cells.items()}
    numbered = reader.keys.column and rest[reader.keys.column].strip()
    return not numbered and reader.read(rest).says_nothing
