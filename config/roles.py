"""What each role may do: the one table behind menus, pages and refusals."""

from collections.abc import Mapping
from typing import Final

from django.contrib.auth.models import Group, Permission

STEWARD: Final = "steward"
DPO: Final = "dpo"
MARKETER: Final = "marketer"
ADMINISTRATOR: Final = "administrator"
CALLER: Final = "caller"

# app.codename of Django permissions. Nobody exports but through a target list, and nobody edits
# a ledger: such permissions stand in no role.
PERMISSIONS: Mapping[str, tuple[str, ...]] = {
    STEWARD: (
        "mdm.view_customer",
        "mdm.view_sourcerecord",
        "mdm.view_goldenrecord",
        "mdm.view_contactpoint",
        "mdm.view_sourcesystem",
        "mdm.add_sourcesystem",
        "mdm.change_sourcesystem",
        "mdm.import_sourcesystem",
        "mdm.export_sourcesystem",
        "mdm.view_valuemap",
        "mdm.add_valuemap",
        "mdm.change_valuemap",
        "mdm.delete_valuemap",
        "mdm.import_valuemap",
        "mdm.export_valuemap",
        "mdm.view_historicalvaluemap",
        "mdm.view_fieldmapping",
        "mdm.add_fieldmapping",
        "mdm.view_survivorshiprule",
        "mdm.import_survivorshiprule",
        "mdm.export_survivorshiprule",
        "mdm.view_pin",
        "mdm.add_pin",
        "mdm.view_sourcequality",
        "mdm.activate_survivorshipruleset",
        "mdm.add_relation",
        "mdm.view_loadbatch",
        "mdm.load_records",
        "mdm.undo_load",
        "mdm.view_job",
        "mdm.cancel_job",
        "mdm.view_historicalsourcesystem",
        "mdm.view_historicalsourcerecord",
        "mdm.view_historicalcustomer",
        "mdm.view_historicalgoldenrecord",
        "matching.run_match",
        "matching.review_pairs",
        "matching.view_matchrun",
        "matching.view_reviewtask",
        "matching.view_decision",
        "matching.view_ruleset",
        "matching.activate_ruleset",
        "consent.view_permissionstate",
        "consent.use_call_desk",
        "consent.record_offline",
    ),
    DPO: (
        "mdm.view_customer",
        "mdm.view_sourcequality",
        "mdm.view_accesslog",
        "mdm.view_job",
        "consent.view_consentevent",
        "consent.view_ledgercheck",
        "consent.verify_ledger",
        "consent.view_permissionstate",
        "consent.view_purpose",
        "consent.add_purpose",
        "consent.change_purpose",
        "consent.import_purpose",
        "consent.export_purpose",
        "consent.view_similarfamily",
        "consent.add_similarfamily",
        "consent.change_similarfamily",
        "consent.import_similarfamily",
        "consent.export_similarfamily",
        "consent.view_historicalsimilarfamily",
        "consent.view_policyversion",
        "consent.sign_policyversion",
        "consent.activate_policyversion",
        "consent.view_historicalpolicyversion",
        "consent.view_consents_running_out",
        "consent.view_historicalpurpose",
        "consent.view_noticeversion",
        "consent.add_noticeversion",
        "consent.add_noticewithdrawal",
        "consent.add_noticepicture",
        "consent.make_proofpack",
        "consent.make_accesspack",
        "consent.view_conflictresolution",
        "consent.add_conflictresolution",
        "consent.view_collectionpoint",
        "consent.add_collectionpoint",
        "consent.change_collectionpoint",
        "consent.view_historicalcollectionpoint",
        "consent.view_collectionchoice",
        "consent.add_collectionchoice",
        "consent.change_collectionchoice",
        "consent.delete_collectionchoice",
        "consent.record_offline",
        "consent.check_brokers",
        "consent.view_suppressionlist",
        "consent.change_suppressionlist",
        "consent.view_rightsrequest",
        "consent.answer_rightsrequest",
        "campaigns.view_campaign",
        "campaigns.view_targetlist",
        "campaigns.view_listdownload",
        "campaigns.audit_listdownload",
    ),
    MARKETER: (
        "campaigns.view_campaign",
        "campaigns.add_campaign",
        "campaigns.change_campaign",
        "campaigns.view_targetlist",
        "campaigns.freeze_targetlist",
        "campaigns.download_targetlist",
        "campaigns.view_listdownload",
        "consent.view_consents_running_out",
    ),
    CALLER: ("consent.use_call_desk",),
    ADMINISTRATOR: (
        "auth.view_user",
        "auth.add_user",
        "auth.change_user",
        "auth.view_group",
        "mdm.view_job",
        "mdm.cancel_job",
        "mdm.view_sourcesystem",
        "matching.view_ruleset",
        "consent.view_policyversion",
        "consent.activate_policyversion",
    ),
}


def create_roles() -> None:
    """Create the groups and give each exactly its permissions; safe to run again.

    Raises:
        LookupError: when a permission of the table does not exist.
    """
    known = {
        f"{app}.{codename}": key
        for key, app, codename in Permission.objects.values_list(
            "pk", "content_type__app_label", "codename"
        )
    }
    for role, names in PERMISSIONS.items():
        missing = [name for name in names if name not in known]
        if missing:
            raise LookupError(f"Role {role}: no such permission: {', '.join(missing)}.")
        group, _ = Group.objects.get_or_create(name=role)
        group.permissions.set([known[name] for name in names])
