"""Remembering whom not to contact without remembering who they are (CNIL MED-2023-040).

A line is an HMAC of the kind and the compared form of a contact point, under a key that stands in
the settings and not in the database. Whoever has the value can ask whether it is on the list;
nobody can read the list.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import islice

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.timezone import now
from django.utils.translation import gettext as _

from consent.facts import ChannelCode, EvidenceLevel, Objection, Registration, State
from consent.models import ALL_CHANNELS, RegisterCheck, Suppression, SuppressionList
from consent.policy_packs import PARIS, paris_midnight
from mdm import bulk
from mdm.fingerprints import fingerprint_keys, fingerprint_of
from mdm.folding import fold
from mdm.models import ContactPoint
from mdm.standardise.addresses import street_line
from mdm.standardise.emails import email_key, standardise_email
from mdm.standardise.phones import standardise_phones

REGION = "FR"
_CHUNK = 5_000
_NAMED_LINES = 10
Contact = tuple[str, str]
"""A kind of contact point and its compared form."""


class ListRefused(Exception):
    """Lines cannot be added to that list; the message says why and what to do."""


@dataclass(slots=True)
class LeftOut:
    """The lines that are neither an address nor a number: how many, and which came first."""

    count: int = 0
    first: list[int] = field(default_factory=list)

    def add(self, number: int) -> None:
        """Note one line by its number."""
        self.count += 1
        if len(self.first) < _NAMED_LINES:
            self.first.append(number)


@dataclass(frozen=True, slots=True)
class Added:
    """What a list gained: contact points that are new on it, and those that stood there."""

    new: int
    known: int


REGISTER_CHANNELS: dict[str, str] = {
    SuppressionList.Register.BLOCTEL: ChannelCode.PHONE,
    SuppressionList.Register.ROBINSON: ChannelCode.POST,
    SuppressionList.Register.E_ROBINSON: ChannelCode.EMAIL,
}
"""What each register is about."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A register of oppositions, the day it was asked, and what the answer is called there."""

    register: str
    on: date
    reference: str = ""

    @property
    def at(self) -> datetime:
        """The instant from which the answer counts: the day's beginning."""
        return paris_midnight(self.on)


def fingerprints(kind: str, value: str) -> dict[str, str]:
    """Return every fingerprint under which a contact point may stand, with the id of its key."""
    return {_fingerprint(secret, kind, value): key_id for key_id, secret in _keys()}


def read_contacts(lines: Iterable[str], left_out: LeftOut) -> Iterator[Contact]:
    """Yield e-mail addresses and telephone numbers, one a line, of which the first cell counts.

    What is neither is noted in `left_out`, blank lines aside.
    """
    for number, line in enumerate(lines, start=1):
        cell = line.replace(";", ",").replace("\t", ",").partition(",")[0].strip().strip('"')
        found = _contact(cell)
        if found:
            yield found
        elif cell:
            left_out.add(number)


@transaction.atomic
def add_list(
    name: str,
    contacts: Iterable[Contact],
    *,
    channel: str = ALL_CHANNELS,
    asked: Asked | None = None,
    by: User | None,
) -> Added:
    """Add contacts to the list of that name, which is made when it is new; known ones stay once.

    `asked` says that they come from a register of oppositions, which settles the channel, and
    when it was asked; that nobody was on it is an answer, too.

    Raises:
        ListRefused: without contacts, or when the list of that name would not forbid what is
            asked: it is for another channel, or switched off. Nothing is written then.
    """
    register = asked.register if asked else ""
    channel = REGISTER_CHANNELS.get(register, channel)
    found, _is_new = SuppressionList.objects.get_or_create(
        name=name.strip(), defaults={"channel": channel, "register": register}
    )
    if (found.channel, found.register) != (channel, register):
        raise ListRefused(
            _("“%(name)s” forbids something else (%(channel)s): take another name.")
            % {"name": found.name, "channel": found.channel_words}
        )
    if not found.is_in_force:
        raise ListRefused(_("“%s” is switched off: switch it on first.") % found.name)
    before = found.lines.count()
    read = _write(found, contacts, by=by, since=asked.at if asked else None)
    if asked:
        found.checks.create(checked_on=asked.on, reference=asked.reference, noted_by=by)
    elif not read:
        raise ListRefused(_("No e-mail address or telephone number was found."))
    new = found.lines.count() - before
    return Added(new, read - new)


def suppress_erased(contacts: Iterable[Contact]) -> None:
    """Keep the fingerprints of an erased person's contact points. Call it inside a transaction."""
    _write(_list_of_erased(), contacts, by=None)


def lines_of(contacts: Iterable[Contact]) -> list[tuple[str, str]]:
    """Return the fingerprints under which contacts are suppressed, each with its key's id."""
    (key_id, secret), *_older = _keys()
    return [(_fingerprint(secret, kind, value), key_id) for kind, value in contacts]


def restore_erased(lines: Iterable[tuple[str, str]]) -> None:
    """Put lines back on the list of erased people, after a restore that did not know them."""
    rows = [(key, key_id) for key, key_id in lines]
    if rows:
        found = _list_of_erased()
        moment = now()
        columns = ["list_id", "fingerprint", "key_id", "since", "added_by_id"]
        bulk.insert_ignoring(
            Suppression, columns, [(found.pk, key, key_id, moment, None) for key, key_id in rows]
        )


