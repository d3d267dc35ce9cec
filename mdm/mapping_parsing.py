"""Read a mapping document and check it, before any file of data is opened.

Parsing checks everything that can be checked without a data file, so that a load never starts
with a mapping it cannot follow.
"""

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _
from phonenumbers import SUPPORTED_REGIONS

from mdm.mapping import (
    ANSWER_ATTRIBUTES,
    ATTRIBUTES,
    CHANNEL_ATTRIBUTES,
    DATABASE_VARIABLE,
    DATE_ATTRIBUTES,
    LAST_HEADER,
    NO,
    REPEATABLE,
    TRANSLATED_ATTRIBUTES,
    YES,
    Column,
    FileOptions,
    MappingError,
    SourceDefaults,
    SourceMapping,
)
from mdm.standardise.counted_dates import COUNTED, EXCEL
from mdm.standardise.dates import names_year
from mdm.standardise.text import fold


def read_document(path: Path) -> dict[str, Any]:
    """Return the document of a TOML or JSON mapping file.

    Raises:
        MappingError: when the file is neither.
    """
    try:
        text = path.read_text(encoding="utf-8")
        document = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except OSError as error:
        raise MappingError(
            _("The mapping file %(file)s cannot be read: %(reason)s.")
            % {"file": path.name, "reason": error.strerror or type(error).__name__}
        ) from error
    except ValueError as error:  # TOMLDecodeError, JSONDecodeError and UnicodeDecodeError are.
        raise MappingError(
            _("The mapping file %(file)s is not valid: %(reason)s.")
            % {"file": path.name, "reason": str(error).rstrip(".")}
        ) from error
    return _table(document, "")


def parse_mapping(document: Mapping[str, Any]) -> SourceMapping:
    """Return the checked mapping of a document.

    Raises:
        MappingError: at the first thing that is wrong.
    """
    _only_known(document, {"source", "file", "column", "key_from"}, _("the mapping"))
    entries = document.get("column")
    if not isinstance(entries, Sequence) or isinstance(entries, str) or not entries:
        raise MappingError(
            _("No column is used: say what each is, in a file by a [[column]] table.")
        )
    columns = tuple(_column(entry, number) for number, entry in enumerate(entries, start=1))
    _check_together(columns)
    return SourceMapping(
        columns,
        _file_options(_table(document.get("file", {}), "file")),
        _source(_table(document["source"], "source")) if "source" in document else None,
        _key_from(document.get("key_from", []), columns),
    )


def _column(entry: object, number: int) -> Column:
    table = _table(entry, f"column {number}")
    known = {
        "name",
        "attribute",
        "format",
        "channel",
        "purpose",
        "yes",
        "no",
        "values",
        "by_words",
    }
    _only_known(table, known, _("column %(number)d") % {"number": number})
    name = table.get("name")
    if not isinstance(name, str) or not name.strip():
        raise MappingError(_("Column %(number)d of the mapping has no name.") % {"number": number})
    attribute = table.get("attribute", "")
    if attribute not in ATTRIBUTES:
        raise MappingError(_unknown_attribute(name, str(attribute)))
    _check_fitting(table, name, attribute)
    return Column(
        name=name.strip(),
        attribute=attribute,
        format=_date_format(table, name),
        channel=str(table.get("channel", "")),
        purpose=table.get("purpose"),
        yes=_answers(table, "yes", name, YES),
        no=_answers(table, "no", name, NO),
        values=_values(table, name),
        by_words=table.get("by_words", False),
    )


def _unknown_attribute(column: str, attribute: str) -> str:
    near = get_close_matches(fold(attribute).replace(" ", "_"), ATTRIBUTES, n=3, cutoff=0.5)
    words = {"column": column, "attribute": attribute, "near": ", ".join(near)}
    if near:
        return (
            _(
                "Column “%(column)s” is mapped to the unknown attribute “%(attribute)s”; "
                "did you mean %(near)s?"
            )
            % words
        )
    words["near"] = ", ".join(ATTRIBUTES)
    return (
        _(
            "Column “%(column)s” is mapped to the unknown attribute “%(attribute)s”; "
            "known are %(near)s."
        )
        % words
    )


