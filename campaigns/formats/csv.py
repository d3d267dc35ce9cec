"""CSV as spreadsheets in France open it: UTF-8 with a mark, semicolons, CRLF, RFC 4180 quotes.

A cell that a spreadsheet would take for a formula gets an apostrophe in front (OWASP ASVS
1.2.10). A telephone number in E.164 form (`+` and digits only) is left as it is: it computes
nothing, and what sends messages must be able to read it.
"""

import csv
import re
from collections.abc import Iterable, Sequence
from io import TextIOWrapper
from typing import IO

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "'")
_PHONE = re.compile(r"\+[0-9]{6,15}")


def write(file: IO[bytes], header: Sequence[str], rows: Iterable[Sequence[str]]) -> int:
    """Write a header and rows. Returns the number of rows."""
    text = TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=True)
    writer = csv.writer(text, delimiter=";", quoting=csv.QUOTE_MINIMAL, lineterminator="\r\n")
    writer.writerow([neutral(cell) for cell in header])
    count = 0
    for row in rows:
        writer.writerow([neutral(cell) for cell in row])
        count += 1
    text.flush()
    text.detach()  # The file stays open: its owner reads it back.
    return count


def neutral(cell: str) -> str:
    """Return the cell such that no spreadsheet computes it; a NUL is dropped.

    An apostrophe in front is doubled, so that what was added can be told from what was there.
    """
    cell = cell.replace("\x00", "")
    if cell.lstrip(" ").startswith(_FORMULA) and not _PHONE.fullmatch(cell):
        return f"'{cell}"
    return cell
