"""Columns of a sample and what each probably is; a person confirms it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mdm.mapping import ANSWER_ATTRIBUTES, DATE_ATTRIBUTES, NO, REPEATABLE, YES
from mdm.proposals import looks
from mdm.proposals.headers import Meaning, is_bare_number, is_of_another, meaning_of
from mdm.standardise.counted_dates import counted_form
from mdm.standardise.refusals import refuses
from mdm.standardise.text import fold

_MAX_ANSWERS = 12
# What newsletters call those who are on their lists, and those who never were.
_SUBSCRIBED = frozenset("subscribed|opt in|optin|inscrit|inscrite|abonne|abonnee".split("|"))
_NOT_SUBSCRIBED = frozenset({"not subscribed", "non inscrit", "non abonne"})


@dataclass(frozen=True, slots=True)
class ColumnSample:
    """A column of the sample: its name, the values that are not blank, and the rows there are."""

    name: str
    values: tuple[str, ...]
    row_count: int

    @property
    def fill_rate(self) -> float:
        """How many rows have a value, from 0 to 1."""
        return len(self.values) / self.row_count if self.row_count else 0.0

    def frequent(self, count: int) -> list[tuple[str, int]]:
        """Return the most frequent values with their numbers."""
        return Counter(self.values).most_common(count)


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a column probably is. An empty attribute: nothing that is used.

    `formats` are the date formats that fit, the likeliest first; more than one has to be
    confirmed. `by` says what spoke for it: name, values or both.
    """

    attribute: str = ""
    by: str = ""
    format: str = ""
    formats: tuple[str, ...] = ()
    channel: str = ""
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()
    weight: int = 0

    @property
    def is_ambiguous(self) -> bool:
        """True when the values do not tell in which order day and month stand."""
        return len(self.formats) > 1


_NOTHING = Proposal()


def propose(columns: Sequence[ColumnSample], *, region: str) -> list[Proposal]:
    """Return a proposal for every column, in their order."""
    found = [_propose_alone(column, region) for column in columns]
    found = _with_whole_names(columns, found)
    found = _with_streets(found)
    found = _with_whole_addresses(columns, found)
    found = _with_house_numbers(columns, found)
    found = _without_partners(columns, found)
    found = _with_key(columns, found, region)
    return _each_attribute_once(columns, found)


