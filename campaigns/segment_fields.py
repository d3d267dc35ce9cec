"""What a segment may ask: the allow-list of fields, their operators, and what each means in SQL.

Nothing a marketer types reaches the database but as a value: there is no regular expression and
no path through relations.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy, pgettext_lazy

from mdm.folding import fold
from mdm.models import Contract, GoldenRecord, PersonValues, Sale, SourceRecord, SourceSystem


class Kind(StrEnum):
    """What a value is, so that the page offers the right control."""

    WORDS = "words"
    NUMBER = "number"
    DATE = "date"
    CHOICE = "choice"


class Operator(StrEnum):
    """How a field is compared; the values are stored with the campaign."""

    IS = "is"
    IS_NOT = "is_not"
    STARTS_WITH = "starts_with"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    SINCE = "since"
    BEFORE = "before"


OPERATOR_LABELS: dict[str, str | Promise] = {
    Operator.IS: pgettext_lazy("segment", "is"),
    Operator.IS_NOT: pgettext_lazy("segment", "is not"),
    Operator.STARTS_WITH: pgettext_lazy("segment", "starts with"),
    Operator.AT_LEAST: pgettext_lazy("segment", "is at least"),
    Operator.AT_MOST: pgettext_lazy("segment", "is at most"),
    Operator.SINCE: pgettext_lazy("segment", "is on or after"),
    Operator.BEFORE: pgettext_lazy("segment", "is before"),
}

Values = list[Any]
Choices = Callable[[], list[tuple[str, str | Promise]]]
Condition = Callable[[str, Values, date], Q]


@dataclass(frozen=True, slots=True)
class Field:
    """One thing a segment may ask about, and the condition on golden records it stands for."""

    code: str
    label: str | Promise
    kind: Kind
    operators: tuple[Operator, ...]
    condition: Condition
    choices: Choices | None = None
    hint: str | Promise = ""


def _cities(operator: str, values: Values, today: date) -> Q:
    # Nobody types accents and hyphens as the sources do: compare folded, filter on what is stored.
    wanted = {_loose(value) for value in values}
    stored = GoldenRecord.objects.order_by().values_list("city", flat=True).distinct()
    matching = [city for city in stored if city and _loose(city) in wanted]
    return _negate(operator, Q(city__in=matching))


def _loose(text: str) -> str:
    return fold(text).replace("-", " ").replace("'", " ")


def _postcodes(operator: str, values: Values, today: date) -> Q:
    prefixes = [code for value in values for code in _POSTCODES_OF.get(value.upper(), (value,))]
    lookup = "postcode__startswith" if operator == Operator.STARTS_WITH else "postcode"
    condition = Q()
    for prefix in prefixes:
        condition |= Q(**{lookup: prefix})
    return condition


# The departments of Corsica are not the beginning of their postcodes.
_POSTCODES_OF = {"2A": ("200", "201"), "2B": ("202", "206")}


def _sex(operator: str, values: Values, today: date) -> Q:
    return Q(sex__in=values)


def _age(operator: str, values: Values, today: date) -> Q:
    years = values[0]
    if operator == Operator.AT_LEAST:
        return Q(birth_date__lte=_years_before(today, years))
    return Q(birth_date__gt=_years_before(today, years + 1))


def _years_before(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year - years)
    except ValueError:  # 29 February: the birthday falls on 1 March in other years.
        return day.replace(year=day.year - years, month=2, day=28)


def _birth_year(operator: str, values: Values, today: date) -> Q:
    year = values[0]
    if operator == Operator.AT_LEAST:
        return Q(birth_date__gte=date(year, 1, 1))
    if operator == Operator.AT_MOST:
        return Q(birth_date__lte=date(year, 12, 31))
    return Q(birth_date__range=(date(year, 1, 1), date(year, 12, 31)))


def _filled(attribute: str) -> Condition:
    def condition(operator: str, values: Values, today: date) -> Q:
        has_value = ~Q(**{attribute: ""})
        return has_value if values[0] == "yes" else ~has_value

    return condition


def _sales(**conditions: Any) -> Exists:
    return Exists(Sale.objects.filter(record__customer=OuterRef("pk"), **conditions))


def _last_purchase(operator: str, values: Values, today: date) -> Q:
    since = Q(_sales(sold_on__gte=values[0]))
    return since if operator == Operator.SINCE else Q(_sales()) & ~since


def _bought_family(operator: str, values: Values, today: date) -> Q:
    return _negate(operator, Q(_sales(product_family__in=values)))


def _running_contract(operator: str, values: Values, today: date) -> Q:
    contracts = Contract.objects.filter(record__customer=OuterRef("pk"), starts_on__lte=today)
    running = Exists(contracts.filter(Q(ends_on=None) | Q(ends_on__gt=today)))
    return Q(running) if values[0] == "yes" else ~Q(running)


def _source(operator: str, values: Values, today: date) -> Q:
    records = SourceRecord.objects.active().filter(
        customer=OuterRef("pk"), source__code__in=values
    )
    return _negate(operator, Q(Exists(records)))


def _negate(operator: str, condition: Q) -> Q:
    return ~condition if operator == Operator.IS_NOT else condition


def _yes_no() -> list[tuple[str, str | Promise]]:
    return [("yes", gettext_lazy("yes")), ("no", gettext_lazy("no"))]


def _sexes() -> list[tuple[str, str | Promise]]:
    return [(str(value), label) for value, label in PersonValues.Sex.choices]


def _sources() -> list[tuple[str, str | Promise]]:
    return [(source.code, source.label) for source in SourceSystem.objects.all()]


def _families() -> list[tuple[str, str | Promise]]:
    families = Sale.objects.order_by("product_family").values_list("product_family", flat=True)
    return [(family, family) for family in families.distinct() if family]


_EXACT = (Operator.IS, Operator.IS_NOT)
_RANGE = (Operator.AT_LEAST, Operator.AT_MOST)

FIELDS: dict[str, Field] = {
    field.code: field
    for field in [
        Field(
            "city",
            gettext_lazy("town"),
            Kind.WORDS,
            _EXACT,
            _cities,
            hint=gettext_lazy("Several with commas: Nantes, Rezé"),
        ),
        Field(
            "postcode",
            gettext_lazy("postcode or department"),
            Kind.WORDS,
            (Operator.STARTS_WITH, Operator.IS),
            _postcodes,
            hint=gettext_lazy("Several with commas: 44, 49, 2A"),
        ),
        Field("sex", gettext_lazy("sex"), Kind.CHOICE, (Operator.IS,), _sex, _sexes),
        Field(
            "age", gettext_lazy("age"), Kind.NUMBER, _RANGE, _age, hint=gettext_lazy("In years")
        ),
        Field(
            "birth_year",
            gettext_lazy("year of birth"),
            Kind.NUMBER,
            (Operator.IS, *_RANGE),
            _birth_year,
            hint=gettext_lazy("Four digits"),
        ),
        Field(
            "has_email",
            gettext_lazy("e-mail address known"),
            Kind.CHOICE,
            (Operator.IS,),
            _filled("email"),
            _yes_no,
        ),
        Field(
            "has_phone",
            gettext_lazy("phone known"),
            Kind.CHOICE,
            (Operator.IS,),
            _filled("phone"),
            _yes_no,
        ),
        Field(
            "has_address",
            gettext_lazy("postal address known"),
            Kind.CHOICE,
            (Operator.IS,),
            _filled("postcode"),
            _yes_no,
        ),
        Field(
            "last_purchase",
            gettext_lazy("last purchase"),
            Kind.DATE,
            (Operator.SINCE, Operator.BEFORE),
            _last_purchase,
        ),
        Field(
            "product_family",
            gettext_lazy("product family bought"),
            Kind.CHOICE,
            _EXACT,
            _bought_family,
            _families,
        ),
        Field(
            "running_contract",
            gettext_lazy("running contract"),
            Kind.CHOICE,
            (Operator.IS,),
            _running_contract,
            _yes_no,
        ),
        Field("source", gettext_lazy("source system"), Kind.CHOICE, _EXACT, _source, _sources),
    ]
}
"""Everything a segment may ask, in the order in which the page offers it."""
