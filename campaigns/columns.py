"""What a downloaded file holds: the columns its channel needs and nothing more (GDPR 5(1)(c))."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from campaigns.models import TargetListMember
from consent.links import make_link, preferences_url, unsubscribe_url
from consent.models import Channel
from mdm.models import ContactPoint, GoldenRecord, PersonValues, RecordContactPoint
from mdm.standardise.emails import ascii_form
from mdm.standardise.labels import LINES_ABROAD, label_lines

_NAMES: tuple[str | Promise, ...] = (_("Civility"), _("Given name"), _("Family name"))
_REFERENCES: tuple[str | Promise, ...] = (_("Customer"), _("Download"))
_LABEL: tuple[str | Promise, ...] = (
    _("Line 1"),
    _("Line 2"),
    _("Line 3"),
    _("Line 4"),
    _("Line 5"),
    _("Line 6"),
    _("Line 7"),
)
_NEEDED = ("civility", "given_name", "family_name", "organisation", "customer__public_id")
_BY_NUMBER = (*_NAMES, _("Phone"), *_REFERENCES)

COLUMNS: Mapping[str, tuple[str | Promise, ...]] = {
    Channel.EMAIL: (*_NAMES, _("E-mail"), _("Unsubscribe"), _("Preferences"), *_REFERENCES),
    Channel.SMS: _BY_NUMBER,
    Channel.PHONE: _BY_NUMBER,
    Channel.AUTOCALL: _BY_NUMBER,
    Channel.POST: (*_LABEL, *_REFERENCES),
}
"""Channel → the header of its files. The last column is the watermark of the download."""


@dataclass(frozen=True, slots=True)
class Person:
    """What a line may be made of: the golden record's names and the contact point allowed."""

    golden: GoldenRecord
    civility: str
    contact_point: str
    address: Mapping[str, str]

    def by_contact_point(self) -> list[str]:
        """Return the cells of a line that names one e-mail address or number.

        A domain of other letters is written in ASCII, which every program that sends knows.
        """
        names = (
            self.civility,
            self.golden.given_name,
            self.golden.family_name or self.golden.organisation,
        )
        return [*names, ascii_form(self.contact_point)]

    def by_address(self) -> list[str]:
        """Return the lines of a postal label, as many as abroad needs, the last ones empty."""
        name = f"{self.civility} {self.golden.full_name}".strip()
        lines = label_lines(name=name, **self.address)
        return lines + [""] * (LINES_ABROAD - len(lines))


def rows(
    channel: str, members: Sequence[TargetListMember], watermark: str, *, purpose_id: int
) -> Iterator[list[str]]:
    """Yield the line of each member, in their order, with a few queries for all of them."""
    # How people are addressed is in the company's language, whatever the reader's.
    with override(settings.LANGUAGE_CODE):
        civilities = {code: str(label) for code, label in PersonValues.Civility.choices}
    cells: Callable[[Person], list[str]] = (
        Person.by_address if channel == Channel.POST else Person.by_contact_point
    )
    people = GoldenRecord.objects.select_related("customer").only(*_NEEDED)
    golden = people.in_bulk([member.customer_id for member in members])
    addressed = ContactPoint.objects.only("display")
    points = addressed.in_bulk([member.contact_point_id for member in members])
    addresses = _addresses(members) if channel == Channel.POST else {}
    for member in members:
        record = golden.get(member.customer_id)
        if record is None:  # Merged or erased within these milliseconds.
            continue
        key = (member.customer_id, member.contact_point_id)
        person = Person(
            record,
            civilities.get(record.civility, ""),
            points[member.contact_point_id].display,
            addresses.get(key, {}),
        )
        links = links_of(*key, purpose_id=purpose_id) if channel == Channel.EMAIL else []
        yield [*cells(person), *links, record.customer.display_id, watermark]


def links_of(customer_id: int, contact_point_id: int, *, purpose_id: int) -> list[str]:
    """Return where one click unsubscribes (RFC 8058), and where the person sees all her choices.

    The links name the address and the purpose it was used for, sealed.
    """
    link = make_link(contact_point_id, customer_id, purpose_id=purpose_id)
    return [address.replace(_PLACE, link) for address in _addresses_of_links(settings.PUBLIC_URL)]


_PLACE = "LINK"


@cache
def _addresses_of_links(base: str) -> tuple[str, str]:
    # Looked up once: resolving addresses line by line would take longer than the rest.
    return unsubscribe_url(_PLACE), preferences_url(_PLACE)


def _addresses(members: Sequence[TargetListMember]) -> dict[tuple[int, int], dict[str, str]]:
    """Return, by customer and contact point, the address as a source record spells it."""
    carried = RecordContactPoint.objects.filter(
        record__customer__in=[member.customer_id for member in members],
        contact_point__in=[member.contact_point_id for member in members],
        attribute="address",
        record__status="active",
    ).order_by("-record_id")
    return {
        (customer, point): {
            "complement": complement,
            "street": f"{number} {street}".strip(),
            "postcode": postcode,
            "city": city,
            "country": country,
        }
        for customer, point, complement, number, street, postcode, city, country in (
            carried.values_list(
                "record__customer_id",
                "contact_point_id",
                "record__address_complement",
                "record__street_number",
                "record__street",
                "record__postcode",
                "record__city",
                "record__country",
            )
        )
    }