def _check_fitting(table: Mapping[str, Any], name: str, attribute: str) -> None:
    """Refuse options that the attribute does not use: they show a mistake."""
    words = {"column": name, "attribute": attribute}
    needs_channel = attribute in CHANNEL_ATTRIBUTES
    channel = table.get("channel")
    if needs_channel and (not isinstance(channel, str) or not channel):
        raise MappingError(
            _("Column “%(column)s” (%(attribute)s) needs a channel, such as email or sms.") % words
        )
    if channel == "*" and attribute == "permission":
        raise MappingError(
            _("Column “%(column)s”: a permission is for one channel; * is for opt-outs only.")
            % words
        )
    allowed = {
        "channel": needs_channel,
        "purpose": needs_channel,
        "format": attribute in DATE_ATTRIBUTES,
        "yes": attribute in ANSWER_ATTRIBUTES,
        "no": attribute in ANSWER_ATTRIBUTES,
        "values": attribute in TRANSLATED_ATTRIBUTES,
        "by_words": attribute == "opt_out",
    }
    for option, is_allowed in allowed.items():
        if option in table and not is_allowed:
            raise MappingError(
                _("Column “%(column)s”: %(attribute)s takes no %(option)s.")
                % {**words, "option": option}
            )
    if not isinstance(table.get("by_words", False), bool):
        raise MappingError(_("Column “%(column)s”: by_words is true or false.") % words)


def _date_format(table: Mapping[str, Any], name: str) -> str:
    value = table.get("format", "")
    if value in COUNTED:
        if value != EXCEL and table.get("attribute") == "birth_date":
            raise MappingError(
                _("Column “%(column)s”: “%(format)s” is for moments, not for dates of birth.")
                % {"column": name, "format": value}
            )
        return str(value)
    if value and not _is_date_format(value):
        raise MappingError(
            _("Column “%(column)s”: “%(format)s” is not a date format such as %%d/%%m/%%Y.")
            % {"column": name, "format": value}
        )
    return str(value)


def _is_date_format(value: object) -> bool:
    if not (isinstance(value, str) and names_year(value)):
        return False
    sample = datetime(2001, 12, 31, 23, 59, 58, tzinfo=UTC)
    try:
        found = datetime.strptime(sample.strftime(value), value)  # noqa: DTZ007  (a trial)
    except (ValueError, re.error):  # The last for %d twice.
        return False
    return found.date() == sample.date()


def _answers(
    table: Mapping[str, Any], option: str, name: str, default: frozenset[str]
) -> frozenset[str]:
    values = table.get(option)
    if values is None:
        return default
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise MappingError(
            _('Column “%(column)s”: %(option)s is a list of texts, such as ["O"].')
            % {"column": name, "option": option}
        )
    return frozenset(value.strip().casefold() for value in values)


def _values(table: Mapping[str, Any], name: str) -> dict[str, str]:
    entries = table.get("values", {})
    if not isinstance(entries, dict) or not all(isinstance(v, str) for v in entries.values()):
        raise MappingError(
            _('Column “%(column)s”: values is a table of texts, such as {"1" = "mr"}.')
            % {"column": name}
        )
    return {value.strip().casefold(): meaning for value, meaning in entries.items()}


def _check_together(columns: Sequence[Column]) -> None:
    names: set[str] = set()
    attributes: set[str] = set()
    for column in columns:
        if column.name in names:
            raise MappingError(
                _("Column “%(column)s” stands twice in the mapping.") % {"column": column.name}
            )
        if column.attribute in attributes and column.attribute not in REPEATABLE:
            raise MappingError(
                _("Column “%(column)s”: %(attribute)s already has a column.")
                % {"column": column.name, "attribute": column.attribute}
            )
        if column.yes & column.no:
            raise MappingError(
                _("Column “%(column)s”: “%(value)s” means both yes and no.")
                % {"column": column.name, "value": min(column.yes & column.no)}
            )
        names.add(column.name)
        attributes.add(column.attribute)


