"""Loads pay for no index that nobody reads, nor for keys of sales and contracts looked up one by one."""

import django.db.models.deletion
from django.db import migrations, models

from mdm.migration_steps import Unburden, who_of

HISTORIES = (
    "historicalalias",
    "historicalcustomer",
    "historicalgoldenrecord",
    "historicalpin",
    "historicalrelation",
    "historicalsourcerecord",
    "historicalsourcesystem",
    "historicalsurvivorshiprule",
    "historicalsurvivorshipruleset",
    "historicalvaluemap",
)


def record(name: str) -> models.Field:
    return models.ForeignKey(
        db_constraint=False,
        db_index=False,
        on_delete=django.db.models.deletion.CASCADE,
        related_name=name,
        to="mdm.sourcerecord",
    )


def address() -> models.Field:
    return models.ForeignKey(
        blank=True,
        db_constraint=False,
        db_index=False,
        help_text="The e-mail address collected at that sale.",
        null=True,
        on_delete=django.db.models.deletion.PROTECT,
        related_name="+",
        to="mdm.contactpoint",
    )


def survivor() -> models.Field:
    return models.ForeignKey(
        blank=True,
        db_index=False,
        null=True,
        on_delete=django.db.models.deletion.PROTECT,
        related_name="merged_ids",
        to="mdm.customer",
    )


SALES = (("mdm_sale", "record_id"), ("mdm_sale", "contact_point_id"), ("mdm_contract", "record_id"))


class Migration(migrations.Migration):
    dependencies = [("mdm", "0001_squashed_0011_journal_erasures")]

    operations = [
        Unburden(
            [
                *who_of(HISTORIES),
                migrations.AlterField("sale", "record", record("sales")),
                migrations.AlterField("sale", "contact_point", address()),
                migrations.AlterField("contract", "record", record("contracts")),
                migrations.AlterField("customer", "merged_into", survivor()),
            ],
            indexes=[
                *((f"mdm_{name}", "history_user_id") for name in HISTORIES),
                *SALES,
                ("mdm_customer", "merged_into_id"),
            ],
            foreign_keys=SALES,
        ),
        migrations.AddIndex(
            "customer",
            models.Index(
                condition=models.Q(("merged_into__isnull", False)),
                fields=["merged_into"],
                name="customer_merged_ids",
            ),
        ),
    ]
