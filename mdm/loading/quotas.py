"""How many files of one person may wait at a time: each takes room until it is loaded."""

from django.conf import settings
from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _

from mdm.loading.stored_files import LoadRefused
from mdm.models import LoadBatch, MappingDraft


def refuse_when_too_many_wait(by: User | None) -> None:
    """Stop somebody who has sent many files that are neither loaded nor thrown away.

    Raises:
        LoadRefused: with the number and what to do.
    """
    if by is None:
        return
    waiting = LoadBatch.objects.filter(created_by=by).exclude(stored_file="").count()
    waiting += MappingDraft.objects.filter(created_by=by).count()
    if waiting >= settings.UPLOAD_MAX_PENDING:
        raise LoadRefused(
            _(
                "%(count)d files of yours wait to be mapped, applied or loaded: finish or throw "
                "away some of them first."
            ),
            count=waiting,
        )
