"""The forms of the mapping page: how the file is read, what each column is, the new source."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import capfirst, slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from phonenumbers import SUPPORTED_REGIONS

from mdm import attribute_words
from mdm.mapping import (
    ANSWER_ATTRIBUTES,
    ATTRIBUTES,
    CHANNEL_ATTRIBUTES,
    DATE_ATTRIBUTES,
    LAST_HEADER,
    TRANSLATED_ATTRIBUTES,
)
from mdm.models import FileMode, SourceSystem, ValueMap
from mdm.proposals.columns import ColumnSample
from mdm.proposals.looks import DATE_FORMATS
from mdm.standardise.counted_dates import COUNTED, EPOCH, EPOCH_MS, EXCEL

ENCODINGS = [
    ("", gettext_lazy("found out")),
    ("utf-8", "UTF-8"),
    ("cp1252", "Windows-1252"),
    ("iso8859-15", "ISO 8859-15"),
    ("utf-16", "UTF-16"),
    ("mac-roman", "Mac Roman"),
    ("cp850", "DOS 850"),
]
DELIMITERS = [
    ("", gettext_lazy("found out")),
    (";", gettext_lazy("semicolon ;")),
    (",", gettext_lazy("comma ,")),
    ("\t", gettext_lazy("tab")),
    ("|", gettext_lazy("bar |")),
]
CHANNELS = [
    ("", "–"),
    ("email", gettext_lazy("e-mail")),
    ("sms", gettext_lazy("SMS")),
    ("phone", gettext_lazy("phone")),
    ("post", gettext_lazy("post")),
    ("*", gettext_lazy("all channels (opt-outs only)")),
]


COUNTED_WORDS: Mapping[str, Any] = {
    EXCEL: gettext_lazy("days as Excel counts them, such as 29292"),
    EPOCH: gettext_lazy("seconds since 1970"),
    EPOCH_MS: gettext_lazy("milliseconds since 1970"),
}
_EXAMPLE = datetime(2024, 12, 31, 18, 30, tzinfo=UTC)
# What people write for a date format, in English and in French.
_MEANT = {"dd": "%d", "jj": "%d", "mm": "%m", "yyyy": "%Y", "aaaa": "%Y", "yy": "%y", "aa": "%y"}
# What may be shown while somebody types it: plain directives, no widths, no NUL.
_FORMAT = re.compile(r"(?:%[A-Za-z]|[^%\x00]){1,40}")
_LETTERS = re.compile("dd|jj|mm|yyyy|aaaa|yy|aa", re.IGNORECASE)
# Attributes whose values are often codes; others are rarely worth a table of meanings.
_CODED = frozenset("civility sex country sale_family contract_family".split())
OPTION_KINDS = {
    attribute: [
        kind
        for kind, attributes in (
            ("date", DATE_ATTRIBUTES),
            ("channel", CHANNEL_ATTRIBUTES),
            ("answer", ANSWER_ATTRIBUTES),
            ("words", frozenset(["opt_out"])),
            ("map", ANSWER_ATTRIBUTES | _CODED),
            ("value", _CODED),
        )
        if attribute in attributes
    ]
    for attribute in ATTRIBUTES
}
"""Which options the page shows beside each attribute."""


class FileForm(forms.Form):
    """How the file is written; empty is found out."""

    encoding = forms.ChoiceField(choices=ENCODINGS, required=False, label=gettext_lazy("Encoding"))
    delimiter = forms.ChoiceField(
        choices=DELIMITERS, required=False, label=gettext_lazy("Delimiter")
    )
    sheet = forms.ChoiceField(required=False, label=gettext_lazy("Sheet"))
    header = forms.IntegerField(
        min_value=1,
        max_value=LAST_HEADER,
        required=False,
        label=gettext_lazy("Line with the names of the columns"),
        widget=forms.NumberInput(attrs={"placeholder": gettext_lazy("found out")}),
    )

    def __init__(self, *args: Any, sheets: Iterable[str] = (), **kwargs: Any) -> None:
        """Offer the sheets of the workbook, or the encodings and delimiters of text."""
        super().__init__(*args, **kwargs)
        names = list(sheets)
        for name in ("encoding", "delimiter") if names else ("sheet",):
            del self.fields[name]
        if names:
            choices = [("", gettext_lazy("found out")), *((name, name) for name in names)]
            self.fields["sheet"].choices = choices  # type: ignore[attr-defined]

    def options(self) -> dict[str, Any]:
        """Return the [file] table; what is found out is left out."""
        return {name: value for name, value in self.cleaned_data.items() if value}


class SpellingsField(forms.CharField):
    """Several spellings in one line, a comma or bar between them."""

    def prepare_value(self, value: Any) -> Any:
        """Show a list on one line."""
        return ", ".join(value) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> Any:
        """Read a line as a list without blanks."""
        parts = str(value or "").replace("|", ",").split(",")
        return [part.strip() for part in parts if part.strip()]


class EntriesField(forms.CharField):
    """Pairs of a value and its meaning, one a line: `1 = mr`."""

    widget = forms.Textarea(attrs={"rows": 3})

    def prepare_value(self, value: Any) -> Any:
        """Show a mapping as lines."""
        if isinstance(value, dict):
            return "\n".join(f"{code} = {meaning}" for code, meaning in value.items())
        return value

    def to_python(self, value: Any) -> Any:
        """Read lines as a mapping.

        Raises:
            ValidationError: for a line that is no pair.
        """
        entries: dict[str, str] = {}
        for line in filter(None, map(str.strip, str(value or "").splitlines())):
            code, sign, meaning = line.partition("=")
            if not sign or not code.strip():
                raise ValidationError(_("Write one pair a line, such as 1 = mr."))
            entries[code.strip()] = meaning.strip()
        return entries


class ColumnForm(forms.Form):
    """What one column of the file is."""

    attribute = forms.ChoiceField(choices=attribute_words.choices, required=False)
    format = forms.CharField(required=False, max_length=40)
    channel = forms.ChoiceField(choices=CHANNELS, required=False)
    purpose = forms.SlugField(required=False, max_length=40)
    yes = SpellingsField(required=False, max_length=200)
    no = SpellingsField(required=False, max_length=200)
    by_words = forms.BooleanField(required=False)
    value_map = forms.ChoiceField(required=False)
    values = EntriesField(required=False, max_length=4000)

    def __init__(
        self,
        *args: Any,
        column: ColumnSample,
        formats: Sequence[str],
        value_maps: Sequence[ValueMap],
        **kwargs: Any,
    ) -> None:
        """Know the column, the date formats that fit its values, and the value maps there are."""
        super().__init__(*args, **kwargs)
        self.column = column
        self._value_maps = {known.code: known for known in value_maps}
        choices = [("", "–"), *((known.code, str(known)) for known in value_maps)]
        self.fields["value_map"].choices = choices  # type: ignore[attr-defined]
        self.formats = formats
        labels = {
            "attribute": _("What “%(column)s” is"),
            "format": _("Date format of “%(column)s”"),
            "channel": _("Channel of “%(column)s”"),
            "purpose": _("Purpose of “%(column)s”"),
            "yes": _("Spellings of yes in “%(column)s”"),
            "no": _("Spellings of no in “%(column)s”"),
            "by_words": _("Texts of “%(column)s” refuse by their words"),
            "value_map": _("Value map of “%(column)s”"),
            "values": _("Meanings of values of “%(column)s”"),
        }
        for name, label in labels.items():
            self.fields[name].widget.attrs["aria-label"] = label % {"column": column.name}
        self.fields["format"].widget.attrs |= {
            "list": f"{self.prefix}-formats",
            "placeholder": _("dd/mm/yyyy"),
        }

    def clean_format(self) -> str:
        """Take the letters that people write, such as dd/mm/yyyy, for what they mean."""
        form: str = self.cleaned_data["format"].strip()
        if "%" in form or form in COUNTED:
            return form
        return _LETTERS.sub(lambda found: _MEANT[found[0].lower()], form)

    def clean(self) -> dict[str, Any]:
        """Ask for the channel where one is needed."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("attribute") in CHANNEL_ATTRIBUTES and not cleaned.get("channel"):
            self.add_error("channel", _("choose the channel that it is about."))
        return cleaned

    @property
    def offered_formats(self) -> list[tuple[str, str]]:
        """The date formats to choose from, each with an example: those that fit, else all."""
        return [
            (form, _format_in_words(form))
            for form in (self.formats or (*DATE_FORMATS, *COUNTED_WORDS))
            if form
        ]

    @property
    def format_told(self) -> tuple[str, str] | None:
        """The date format that stands in the form, and a date written so."""
        form = str(self["format"].value() or "")
        is_one = form in COUNTED or ("%" in form and _FORMAT.fullmatch(form))
        return (form, _format_in_words(form)) if is_one else None

    @property
    def counted(self) -> str:
        """How a column of numbers is read as dates, in words; "" where it is none."""
        form = str(self["format"].value() or "")
        is_date = self.shown_attribute in DATE_ATTRIBUTES
        return str(COUNTED_WORDS[form]) if is_date and form in COUNTED else ""

    @property
    def kinds(self) -> list[str]:
        """The options to show."""
        return OPTION_KINDS.get(self.shown_attribute, [])

    @property
    def shown_attribute(self) -> str:
        """The attribute now chosen, for what the page shows beside it."""
        return str(self["attribute"].value() or "")

    @property
    def is_ambiguous(self) -> bool:
        """True when a date may be read in two ways and nothing in the values tells which."""
        return self.shown_attribute in DATE_ATTRIBUTES and len(self.formats) > 1

    def entry(self) -> dict[str, Any] | None:
        """Return the [[column]] table; only the options that its attribute takes are kept."""
        cleaned = self.cleaned_data
        attribute = cleaned["attribute"]
        if not attribute:
            return None
        entry: dict[str, Any] = {"name": self.column.name, "attribute": attribute}
        if attribute in DATE_ATTRIBUTES and cleaned["format"]:
            entry["format"] = cleaned["format"]
        if attribute in CHANNEL_ATTRIBUTES:
            entry["channel"] = cleaned["channel"]
            if cleaned["purpose"]:
                entry["purpose"] = cleaned["purpose"]
        if attribute in ANSWER_ATTRIBUTES:
            entry |= self._answers()
        if attribute == "opt_out" and cleaned["by_words"]:
            entry["by_words"] = True
        if attribute in TRANSLATED_ATTRIBUTES and (values := self._values()):
            entry["values"] = values
        return entry

    def _values(self) -> dict[str, str]:
        chosen = self._value_maps.get(self.cleaned_data["value_map"])
        return {**(chosen.entries if chosen else {}), **self.cleaned_data["values"]}

    def _answers(self) -> dict[str, list[str]]:
        """Return the spellings of yes and no: those written, and those of the value map."""
        meanings = self._values()
        answers = {}
        for answer in ("yes", "no"):
            mapped = [value for value, meaning in meanings.items() if meaning == answer]
            spellings = list(dict.fromkeys([*self.cleaned_data[answer], *mapped]))
            if spellings:
                answers[answer] = spellings
        return answers


