"""Pictures of notices: where the words stood on the form, and that no box was ticked."""

import hashlib
import struct

from django.contrib.auth.models import User
from django.core.files import File
from django.db import transaction
from django.utils.translation import gettext as _
from PIL import Image, UnidentifiedImageError

from consent.models import NoticePicture, NoticeVersion
from consent.offline import MAX_FILE_BYTES

TYPES = {"png": "image/png", "jpg": "image/jpeg"}
# A page of A4 scanned at 600 dots per inch has 35 million; each takes some bytes to look at.
MAX_PIXELS = 50_000_000
_ENDINGS = {"PNG": "png", "JPEG": "jpg", "MPO": "jpg"}
_DAMAGE = (OSError, SyntaxError, ValueError, struct.error)


class PictureRefused(Exception):
    """The file is no picture that is kept; the text says why."""


@transaction.atomic
def add_picture(notice: NoticeVersion, file: "File[bytes]", *, by: User) -> NoticePicture:
    """Keep a picture of a notice under a name of our own, with its SHA-256; the same file once.

    Raises:
        PictureRefused: when it is no still PNG or JPEG that can be shown whole, or too large.
    """
    kind = _kind_of(file)
    file.seek(0)
    digest = hashlib.sha256(file.read()).hexdigest()
    # One at a time for each notice, so that two clicks are one picture.
    NoticeVersion.objects.select_for_update().get(pk=notice.pk)
    if known := notice.pictures.filter(sha256=digest).first():
        return known
    made = NoticePicture(notice=notice, file_type=kind, sha256=digest, added_by=by)
    file.seek(0)
    made.file.save(f"{made.uuid}.{kind}", file, save=False)
    made.save()
    return made


def _kind_of(file: "File[bytes]") -> str:
    """Return what the bytes are: what a file calls itself is not believed."""
    if file.size > MAX_FILE_BYTES:
        raise PictureRefused(_("The file is larger than 10 MB."))
    file.seek(0)
    try:
        with Image.open(file, formats=("PNG", "JPEG")) as picture:
            _refuse_unless_sound(picture)
            return _ENDINGS[picture.format or ""]
    except UnidentifiedImageError:
        raise PictureRefused(_("A picture is a PNG or JPEG file.")) from None
    except Image.DecompressionBombError:
        raise PictureRefused(_("The picture has more than 50 million pixels.")) from None
    except _DAMAGE:
        raise PictureRefused(_("The picture is damaged: it cannot be shown whole.")) from None


def _refuse_unless_sound(picture: Image.Image) -> None:
    if picture.width * picture.height > MAX_PIXELS:
        raise Image.DecompressionBombError
    if picture.format == "PNG" and getattr(picture, "is_animated", False):
        raise PictureRefused(_("The picture moves: keep a still one."))
    picture.load()
