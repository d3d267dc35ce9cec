"""The only way contact data leaves: a frozen list, asked again line by line, logged, marked."""

import hashlib
import secrets
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.formats import date_format
from django.utils.timezone import localtime, now
from django.utils.translation import gettext as _

from campaigns.audience import asked_of_many
from campaigns.columns import COLUMNS, rows
from campaigns.formats import WRITERS
from campaigns.models import ListDownload, TargetList, TargetListMember
from campaigns.waterfall import words
from consent.crowds import CHUNK, Line
from mdm.models import Customer
from mdm.pages import log_access

DOWNLOADS_PER_HOUR = 20
_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


class DownloadRefused(Exception):
    """The list cannot be downloaded; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class DownloadedFile:
    """A file ready to leave and the line of the register that tells of it."""

    file: IO[bytes]
    name: str
    entry: ListDownload


def download(target_list: TargetList, *, format: str, reason: str, by: User) -> DownloadedFile:
    """Write the list as a file, without whoever may no longer be contacted at this moment.

    The file has no name on disk: it is gone when it is closed, even by a crash. It leaves only
    once the register holds its line.

    Raises:
        DownloadRefused: when the list is not frozen, has expired or has nobody left, the format
            is unknown, no reason is given, or the user took too many files within the hour.
    """
    reason = reason.strip()
    _refuse_unless_possible(target_list, format=format, reason=reason, by=by)
    watermark = "D-" + "".join(secrets.choice(_ALPHABET) for _position in range(8))
    file = _temporary_file()
    try:
        count, removed = _write(file, target_list, format, watermark)
        _refuse_empty(count)
        entry = _register(
            target_list,
            user=by,
            format=format,
            reason=reason[:200],
            watermark=watermark,
            row_count=count,
            removed_by_rule=removed,
            sha256=_sha256(file),
        )
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return DownloadedFile(file, f"orfevre-{target_list.pk}-{watermark}.{format}", entry)


def write_withdrawn(file: IO[bytes], target_list: TargetList) -> int:
    """Write who of a list may no longer be contacted, and why. Returns how many.

    For files that have left: they hold customer ids, so this one needs nothing else of anybody.
    """
    return WRITERS["csv"](file, [_("Customer"), _("Reason")], _withdrawn(target_list))


def _withdrawn(target_list: TargetList) -> Iterator[list[str]]:
    for answered in _answers(target_list):
        rules = {member.customer_id: line.rule for member, line in answered if not line.is_allowed}
        customers = Customer.objects.in_bulk(list(rules))
        yield from ([customers[key].display_id, words(rule)] for key, rule in rules.items())


def _write(
    file: IO[bytes], target_list: TargetList, format: str, watermark: str
) -> tuple[int, dict[str, int]]:
    """Write the lines still allowed. Returns their number and who was removed, by rule."""
    removed: Counter[str] = Counter()
    header = [str(label) for label in COLUMNS[target_list.campaign.channel]]
    count = WRITERS[format](file, header, _lines(target_list, watermark, removed))
    return count, dict(removed)


def _refuse_empty(count: int) -> None:
    if not count:
        raise DownloadRefused(
            _("Nobody on this list may be contacted any more: there is nothing to download.")
        )


def _refuse_unless_possible(
    target_list: TargetList, *, format: str, reason: str, by: User
) -> None:
    if not target_list.is_frozen:
        raise DownloadRefused(_("This list is not frozen yet: wait until it is complete."))
    if target_list.expires_at and target_list.is_expired:
        expired_at = date_format(localtime(target_list.expires_at), "DATETIME_FORMAT")
        raise DownloadRefused(
            _("This list expired on %(date)s: freeze the campaign again to get a fresh one.")
            % {"date": expired_at}
        )
    if format not in WRITERS or target_list.campaign.channel not in COLUMNS:
        raise DownloadRefused(_("There is no such file format for this channel."))
    if not reason:
        raise DownloadRefused(_("Say what the file is for: the register keeps the reason."))
    recent = ListDownload.objects.filter(user=by, at__gt=now() - timedelta(hours=1)).count()
    if recent >= DOWNLOADS_PER_HOUR:
        raise DownloadRefused(
            _("You took %(count)s files within an hour, which is the limit: try again later.")
            % {"count": recent}
        )


def _lines(target_list: TargetList, watermark: str, removed: Counter[str]) -> Iterator[list[str]]:
    """Yield the line of every member still allowed; count the others by rule in `removed`."""
    channel = target_list.campaign.channel
    for answered in _answers(target_list):
        allowed = [member for member, line in answered if line.is_allowed]
        removed.update(line.rule for _member, line in answered if not line.is_allowed)
        purpose = target_list.campaign.purpose_id
        yield from rows(channel, allowed, watermark, purpose_id=purpose)


def _answers(target_list: TargetList) -> Iterator[list[tuple[TargetListMember, Line]]]:
    """Yield the members by chunks, each with what the gate answers about her at this moment."""
    crowd = asked_of_many(target_list.campaign, now())
    for members in _chunks(target_list):
        points = {member.customer_id: member.contact_point_id for member in members}
        yield list(zip(members, crowd.lines(list(points), points), strict=True))


def _chunks(target_list: TargetList) -> Iterator[Sequence[TargetListMember]]:
    after = 0
    members = TargetListMember.objects.filter(target_list=target_list).order_by("customer_id")
    while chunk := list(members.filter(customer_id__gt=after)[:CHUNK]):
        yield chunk
        after = chunk[-1].customer_id


def _temporary_file() -> IO[bytes]:
    folder = Path(settings.DATA_DIR) / "exports"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return TemporaryFile(dir=folder)


def _sha256(file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    file.seek(0)
    while block := file.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


@transaction.atomic
def _register(
    target_list: TargetList,
    *,
    user: User,
    format: str,
    reason: str,
    watermark: str,
    row_count: int,
    removed_by_rule: dict[str, int],
    sha256: str,
) -> ListDownload:
    log_access(user, "download_list", watermark)
    return ListDownload.objects.create(
        target_list=target_list,
        user=user,
        format=format,
        reason=reason,
        watermark=watermark,
        row_count=row_count,
        removed_count=target_list.member_count - row_count,
        removed_by_rule=removed_by_rule,
        sha256=sha256,
    )
