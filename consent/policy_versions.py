"""The life of a policy pack: drafted, simulated, signed by one person, activated by another.

A pack begins today or later, never in the past, and nothing of it changes once it is activated:
the answers about every day before it stay what they were. Going back is a new draft of an old
version.
"""

import json
from datetime import date, datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.timezone import localdate, now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from consent.models import PolicyVersion
from consent.policies import pack_at
from consent.policy_documents import Document, PolicyRefused, digest_of, document_of, read_pack
from consent.policy_packs import PARIS, PolicyPack, paris_midnight
from mdm import jobs, rule_versions
from mdm.audit import acting_as
from mdm.models import Job
from mdm.reasons import reason_of
from mdm.rule_versions import RulesRefused

SIMULATE = "policy_simulation"
FILE_FORMAT = "orfevre-policy-pack-1"
_Status = PolicyVersion.Status


@transaction.atomic
def open_draft(*, of: PolicyVersion | None = None, by: User) -> PolicyVersion:
    """Open a draft of an earlier version, else of the pack in force; it would begin tomorrow.

    Raises:
        RulesRefused: when a draft is open already.
    """
    document = of.parameters if of else document_of(pack_at(now()))
    valid_from = localdate(timezone=PARIS) + timedelta(days=1)
    return _new_draft(document, valid_from, of=of, by=by)


@transaction.atomic
def save_draft(
    draft: PolicyVersion, document: Document, *, valid_from: date, note: str = "", by: User
) -> PolicyVersion:
    """Replace what an unsigned draft says; a change makes its simulation void.

    Raises:
        RulesRefused: when it is no draft any more, is signed, begins in the past, or makes no
            sense.
    """
    draft = _unsigned(draft)
    _check(document, valid_from)
    with acting_as(by, reason_of(gettext_noop("Draft edited"))):
        if (document, valid_from) != (draft.parameters, draft.valid_from):
            draft.simulated_by = None
        draft.parameters, draft.valid_from, draft.note = document, valid_from, note
        draft.code = _code(valid_from, draft.version)
        draft.save(update_fields=["parameters", "valid_from", "note", "code", "simulated_by"])
    return draft


@transaction.atomic
def discard(draft: PolicyVersion, *, by: User) -> None:
    """Throw an unsigned draft away; its history stays."""
    rule_versions.discard(_unsigned(draft), by=by)


@transaction.atomic
def simulate(draft: PolicyVersion, *, by: User) -> Job:
    """Start the job that compares every answer under the draft and under the law it replaces."""
    draft = _unsigned(draft)
    digest = digest_of(draft.parameters, draft.valid_from)
    parameters = {"version": draft.pk, "digest": digest}
    key = f"{SIMULATE} {draft.pk} {digest[:32]}"
    job = jobs.submit(SIMULATE, parameters, by=by, idempotency_key=key)
    rule_versions.remember_simulation(draft, job, by=by)
    return job


@transaction.atomic
def sign(draft: PolicyVersion, *, by: User) -> PolicyVersion:
    """Sign exactly these parameters; they count once somebody else activates them.

    Raises:
        RulesRefused: when nobody saw what they change, or they cannot begin on their day.
    """
    draft = _unsigned(draft)
    _require_simulation(draft)
    _require_day(draft)
    reason = reason_of(gettext_noop("Policy pack %(code)s signed"), code=draft.code)
    with acting_as(by, reason):
        draft.digest = digest_of(draft.parameters, draft.valid_from)
        draft.signed_by, draft.signed_at = by, now()
        draft.save(update_fields=["digest", "signed_by", "signed_at"])
    return draft


@transaction.atomic
def withdraw_signature(draft: PolicyVersion, *, by: User) -> None:
    """Make a signed pack a draft again; history keeps who had signed what.

    Raises:
        RulesRefused: when it is not a signed draft.
    """
    draft = _locked(draft)
    if draft.signed_at is None:
        raise RulesRefused(_("Nobody has signed this draft."))
    reason = reason_of(
        gettext_noop("Signature of policy pack %(code)s withdrawn"), code=draft.code
    )
    with acting_as(by, reason):
        draft.digest, draft.signed_by, draft.signed_at = "", None, None
        draft.save(update_fields=["digest", "signed_by", "signed_at"])


@transaction.atomic
def activate(draft: PolicyVersion, *, by: User) -> PolicyVersion:
    """Make a pack that somebody else signed the law from its day, or from now if that is today.

    Raises:
        RulesRefused: when it is not signed, was signed by the same person, is not what was
            signed, or cannot begin on its day.
    """
    draft = _locked(draft)
    if draft.signed_at is None:
        raise RulesRefused(_("Nobody has signed this draft."))
    if draft.signed_by_id == by.pk:
        raise RulesRefused(_("You signed this pack: somebody else has to activate it."))
    if draft.digest != digest_of(draft.parameters, draft.valid_from):
        raise RulesRefused(_("This is not what was signed: withdraw the signature."))
    _require_simulation(draft)
    _require_day(draft)
    reason = reason_of(gettext_noop("Policy pack %(code)s activated"), code=draft.code)
    with acting_as(by, reason):
        draft.activated_by, draft.activated_at = by, now()
        draft.begins_at = max(_midnight(draft), draft.activated_at)
        draft.status = _Status.ACTIVE
        draft.save(update_fields=["activated_by", "activated_at", "begins_at", "status"])
    return draft


