"""Lines that sum up a table and are nobody: *Total*, *Sous-total : 1 204*, *TOTAL GÉNÉRAL*."""

import re

from mdm.loading.rows import Cells, RowReader

_TOTAL = re.compile(
    r"\W*(?:grand[- ]?|sous[- ]?|sub[- ]?)?(?:total|totals|totaux)"
    r"(?: (?:général|general|global|clients?|customers?|contacts?|lignes|rows|records))?"
    r"[\s:=]*[\d\s.,]*\W*"
    # With words of its own it has its number beside them: "Total adhérents : 8".
    r"|(?:total|nombre de|nb de|number of)(?: [^\W\d]+){1,3}\s*[:=]\s*[\d\s.,]+",
    re.IGNORECASE,
)


def is_total(cells: Cells, reader: RowReader) -> bool:
    """Tell whether a row begins with the word for a total and, without it, says nothing.

    A company called Total has a number of its own, or an address, or a permission.
    """
    first = next((text for text in cells.values() if text.strip()), "")
    if not _TOTAL.fullmatch(first):
        return False
    rest = {name: "" if text == first else text for name, text in cells.items()}
    numbered = reader.keys.column and rest[reader.keys.column].strip()
    return not numbered and reader.read(rest).says_nothing