def _format_in_words(form: str) -> str:
    """Return an example of a date format, or how its numbers count."""
    return str(COUNTED_WORDS.get(form) or _EXAMPLE.strftime(form))


class KeyForm(forms.Form):
    """The columns by which a row is known again where the source has no number of its own."""

    columns = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, names: Sequence[str], **kwargs: Any) -> None:
        """Offer the columns of the file."""
        super().__init__(*args, **kwargs)
        self._names = names
        self.fields["columns"].choices = [(n, n) for n in names]  # type: ignore[attr-defined]

    def chosen(self) -> list[str]:
        """Return the columns, in the order of their names."""
        found = set(self["columns"].value() or []).intersection(self._names)
        return sorted(found, key=str.casefold)


class CodeField(forms.SlugField):
    """A code; of a name written into it the code is made: `Boutique Été` is boutique-ete."""

    def to_python(self, value: Any) -> str:
        """Return the letters, figures and signs that a code may have."""
        return slugify(super().to_python(value) or "")


def _as_on_its_page(name: str) -> dict[str, Any]:
    """Return how a source's own page names a field and explains it."""
    field: Any = SourceSystem._meta.get_field(name)
    return {"label": capfirst(field.verbose_name), "help_text": field.help_text}


class NewSourceForm(forms.Form):
    """The source that the file is the first of."""

    label = forms.CharField(max_length=100, **_as_on_its_page("label"))
    code = CodeField(
        max_length=40,
        label=gettext_lazy("Code"),
        help_text=gettext_lazy("A short name such as crm or shop; it cannot be changed later."),
    )
    trust = forms.IntegerField(
        min_value=0,
        max_value=100,
        initial=50,
        **_as_on_its_page("trust"),
    )
    region = forms.CharField(
        max_length=2,
        min_length=2,
        initial="FR",
        **_as_on_its_page("region"),
    )
    file_mode = forms.ChoiceField(
        choices=FileMode.choices,
        initial=FileMode.DELTA,
        **_as_on_its_page("file_mode"),
    )

    def clean_code(self) -> str:
        """Refuse the code of a source that exists."""
        code: str = self.cleaned_data["code"]
        if SourceSystem.objects.filter(code=code).exists():
            raise ValidationError(_("A source with this code exists already."))
        return code

    def clean_region(self) -> str:
        """Accept countries that have telephone numbers."""
        region: str = self.cleaned_data["region"].upper()
        if region not in SUPPORTED_REGIONS:
            raise ValidationError(
                _("“%(region)s” is not a country of two capital letters.") % {"region": region}
            )
        return region

    def table(self) -> dict[str, Any]:
        """Return the [source] table."""
        return {
            name: self.cleaned_data[name] for name in ("label", "trust", "region", "file_mode")
        }