def _key_from(names: object, columns: Sequence[Column]) -> tuple[str, ...]:
    """Return the columns that make the key, spelt as the other tables of the mapping do.

    They are sorted: the order in which they are named, or stand in a file, changes no key.
    """
    if not isinstance(names, list) or not all(isinstance(n, str) and n.strip() for n in names):
        raise MappingError(_('key_from is a list of names of columns, such as ["email"].'))
    has_own = any(column.attribute == "source_key" for column in columns)
    if has_own and names:
        raise MappingError(
            _("A column is the key in the source (source_key): key_from would make another one.")
        )
    if not has_own and not names:
        raise MappingError(
            _(
                "No column is the key in the source (source_key), the source's own number of the "
                "customer. Where it has none, say which columns tell a row from another "
                "(key_from)."
            )
        )
    spelling = {column.name.casefold(): column.name for column in columns}
    chosen = [spelling.get(name.strip().casefold(), name.strip()) for name in names]
    if len({name.casefold() for name in chosen}) < len(chosen):
        raise MappingError(_("A column stands twice in key_from."))
    return tuple(sorted(chosen, key=str.casefold))


def _file_options(table: Mapping[str, Any]) -> FileOptions:
    _only_known(table, {option.name for option in fields(FileOptions)}, "[file]")
    return file_options(**table)


def file_options(
    *, encoding: str = "", delimiter: str = "", quote: str = "", sheet: str = "", header: int = 0
) -> FileOptions:
    """Return checked options of a file, as a mapping or a person declares them.

    Raises:
        MappingError: when the encoding is unknown, a sign is no single character, or the line of
            the header is no number of a line near the start.
    """
    try:
        "".encode(encoding or "utf-8")  # Python's codecs know more than encodings of text.
    except (LookupError, TypeError, UnicodeError) as error:
        raise MappingError(
            _("“%(encoding)s” is no known encoding; write one such as utf-8 or cp1252.")
            % {"encoding": encoding}
        ) from error
    if delimiter in ("tab", "\\t"):
        delimiter = "\t"
    for sign in (delimiter, quote):
        if not isinstance(sign, str) or len(sign) > 1 or sign in ("\r", "\n"):
            raise MappingError(
                _("A delimiter or quotation mark must be one character such as ; not %(sign)r.")
                % {"sign": sign}
            )
    if not isinstance(header, int) or not 0 <= header <= LAST_HEADER:
        raise MappingError(
            _("The line with the names of the columns is a number from 1 to %(last)d.")
            % {"last": LAST_HEADER}
        )
    return FileOptions(encoding, delimiter, quote, str(sheet), header)


def _source(table: Mapping[str, Any]) -> SourceDefaults:
    _only_known(table, {known.name for known in fields(SourceDefaults)}, "[source]")
    found = SourceDefaults(**table)
    for name, value in table.items():
        if name != "trust" and not isinstance(value, str):
            raise MappingError(_("[source]: %(name)s is a text.") % {"name": name})
    if not isinstance(found.trust, int) or not 0 <= found.trust <= 100:
        raise MappingError(_("The trust of a source is a number from 0 to 100."))
    if found.region not in SUPPORTED_REGIONS:
        raise MappingError(
            _("“%(region)s” is not a country of two capital letters.") % {"region": found.region}
        )
    if found.database_variable and not re.fullmatch(DATABASE_VARIABLE, found.database_variable):
        raise MappingError(
            _("“%(name)s” is no variable for a database: write one such as SOURCE_DATABASE_CRM.")
            % {"name": found.database_variable}
        )
    if found.file_mode not in ("delta", "full"):
        raise MappingError(_("The file mode of a source is delta or full."))
    return found


def _table(value: object, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise MappingError(_("The mapping's “%(name)s” is not a table.") % {"name": name})
    return value


def _only_known(table: Mapping[str, Any], known: set[str], place: str) -> None:
    for name in table:
        if name not in known:
            raise MappingError(
                _("Unknown entry “%(name)s” in %(place)s; known are %(known)s.")
                % {"name": name, "place": place, "known": ", ".join(sorted(known))}
            )