def answers_in(values: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the spellings of yes and of no that a column uses, for a person to confirm."""
    spellings = sorted({value.strip() for value in values})
    yes = [v for v in spellings if v.casefold() in YES or fold(v) in _SUBSCRIBED]
    no = [v for v in spellings if v.casefold() in NO or fold(v) in _NOT_SUBSCRIBED or refuses(v)]
    return tuple(yes[:_MAX_ANSWERS]), tuple(no[:_MAX_ANSWERS])


def date_formats(column: ColumnSample, region: str) -> tuple[str, ...]:
    """Return the date formats that fit the column."""
    return tuple(looks.fitting_formats(column.values, region))


def _propose_alone(column: ColumnSample, region: str) -> Proposal:
    """Weigh name and values of one column without looking at the others."""
    if is_of_another(column.name):
        return _NOTHING
    meaning = meaning_of(column.name)
    look = looks.look_of(column.values, region)
    if meaning is None:
        return _by_values(look)
    if not column.values:
        return Proposal(meaning.attribute, "name", channel=meaning.channel, weight=meaning.weight)
    if meaning.attribute in ANSWER_ATTRIBUTES | {"opt_out_at", "permission_at"}:
        return _permission(column, meaning, look, region)
    if meaning.attribute in DATE_ATTRIBUTES:
        return _date(column, meaning, look, region)
    if look == "email" and meaning.attribute not in {"source_key", "email"}:
        return _by_values(look)
    return _plain(column, meaning, look)


def _date(column: ColumnSample, meaning: Meaning, look: str, region: str) -> Proposal:
    """A date by its name: in the format that fits, else in that of most of its values."""
    formats = date_formats(column, region) or _counted(column, meaning.attribute)
    if not formats:
        prevailing = looks.prevailing_format(column.values, region)
        if prevailing is None:
            return _by_values(look)
        formats = (prevailing,)
    return _named(meaning, "", format=formats[0], formats=formats)


def _counted(column: ColumnSample, attribute: str) -> tuple[str, ...]:
    """Return how the numbers of a column that is called a date count, where nearly all do."""
    is_moment = attribute != "birth_date"
    form = counted_form(column.values, is_moment=is_moment, least=looks.NEARLY_ALL)
    return (form,) if form else ()


def _plain(column: ColumnSample, meaning: Meaning, look: str) -> Proposal:
    attribute = meaning.attribute
    if meaning.weight == 1 and not _bears_out(column, attribute, look):
        return _by_values(look)
    if attribute in {"email", "phone"} and look != attribute:
        if looks.looks_yes_no(column.values, looks.MOST):
            channel = {
                "email": "email",
                "phone": "sms" if "sms" in column.name.lower() else "phone",
            }
            yes, no = answers_in(column.values)
            return Proposal(
                "permission", "both", channel=channel[attribute], yes=yes, no=no, weight=2
            )
        return _named(meaning, look, weight=2)
    return _named(meaning, look)


def _bears_out(column: ColumnSample, attribute: str, look: str) -> bool:
    if attribute == "full_name":
        return looks.has_several_words(column.values) and not look
    if attribute == "source_key":
        return looks.looks_unique(column.values, column.row_count)
    return look == attribute


def _permission(column: ColumnSample, meaning: Meaning, look: str, region: str) -> Proposal:
    """A yes or no, or the day of it: the values tell which."""
    attribute = meaning.attribute
    dates = {"opt_out": "opt_out_at", "permission": "permission_at"}
    # The name says permission: a "?" among the answers changes nothing, and is told of.
    if looks.looks_yes_no(column.values, looks.MOST):
        words = {"opt_out_at": "opt_out", "permission_at": "permission"}
        yes, no = answers_in(column.values)
        channel = meaning.channel or ("email" if attribute != "double_opt_in" else "")
        return Proposal(
            words.get(attribute, attribute), "both", channel=channel, yes=yes, no=no,
            weight=meaning.weight,
        )  # fmt: skip
    formats = date_formats(column, region)
    if not formats and attribute in dates.values():
        formats = _counted(column, attribute)
    if formats:
        channel = meaning.channel if attribute in {"opt_out", "opt_out_at"} else ""
        return Proposal(
            dates.get(attribute, attribute), "both", formats[0], formats, channel,
            weight=meaning.weight,
        )  # fmt: skip
    if look:
        return _by_values(look)
    # Words of its own: a person says which of them mean yes and no.
    is_short = len(set(column.values)) <= _MAX_ANSWERS and looks.are_words(column.values)
    if not is_short or attribute in dates.values():
        return _NOTHING
    yes, no = answers_in(column.values) if attribute == "permission" else ((), ())
    return replace(_named(meaning, ""), yes=yes, no=no)


def _named(
    meaning: Meaning,
    look: str,
    *,
    weight: int = 0,
    format: str = "",
    formats: tuple[str, ...] = (),
) -> Proposal:
    by = "both" if look == meaning.attribute or formats else "name"
    return Proposal(
        meaning.attribute, by, format, formats, meaning.channel, weight=weight or meaning.weight
    )


def _by_values(look: str) -> Proposal:
    return Proposal(look, "values", weight=1) if look else _NOTHING


def _with_whole_names(columns: Sequence[ColumnSample], found: list[Proposal]) -> list[Proposal]:
    """Read a lone name column of several words as whole names, to be split."""
    attributes = {proposal.attribute for proposal in found}
    if {"given_name", "family_name"} <= attributes:
        return found
    if "given_name" in attributes:
        return [
            replace(p, attribute="family_name") if p.attribute == "full_name" and
            columns[i].name.casefold() in {"name", "nom"} else p
            for i, p in enumerate(found)
        ]  # fmt: skip
    return [
        replace(p, attribute="full_name", by="both")
        if p.attribute == "family_name" and looks.has_several_words(columns[i].values)
        else p
        for i, p in enumerate(found)
    ]


def _with_streets(found: list[Proposal]) -> list[Proposal]:
    """Beside a column of house numbers, the address is the street."""
    attributes = {proposal.attribute for proposal in found}
    if "street_number" not in attributes or "street" in attributes:
        return found
    return [replace(p, attribute="street") if p.attribute == "address_line" else p for p in found]


def _with_whole_addresses(
    columns: Sequence[ColumnSample], found: list[Proposal]
) -> list[Proposal]:
    """Read an address that ends in postcode and town as a whole one, to be split."""
    has_own = any(p.attribute in {"postcode", "city"} for p in found)
    least = looks.MOST if has_own else 0.5
    return [
        replace(p, attribute="full_address", by="both")
        if p.attribute == "address_line" and looks.are_whole_addresses(column.values, least)
        else p
        for column, p in zip(columns, found, strict=True)
    ]


def _with_house_numbers(columns: Sequence[ColumnSample], found: list[Proposal]) -> list[Proposal]:
    """A bare number beside the street is that of the house, not of the customer."""

    def is_one(place: int) -> bool:
        beside = [found[n].attribute for n in (place - 1, place + 1) if 0 <= n < len(found)]
        return is_bare_number(columns[place].name) and "street" in beside

    return [
        replace(p, attribute="street_number") if p.attribute == "source_key" and is_one(i) else p
        for i, p in enumerate(found)
    ]


def _without_partners(columns: Sequence[ColumnSample], found: list[Proposal]) -> list[Proposal]:
    """Shops (PrestaShop) call the offers of their partners `optin` beside their own newsletter."""
    names = {column.name.casefold() for column in columns}
    if not {"newsletter", "optin"} <= names:
        return found
    return [_NOTHING if columns[i].name.casefold() == "optin" else p for i, p in enumerate(found)]


def _with_key(
    columns: Sequence[ColumnSample], found: list[Proposal], region: str
) -> list[Proposal]:
    """Choose the one column that names the customer: named so, and different in every row."""

    def is_constant(place: int) -> bool:
        # Only a sure name may stand for one customer in several rows: a campaign has an id, too.
        values = columns[place].values
        return found[place].weight < 3 and len(values) > 1 and len(set(values)) == 1

    def fitness(place: int) -> tuple[bool, int, int]:
        is_unique = looks.looks_unique(columns[place].values, columns[place].row_count)
        return is_unique, found[place].weight, -place

    named = [i for i, p in enumerate(found) if p.attribute == "source_key" and not is_constant(i)]
    if not named:
        free = [i for i, p in enumerate(found) if not p.attribute]
        # Days and remarks may happen to differ in every row of a sample; they still name nobody.
        named = [
            i
            for i in free
            if fitness(i)[0]
            and not date_formats(columns[i], region)
            and not looks.has_several_words(columns[i].values)
            and not looks.are_words(columns[i].values)
        ]
        if named:
            found[named[0]] = Proposal("source_key", "values", weight=1)
            named = named[:1]
    key = max(named, key=fitness, default=None)
    return [
        _NOTHING if p.attribute == "source_key" and i != key else p for i, p in enumerate(found)
    ]


def _each_attribute_once(columns: Sequence[ColumnSample], found: list[Proposal]) -> list[Proposal]:
    """Keep the surest column of each attribute that cannot repeat; the others stay unused."""
    best: dict[str, int] = {}
    for place, proposal in enumerate(found):
        attribute = proposal.attribute
        rank = (proposal.weight, columns[place].fill_rate)
        held = best.get(attribute)
        if held is None or rank > (found[held].weight, columns[held].fill_rate):
            best[attribute] = place
    return [
        p if not p.attribute or p.attribute in REPEATABLE or best[p.attribute] == i else _NOTHING
        for i, p in enumerate(found)
    ]
