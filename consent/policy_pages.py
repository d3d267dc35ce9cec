"""The page of the policy packs: the law now and of other days, a draft, whom it would reach."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consent import policy_versions
from consent.models import PolicyVersion
from consent.policies import activated_versions, pack_at
from consent.policy_documents import read_pack
from consent.policy_forms import PolicyFileForm, PolicyForm
from consent.policy_results import simulation_results
from consent.policy_words import differences, sections
from mdm import rule_versions
from mdm.pages import StaffPage, staff_user
from mdm.rule_pages import action
from mdm.rule_versions import RulesRefused, required_draft

_sign = action("consent.sign_policyversion", "consent:policy")
_activate = action("consent.activate_policyversion", "consent:policy")
_Status = PolicyVersion.Status


@dataclass(frozen=True, slots=True)
class Reign:
    """A pack and the days it is the law of; None for an open end."""

    version: PolicyVersion
    begins_at: datetime | None
    ends_at: datetime | None

    @property
    def is_now(self) -> bool:
        """Tell whether it is the law of this moment."""
        return not self.is_to_come and (self.ends_at is None or self.ends_at > now())

    @property
    def is_to_come(self) -> bool:
        """Tell whether it has not begun."""
        return self.begins_at is not None and self.begins_at > now()


class PolicyPage(StaffPage):
    """The packs of all days, the draft, its simulation and its two signatures."""

    permission_required = "consent.view_policyversion"
    template_name = "consent/policy.html"
    title = gettext_lazy("Policy packs")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the law of now, the packs with their days, and the draft if there is one."""
        draft = rule_versions.open_draft(PolicyVersion)
        pack = pack_at(now())
        return super().get_context_data(
            pack=pack,
            sections=sections(pack),
            reigns=_reigns(),
            taken_back=PolicyVersion.objects.filter(status=_Status.RETIRED).select_related(
                "withdrawn_by"
            ),
            file_form=PolicyFileForm(),
            draft=draft,
            **(self._draft(draft, kwargs.pop("form", None)) if draft else {}),
            **kwargs,
        )

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Store the draft; with the button beside, also start its simulation."""
        if not request.user.has_perm("consent.sign_policyversion"):
            raise PermissionDenied
        try:
            draft = required_draft(PolicyVersion)
            form = PolicyForm(request.POST, draft=draft)
            if not form.is_valid():
                return self.render_to_response(self.get_context_data(form=form))
            messages.success(request, self._save(draft, form))
        except RulesRefused as refusal:
            messages.error(request, str(refusal))
        return redirect("consent:policy")

    @transaction.atomic
    def _save(self, draft: PolicyVersion, form: PolicyForm) -> str:
        user, typed = staff_user(self.request), form.cleaned_data
        draft = policy_versions.save_draft(
            draft, form.document(), valid_from=typed["valid_from"], note=typed["note"], by=user
        )
        if "simulate" not in self.request.POST:
            return _("The draft is stored.")
        policy_versions.simulate(draft, by=user)
        return _("The simulation has started: it changes nothing.")

    def _draft(self, draft: PolicyVersion, form: PolicyForm | None) -> dict[str, Any]:
        replaced = policy_versions.replaced_pack(draft)
        after = read_pack(draft.parameters, code=draft.code)
        return {
            "form": form or PolicyForm(draft=draft),
            "replaced": replaced,
            "differences": differences(replaced, after),
            "is_own_signature": draft.signed_by_id == self.request.user.pk,
            "simulation": draft.simulated_by,
            "results": simulation_results(draft, replaced, after),
        }


class PolicyFile(StaffPage):
    """A version as a file."""

    permission_required = "consent.view_policyversion"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Send the file; it holds parameters, no personal data."""
        version = get_object_or_404(PolicyVersion, version=kwargs["version"])
        name = f"policy-pack-{version.code}.json"
        return HttpResponse(
            policy_versions.exported(version),
            content_type="application/json",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )


@_sign
def edit(request: HttpRequest, user: User, version: int | None = None) -> str:
    """Open a draft of the pack in force, or of an earlier version."""
    origin = get_object_or_404(PolicyVersion, version=version) if version else None
    policy_versions.open_draft(of=origin, by=user)
    return _("The draft is open. Nothing changes until two people have signed and activated it.")


@_sign
def load_file(request: HttpRequest, user: User) -> str:
    """Open a draft with what a file says."""
    form = PolicyFileForm(request.POST, request.FILES)
    if not form.is_valid():
        raise RulesRefused(" ".join(str(form.errors[name][0]) for name in form.errors))
    draft = policy_versions.import_draft(form.cleaned_data["file"].read(), by=user)
    return _("The draft %(code)s was read from the file.") % {"code": draft.code}


@_sign
def discard(request: HttpRequest, user: User) -> str:
    """Throw the draft away."""
    policy_versions.discard(required_draft(PolicyVersion), by=user)
    return _("The draft was thrown away.")


@_sign
def sign(request: HttpRequest, user: User) -> str:
    """Sign the draft."""
    draft = policy_versions.sign(required_draft(PolicyVersion), by=user)
    return _("You signed %(code)s. Somebody else has to activate it.") % {"code": draft.code}


@_sign
def withdraw_signature(request: HttpRequest, user: User) -> str:
    """Make the signed pack a draft again."""
    policy_versions.withdraw_signature(required_draft(PolicyVersion), by=user)
    return _("The signature is withdrawn: the draft can be changed again.")


@_activate
def activate(request: HttpRequest, user: User) -> str:
    """Make the signed pack the law from its day."""
    version = policy_versions.activate(required_draft(PolicyVersion), by=user)
    return _("%(code)s is activated.") % {"code": version.code}


@_activate
def take_back(request: HttpRequest, user: User, version: int) -> str:
    """Take back an activated pack that has not begun."""
    policy_versions.take_back(get_object_or_404(PolicyVersion, version=version), by=user)
    return _("The pack is taken back before its first day.")


def _reigns() -> list[Reign]:
    """Return the packs that are the law of some days, the latest first."""
    versions = activated_versions()
    ends = [version.begins_at for version in versions[1:]] + [None]
    found = [
        Reign(version, version.begins_at, end) for version, end in zip(versions, ends, strict=True)
    ]
    return found[::-1]
