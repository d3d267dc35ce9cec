"""Field mappings: how the columns of a source's files become attributes.

A mapping is a document (TOML in a file, JSON in the database) of the shape docs/loading.md
describes; `mdm.mapping_parsing` reads and checks it.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from mdm.standardise import record as standard
from mdm.standardise.refusals import refuses

# A prefix of its own, so that no mapping can point at the other secrets of the environment.
DATABASE_VARIABLE = r"SOURCE_DATABASE_[A-Z0-9_]{1,40}"
DEFAULT_PURPOSE = "marketing"
YES = frozenset("o oui yes y 1 true vrai x ja si sí on ✓ ✔ ☑ ✅".split())
NO = frozenset("n non no 0 false faux nein nee off nok ✗ ✘ ❌ ☐".split())

DATE_ATTRIBUTES = frozenset(
    "birth_date created_at updated_at permission_at opt_out_at sale_date contract_start "
    "contract_end".split()
)
CHANNEL_ATTRIBUTES = frozenset(["permission", "opt_out", "opt_out_at"])
ANSWER_ATTRIBUTES = frozenset(["permission", "opt_out", "double_opt_in"])
REPEATABLE = CHANNEL_ATTRIBUTES | {"phone", "other_phone", "address_complement", "ignore"}
OTHER_ATTRIBUTES = (
    "source_key created_at updated_at permission permission_at double_opt_in opt_out opt_out_at "
    "sale_date sale_amount sale_family sale_reference contract_start contract_end contract_family "
    "contract_reference ignore"
).split()
ATTRIBUTES = (*standard.ATTRIBUTES, *standard.COMPOSED, *OTHER_ATTRIBUTES)

# Those whose values may be codes that a value map explains.
TRANSLATED_ATTRIBUTES = frozenset(ATTRIBUTES).difference(
    DATE_ATTRIBUTES,
    ANSWER_ATTRIBUTES,
    "source_key sale_amount ignore phone other_phone address_complement".split(),
)

# The names of the columns stand near the start of a file.
LAST_HEADER = 100

Answer = Literal["yes", "no", "blank", "unknown"]


class MappingError(Exception):
    """The mapping cannot be followed; the text names the column and says what to write."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the file and the attribute its values are for."""

    name: str
    attribute: str
    format: str = ""
    channel: str = ""
    purpose: str | None = None
    yes: frozenset[str] = YES
    no: frozenset[str] = NO
    values: Mapping[str, str] = field(default_factory=dict)
    by_words: bool = False
    """Whether any text with words that refuse contact is a yes, and every other says nothing."""

    def meaning(self, value: str) -> str:
        """Return what the column's value map says a value means, else the value itself."""
        return self.values.get(value.strip().casefold(), value)

    def answer(self, value: str) -> Answer:
        """Read a yes or no; blank says nothing, and so does what is neither.

        Among permissions, words that refuse contact (*désinscrit*, *opt-out*) are a no, whatever
        the mapping lists: nobody writes them who wants to be written to.
        """
        folded = value.strip().casefold()
        if not folded:
            return "blank"
        if self.by_words:
            return "yes" if refuses(value) else "blank"
        if folded in self.yes:
            return "yes"
        is_no = folded in self.no or (self.attribute == "permission" and refuses(value))
        return "no" if is_no else "unknown"


@dataclass(frozen=True, slots=True)
class FileOptions:
    """How the file is written; "" or 0 means to be found out.

    `header` is the line that holds the names of the columns.
    """

    encoding: str = ""
    delimiter: str = ""
    quote: str = ""
    sheet: str = ""
    header: int = 0

    def over(self, other: "FileOptions | Mapping[str, Any]") -> "FileOptions":
        """Return these options, and the others where these say nothing."""
        known = other if isinstance(other, Mapping) else asdict(other)
        return FileOptions(
            **{name: told or known.get(name, told) for name, told in asdict(self).items()}
        )


@dataclass(frozen=True, slots=True)
class SourceDefaults:
    """What a source is created with when `load` meets it for the first time."""

    label: str = ""
    trust: int = 50
    region: str = "FR"
    file_mode: str = "delta"
    watched_folder: str = ""
    database_variable: str = ""
    database_query: str = ""


@dataclass(frozen=True, slots=True)
class SourceMapping:
    """A whole mapping, checked."""

    columns: tuple[Column, ...]
    file: FileOptions = field(default_factory=FileOptions)
    source: SourceDefaults | None = None
    key_from: tuple[str, ...] = ()
    """The columns that make the key where the source has none, in the order of their names."""

    def named(self, *attributes: str) -> tuple[Column, ...]:
        """Return the columns of these attributes, in the order of the mapping."""
        return tuple(column for column in self.columns if column.attribute in attributes)

    def single(self, attribute: str) -> Column | None:
        """Return the one column of an attribute that cannot repeat."""
        return next(iter(self.named(attribute)), None)

    @property
    def columns_in_order(self) -> tuple[tuple[object, ...], ...]:
        """What the mapping does, the same at every start: for fingerprints."""
        return tuple(
            (
                c.name,
                c.attribute,
                c.format,
                c.channel,
                c.purpose,
                sorted(c.yes),
                sorted(c.no),
                sorted(c.values.items()),
            )
            for c in self.columns
        )

    @property
    def key_column(self) -> str:
        """The column that holds the source's own key; "" when columns make one."""
        return "" if self.key_from else self.named("source_key")[0].name

    @property
    def wanted(self) -> tuple[str, ...]:
        """The columns a file must have."""
        return tuple(dict.fromkeys((*(column.name for column in self.columns), *self.key_from)))
