"""What each entry of the access register says in words; the register stores codes."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

WORDS: Mapping[str, Any] = {
    "customer.view": _("opened the page of a customer"),
    "customer.then": _("opened the page of a customer as it was on a past day"),
    "customer.repair": _("opened the repair of a customer"),
    "customer.pin": _("opened a value of a customer to pin it"),
    "quality.records": _("listed doubtful records"),
    "quality.shared": _("listed shared values"),
    "quality.carriers": _("listed the people who share a value"),
    "batch_issue_seen": _("listed the records of a file with an issue"),
    "rejects_downloaded": _("downloaded rejected rows"),
    "consent event": _("opened an event of consent"),
    "consent history": _("opened the consent history of a customer"),
    "consent rehearsal": _("drew consents to rehearse an inspection"),
    "consents at risk": _("listed weak consents"),
    "proof pack": _("made a proof pack"),
    "access pack.view": _("looked at what an access pack would hold"),
    "access pack": _("made an access pack"),
    "rights request": _("opened the request of a person"),
    "erasure": _("erased a person"),
    "evidence file": _("opened a file of evidence"),
    "broker's file": _("opened the file of a broker"),
    "suppression asked": _("asked whether somebody is on a suppression list"),
    "call check": _("checked a number before a call"),
    "download_list": _("downloaded a target list"),
    "list withdrawn": _("listed whom a target list may no longer reach"),
}


def in_words(action: str) -> str:
    """Return an action in words; one that nobody described stands for itself."""
    return str(WORDS.get(action, action))
