"""Pictures of notices: where the words stood on the form, and that no box was ticked."""

import hashlib

from django.contrib.auth.models import User
from django.core.files import File
from django.utils.translation import gettext as _

from consent.models import NoticePicture, NoticeVersion
from consent.offline import file_type

TYPES = {"png": "image/png", "jpg": "image/jpeg"}


class PictureRefused(Exception):
    """The file is no picture that is kept; the text says why."""


def add_picture(notice: NoticeVersion, file: "File[bytes]", *, by: User) -> NoticePicture:
    """Keep a picture of a notice under a name of our own, with its SHA-256; the same file once.

    Raises:
        PictureRefused: when it is neither PNG nor JPEG.
        OfflineRefused: when it is of no type kept as evidence, or too large.
    """
    kind = file_type(file)
    if kind not in TYPES:
        raise PictureRefused(_("A picture is a PNG or JPEG file."))
    content = file.read()
    digest = hashlib.sha256(content).hexdigest()
    if known := notice.pictures.filter(sha256=digest).first():
        return known
    made = NoticePicture(notice=notice, file_type=kind, sha256=digest, added_by=by)
    file.seek(0)
    made.file.save(f"{made.uuid}.{kind}", file, save=False)
    made.save()
    return made