def lists_with(kind: str, value: str) -> list[SuppressionList]:
    """Return the lists that hold a contact point, in force or not."""
    lines = Suppression.objects.filter(fingerprint__in=list(fingerprints(kind, value)))
    return list(SuppressionList.objects.filter(pk__in=lines.values("list")))


def oppositions_on(
    points: Mapping[int, Contact], until: datetime
) -> tuple[Mapping[int, Sequence[Objection]], Mapping[int, Sequence[Registration]]]:
    """Return the lines on suppression lists, and those on registers, by the keys asked with.

    One or two queries. Lines added after `until` are left out: a question about the past gets
    what stood then.
    """
    objections: dict[int, list[Objection]] = defaultdict(list)
    registrations: dict[int, list[Registration]] = defaultdict(list)
    for key, listed, since in _lines_on(points, until):
        name = str(listed)
        if listed.register:
            registrations[key].append(Registration(listed.register, since, name))
        else:
            objection = Objection(since, State.OBJECTED, listed.channel, list_name=name)
            objections[key].append(replace(objection, evidence=EvidenceLevel.ORIGIN))
    return objections, registrations


def registers_in_force() -> frozenset[str]:
    """Return the registers of the lists in force; "" for lists of no register."""
    lists = SuppressionList.objects.filter(is_in_force=True).order_by()
    return frozenset(lists.values_list("register", flat=True))


def bloctel_checked_at(at: datetime, known_at: datetime) -> datetime | None:
    """Return when Bloctel was last asked by an instant, as was known at another."""
    checks = RegisterCheck.objects.filter(
        list__register=SuppressionList.Register.BLOCTEL,
        list__is_in_force=True,
        checked_on__lte=at.astimezone(PARIS).date(),
        noted_at__lte=known_at,
    )
    latest = checks.order_by("-checked_on").values_list("checked_on", flat=True).first()
    return paris_midnight(latest) if latest else None


def resident(family_name: str, street: str, postcode: str) -> Contact | None:
    """Return who lives where, as the register of post knows people; None when that is not told."""
    parts = [fold(family_name), fold(street), fold(postcode)]
    return ("resident", "|".join(parts)) if all(parts) else None


def read_residents(lines: Iterable[str], left_out: LeftOut) -> Iterator[Contact]:
    """Yield who lives where, one a line: family name; street with its number; postcode."""
    for number, line in enumerate(lines, start=1):
        cells = [cell.strip().strip('"') for cell in line.replace("\t", ";").split(";")]
        family, street, postcode, *_rest = [*cells, "", "", ""]
        read = street_line(street, REGION)
        if found := resident(family, f"{read.number} {read.name}", postcode):
            yield found
        elif line.strip():
            left_out.add(number)


def _lines_on(
    points: Mapping[int, Contact], until: datetime
) -> Iterator[tuple[int, SuppressionList, datetime]]:
    if not points:
        return
    owners: dict[str, list[int]] = defaultdict(list)
    for key, (kind, value) in points.items():
        for fingerprint in fingerprints(kind, value):
            owners[fingerprint].append(key)
    lines = Suppression.objects.filter(
        fingerprint__in=list(owners), list__is_in_force=True, since__lte=until
    ).values_list("fingerprint", "list_id", "since")
    found = list(lines)
    named = SuppressionList.objects.in_bulk({listed for _line, listed, _since in found})
    for fingerprint, listed, since in found:
        for key in owners[fingerprint]:
            yield key, named[listed], since


def _list_of_erased() -> SuppressionList:
    found, _is_new = SuppressionList.objects.get_or_create(
        # Without a name, so that no list from outside can have it already.
        origin=SuppressionList.Origin.ERASED,
        defaults={"name": ""},
    )
    return found


def lost_line_count() -> int:
    """Count the lines under a key that the settings do not hold: they protect nobody."""
    return Suppression.objects.exclude(key_id__in=[key_id for key_id, _key in _keys()]).count()


def _write(
    found: SuppressionList,
    contacts: Iterable[Contact],
    *,
    by: User | None,
    since: datetime | None = None,
) -> int:
    """Write a line for each contact, in chunks; return how many contacts there were."""
    (key_id, secret), *_older = _keys()
    moment = since or now()
    user = by.pk if by else None
    left, count = iter(contacts), 0
    while chunk := list(islice(left, _CHUNK)):
        count += len(chunk)
        rows = {_fingerprint(secret, kind, value) for kind, value in chunk}
        bulk.insert_ignoring(
            Suppression,
            ["list_id", "fingerprint", "key_id", "since", "added_by_id"],
            [(found.pk, row, key_id, moment, user) for row in sorted(rows)],
        )
    return count


def _contact(cell: str) -> Contact | None:
    if "@" in cell:
        address = standardise_email(cell).value
        return ("email", address.casefold()) if address else None
    phones = [phone for phone in standardise_phones(cell, REGION) if phone.is_valid]
    return ("phone", phones[0].value) if len(phones) == 1 else None


def _fingerprint(secret: bytes, kind: str, value: str) -> str:
    # All spellings of a mailbox are one: a dot more must not open the door.
    form = email_key(value) if kind == ContactPoint.Kind.EMAIL else value
    return fingerprint_of(secret, f"{kind}:{form}")


def _keys() -> list[tuple[str, bytes]]:
    return fingerprint_keys("suppression")
