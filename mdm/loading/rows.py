"""One line of a file made regular: key, raw values, standard record, claims, sales, contracts."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from typing import Any, NamedTuple, Self

import msgspec

from mdm.loading.claims import Claim, PermissionColumns
from mdm.loading.row_keys import RowKeys
from mdm.mapping import Column, SourceMapping
from mdm.standardise import VERSION
from mdm.standardise.dates import parse_date, parse_moment
from mdm.standardise.issues import STOPPING
from mdm.standardise.names import may_hold_remark
from mdm.standardise.postcodes import NO_TABLE, PostcodeTable
from mdm.standardise.record import (
    ATTRIBUTES,
    COMPOSED,
    Issue,
    StandardRecord,
    standardise_record,
)
from mdm.standardise.text import clean

_PHONES = ("phone", "other_phone")
_NAMES = ("family_name", "given_name", "birth_name", "full_name")
_MOMENTS = ("created_at", "updated_at", "permission_at")
_NAMED_ATTRIBUTES = tuple(name for name in (*ATTRIBUTES, *COMPOSED) if name not in _PHONES)
_COUNTRY = ATTRIBUTES.index("country")
_MAX_AMOUNT = Decimal("9999999999.99")

Cells = Mapping[str, str]

cells_json = msgspec.json.Encoder(order="sorted").encode
"""Returns what `cells_text` gives, in UTF-8."""


def cells_text(cells: Cells) -> str:
    """Return cells as JSON, the same whatever the order of columns."""
    return cells_json(cells).decode()


class SaleRow(NamedTuple):
    """A sale told by a row."""

    reference: str
    sold_on: date
    amount: Decimal | None
    product_family: str


class ContractRow(NamedTuple):
    """A contract told by a row."""

    reference: str
    starts_on: date
    ends_on: date | None
    product_family: str


class StandardRow(NamedTuple):
    """Everything a row says, ready to store."""

    record: StandardRecord
    created_at: datetime | None
    updated_at: datetime | None
    claims: tuple[Claim, ...]
    sale: SaleRow | None
    contract: ContractRow | None

    @property
    def says_nothing(self) -> bool:
        """Whether it tells of nobody; a country does not count, as sources fill it in."""
        return not (self.claims or self.sale or self.contract or any(self.record[:_COUNTRY]))

    @property
    def plain(self) -> tuple[Any, ...]:
        """Everything in plain tuples, from which `of_plain` makes it again."""
        record, created_at, updated_at, claims, sale, contract = self
        return (
            tuple(record),
            created_at,
            updated_at,
            tuple(map(tuple, claims)),
            tuple(sale) if sale else None,
            tuple(contract) if contract else None,
        )

    @classmethod
    def of_plain(cls, plain: Sequence[Any]) -> Self:
        """Return the row that `plain` gave."""
        record, created_at, updated_at, claims, sale, contract = plain
        return cls(
            StandardRecord._make(record),
            created_at,
            updated_at,
            tuple(map(Claim._make, claims)),
            SaleRow._make(sale) if sale else None,
            ContractRow._make(contract) if contract else None,
        )


class RowReader:
    """A mapping made ready for many rows of one source."""

    def __init__(
        self,
        mapping: SourceMapping,
        *,
        region: str,
        today: date,
        zone: tzinfo,
        postcodes: PostcodeTable = NO_TABLE,
    ) -> None:
        self.mapping = mapping
        self._postcodes = postcodes
        self.keys = RowKeys(mapping)
        self._region, self._today, self._zone = region, today, zone
        self._ignored = frozenset(column.name for column in mapping.named("ignore"))
        named = mapping.named(*_NAMED_ATTRIBUTES)
        self._values = [
            (c.name, c.attribute) for c in named if c.attribute != "address_complement"
        ]
        self._translated = [column for column in named if column.values]
        self._complements = [c.name for c in named if c.attribute == "address_complement"]
        self._names = [column.name for column in mapping.named(*_NAMES)]
        self._phones = [column.name for column in mapping.named("phone")]
        self._phones += [column.name for column in mapping.named("other_phone")]
        birth = mapping.single("birth_date")
        self._birth_format = birth.format if birth else ""
        self._columns = {column.attribute: column for column in mapping.columns}
        self._dated = [self._columns.get(name) for name in _MOMENTS]
        self._permissions = PermissionColumns(mapping, zone)
        understood = repr((VERSION, region, mapping.columns_in_order, postcodes.digest))
        self._fingerprint = sha256(understood.encode()).digest()

    def raw_text(self, cells: Cells, text: str = "") -> str:
        """Return the cells to keep as received, all but those the mapping ignores, as JSON.

        `text` is what `cells_text` gives of the cells, where it is at hand already.
        """
        if self._ignored:
            cells = {name: value for name, value in cells.items() if name not in self._ignored}
            return cells_text(cells)
        return text or cells_text(cells)

    def content_hash(self, raw_text: str) -> str:
        """Return what tells whether a row, or how it is understood, has changed."""
        return sha256(self._fingerprint + raw_text.encode()).hexdigest()

    def updated_at(self, cells: Cells) -> datetime | None:
        """Return when the source last changed the row, if it says so."""
        column = self._columns.get("updated_at")
        return self._moment(cells, column, []) if column else None

    def claims(self, cells: Cells) -> tuple[Claim, ...]:
        """Return what the row says about permissions."""
        issues: list[Issue] = []
        has_remark = any(may_hold_remark(clean(cells.get(name, ""))) for name in self._names)
        told = self.standardise(cells).issues if has_remark else ()
        return self._claims(cells, self._moments(cells, issues), told, issues)

    def standardise(self, cells: Cells) -> StandardRecord:
        """Return the standard record of a row, without its moments, permissions and sales."""
        values = {attribute: cells.get(name, "") for name, attribute in self._values}
        for column in self._translated:
            values[column.attribute] = column.meaning(cells.get(column.name, ""))
        if self._complements:
            parts = (cells.get(name, "").strip() for name in self._complements)
            values["address_complement"] = ", ".join(filter(None, parts))
        return standardise_record(
            values,
            phones=[cells.get(name, "") for name in self._phones],
            region=self._region,
            today=self._today,
            birth_date_format=self._birth_format,
            postcodes=self._postcodes,
        )

    def read(self, cells: Cells) -> StandardRow:
        """Return everything the row says, standardised."""
        record = self.standardise(cells)
        issues: list[Issue] = []
        moments = self._moments(cells, issues)
        claims = self._claims(cells, moments, record.issues, issues)
        sale, contract = self._sale(cells, issues), self._contract(cells, issues)
        created_at, updated_at, _ = moments
        row = StandardRow(record, created_at, updated_at, claims, sale, contract)
        if row.says_nothing:
            issues.append(("source_key", "empty"))
        if issues:
            told = tuple(dict.fromkeys((*record.issues, *issues)))
            return row._replace(record=record._replace(issues=told))
        return row

    def _moments(
        self, cells: Cells, issues: list[Issue]
    ) -> tuple[datetime | None, datetime | None, datetime | None]:
        created_at, updated_at, permission_at = [
            self._moment(cells, column, issues) if column else None for column in self._dated
        ]
        return created_at, updated_at, permission_at

    def _claims(
        self,
        cells: Cells,
        moments: tuple[datetime | None, datetime | None, datetime | None],
        told: Sequence[Issue],
        issues: list[Issue],
    ) -> tuple[Claim, ...]:
        """Return the claims of a row; `told` are the issues of its standard record."""
        created_at, updated_at, permission_at = moments
        return self._permissions.claims(
            cells,
            created_at=created_at,
            updated_at=updated_at,
            permission_at=permission_at,
            is_stopped=any(code in STOPPING for _attribute, code in told),
            issues=issues,
        )

    def _moment(self, cells: Cells, column: Column, issues: list[Issue]) -> datetime | None:
        text = cells.get(column.name, "").strip()
        if not text:
            return None
        moment = parse_moment(text, column.format, zone=self._zone)
        if moment is None:
            issues.append((column.attribute, "unreadable"))
        return moment

    def _day(self, cells: Cells, attribute: str, issues: list[Issue]) -> date | None:
        """Return a date; a moment counts as its day."""
        column = self._columns.get(attribute)
        text = clean(cells.get(column.name, "")) if column else ""
        if not column or not text:
            return None
        day = parse_date(text, column.format)
        if day is None and (moment := parse_moment(text, column.format, zone=self._zone)):
            day = moment.astimezone(self._zone).date()
        if day is None:
            issues.append((attribute, "unreadable"))
        return day

    def _text(self, cells: Cells, attribute: str, limit: int) -> str:
        column = self._columns.get(attribute)
        return clean(column.meaning(cells.get(column.name, "")))[:limit] if column else ""

    def _sale(self, cells: Cells, issues: list[Issue]) -> SaleRow | None:
        sold_on = self._day(cells, "sale_date", issues)
        if sold_on is None:
            return None
        reference = self._text(cells, "sale_reference", 100) or sold_on.isoformat()
        amount = _amount(self._text(cells, "sale_amount", 40), issues)
        return SaleRow(reference, sold_on, amount, self._text(cells, "sale_family", 60))

    def _contract(self, cells: Cells, issues: list[Issue]) -> ContractRow | None:
        starts_on = self._day(cells, "contract_start", issues)
        if starts_on is None:
            return None
        family = self._text(cells, "contract_family", 60)
        reference = self._text(cells, "contract_reference", 100)
        ends_on = self._day(cells, "contract_end", issues)
        reference = reference or f"{family} {starts_on.isoformat()}".strip()
        return ContractRow(reference, starts_on, ends_on, family)


def _amount(text: str, issues: list[Issue]) -> Decimal | None:
    """Read `1 234,56 €` and `1234.56`; what is neither is an issue."""
    plain = text.replace(" ", "").replace("€", "").replace("EUR", "")
    if "," in plain and "." not in plain:
        plain = plain.replace(",", ".")
    if not plain:
        return None
    try:
        amount = Decimal(plain)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or abs(amount) > _MAX_AMOUNT:
        issues.append(("sale_amount", "unreadable"))
        return None
    return amount.quantize(Decimal("0.01"))
