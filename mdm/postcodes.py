"""The table of postcodes: loaded by an operator, read once for many records.

La Poste publishes it as "Base officielle des codes postaux" (Licence Ouverte). Without one, only
the shape of a postcode and its department are checked.
"""

import tempfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from mdm import bulk
from mdm.mapping import FileOptions
from mdm.models import PostcodeTown
from mdm.reading.rows import FileRefused, Row, Table
from mdm.reading.tables import open_table
from mdm.reading.unpacking import MAGIC, unpack
from mdm.standardise.postcodes import PostcodeTable, is_french
from mdm.standardise.text import clean, fold

_BLOCK = 1 << 20
_POSTCODES = frozenset(["code postal", "code postale", "postcode", "cp"])
_TOWNS = frozenset(
    ["nom de la commune", "nom", "nom laposte", "nom commune", "libelle d acheminement",
     "libelle acheminement", "ligne 5", "town"]
)  # fmt: skip


def load_postcodes(path: Path) -> int:
    """Replace the table by the one in a CSV or XLSX file, plain or packed. Returns its rows.

    Every spelling of a town counts: its name, what La Poste writes, the locality of line 5.

    Raises:
        FileRefused: when the file cannot be read or holds no postcode; the table stays then.
    """
    with tempfile.NamedTemporaryFile() as plain, path.open("rb") as file:
        is_packed = file.read(len(MAGIC)) == MAGIC
        file.seek(0)
        blocks = iter(lambda: file.read(_BLOCK), b"")
        plain.writelines(unpack(blocks) if is_packed else blocks)
        plain.flush()
        found = sorted(set(_towns(open_table(Path(plain.name), FileOptions(), ()))))
    if not found:
        raise FileRefused(_("The file holds no French postcode."))
    with transaction.atomic():
        PostcodeTown.objects.all()._raw_delete("default")
        bulk.insert(PostcodeTown, ("postcode", "town"), found)
    return len(found)


def table() -> PostcodeTable:
    """Return the table in force, empty when none was loaded."""
    # A new table has new keys, so its last key tells it from the one before.
    return _table_of(PostcodeTown.objects.aggregate(last=Max("pk"))["last"])


@lru_cache(maxsize=1)
def _table_of(last: int | None) -> PostcodeTable:
    if last is None:
        return PostcodeTable()
    rows = PostcodeTown.objects.order_by("postcode", "town").values_list("postcode", "town")
    return PostcodeTable.of(rows.iterator(chunk_size=10_000))


def _towns(source: Table) -> Iterator[tuple[str, str]]:
    """Yield (postcode, town) for each spelling in each row."""
    names = {name: fold(name.lstrip("#")) for name in source.columns}
    postcode_column = next((name for name, key in names.items() if key in _POSTCODES), None)
    town_columns = [name for name, key in names.items() if key in _TOWNS]
    if postcode_column is None or not town_columns:
        raise FileRefused(
            _("The file needs a column “code_postal” and one such as “nom_de_la_commune”.")
        )
    for row in source.rows():
        if not isinstance(row, Row):
            continue
        postcode = clean(row.cells[postcode_column]).rjust(5, "0")
        towns = {clean(row.cells[name])[:100] for name in town_columns}
        if is_french(postcode):
            yield from ((postcode, town) for town in towns if town)