@transaction.atomic
def take_back(version: PolicyVersion, *, by: User) -> None:
    """Take back an activated pack that has not begun: the one before stays the law.

    Raises:
        RulesRefused: when it has begun, or was not activated.
    """
    version = PolicyVersion.objects.select_for_update().get(pk=version.pk)
    is_to_come = version.begins_at is not None and version.begins_at > now()
    if version.status != _Status.ACTIVE or not is_to_come:
        raise RulesRefused(_("A pack that has begun stays the law of its days."))
    reason = reason_of(gettext_noop("Policy pack %(code)s taken back"), code=version.code)
    with acting_as(by, reason):
        version.status, version.withdrawn_by, version.withdrawn_at = _Status.RETIRED, by, now()
        version.save(update_fields=["status", "withdrawn_by", "withdrawn_at"])


def exported(version: PolicyVersion) -> str:
    """Return a version as the text of a file that `import_draft` reads."""
    told = {
        "format": FILE_FORMAT,
        "code": version.code,
        "valid_from": version.valid_from.isoformat() if version.valid_from else None,
        "sha256": digest_of(version.parameters, version.valid_from),
        "parameters": version.parameters,
    }
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"


@transaction.atomic
def import_draft(content: bytes, *, by: User) -> PolicyVersion:
    """Open a draft with what a file says; its day is kept when it lies ahead, else tomorrow.

    Raises:
        RulesRefused: when the file is no pack, or a draft is open already.
    """
    try:
        told = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise RulesRefused(_("This file is no policy pack: it is not JSON.")) from error
    if not isinstance(told, dict) or told.get("format") != FILE_FORMAT:
        raise RulesRefused(_("This file is no policy pack: export one to see the form."))
    tomorrow = localdate(timezone=PARIS) + timedelta(days=1)
    valid_from = max(tomorrow, _day(told.get("valid_from")) or tomorrow)
    document = told.get("parameters")
    if not isinstance(document, dict):
        raise RulesRefused(_("The pack is no list of parameters."))
    _check(document, valid_from)
    return _new_draft(document, valid_from, by=by)


def first_instant(version: PolicyVersion) -> datetime:
    """Return the instant a draft would begin if it were activated now."""
    return max(_midnight(version), now())


def replaced_pack(version: PolicyVersion) -> PolicyPack:
    """Return the pack that a draft would replace on its first day."""
    return pack_at(first_instant(version))


def _new_draft(
    document: Document, valid_from: date, *, of: PolicyVersion | None = None, by: User
) -> PolicyVersion:
    code = _code(valid_from, rule_versions.next_version(PolicyVersion))
    return rule_versions.create_draft(
        PolicyVersion, of=of, by=by, parameters=document, valid_from=valid_from, code=code
    )


def _code(valid_from: date, version: int) -> str:
    return f"FR-{valid_from:%Y-%m}.{version}"


def _locked(draft: PolicyVersion) -> PolicyVersion:
    """Return the draft as it is now, held for this transaction."""
    rule_versions.lock_draft(draft)
    return PolicyVersion.objects.get(pk=draft.pk)


def _unsigned(draft: PolicyVersion) -> PolicyVersion:
    locked = _locked(draft)
    if locked.signed_at is not None:
        raise RulesRefused(_("This draft is signed: withdraw the signature to change it."))
    return locked


def _check(document: Document, valid_from: date) -> None:
    try:
        read_pack(document)
    except PolicyRefused as refusal:
        raise RulesRefused(str(refusal)) from refusal
    _require_ahead(valid_from)


def _require_simulation(draft: PolicyVersion) -> None:
    job = draft.simulated_by
    if job is None or job.state != Job.State.DONE or not job.result:
        raise RulesRefused(_("Simulate this draft first: nobody has seen whom it reaches."))
    if job.result["base"] != replaced_pack(draft).code:
        raise RulesRefused(
            _("Another pack was activated since the simulation: simulate this draft again.")
        )


def _require_day(draft: PolicyVersion) -> None:
    if draft.valid_from is None:
        raise RulesRefused(_("Say from which day the pack is the law."))
    _require_ahead(draft.valid_from)
    same = PolicyVersion.objects.filter(status=_Status.ACTIVE, begins_at=_midnight(draft))
    if same.exists():
        raise RulesRefused(_("Another pack begins on that day: take it back or choose another."))


def _require_ahead(valid_from: date) -> None:
    if valid_from < localdate(timezone=PARIS):
        raise RulesRefused(_("A pack begins today or later: the past keeps its law."))


def _midnight(version: PolicyVersion) -> datetime:
    if version.valid_from is None:
        raise RulesRefused(_("Say from which day the pack is the law."))
    return paris_midnight(version.valid_from)


def _day(text: object) -> date | None:
    try:
        return date.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
