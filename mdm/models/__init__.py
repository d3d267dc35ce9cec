"""Models of the ground app, by what they hold."""

from mdm.models.activity import AccessLog, Contract, Sale
from mdm.models.aliases import Alias
from mdm.models.customers import (
    Customer,
    GoldenRecord,
    Pin,
    SurvivorshipRule,
    SurvivorshipRuleSet,
)
from mdm.models.erasures import Erasure
from mdm.models.events import CustomerAct, CustomerEvent
from mdm.models.jobs import Heartbeat, Job
from mdm.models.postcodes import PostcodeTown
from mdm.models.quality import SourceQuality
from mdm.models.records import (
    ADDRESS_ATTRIBUTES,
    ATTRIBUTES,
    CARRIED_KINDS,
    ContactPoint,
    PersonValues,
    RecordContactPoint,
    SourceRecord,
)
from mdm.models.relations import Relation
from mdm.models.sources import (
    FieldMapping,
    FileMode,
    LoadBatch,
    MappingDraft,
    RejectedRow,
    SourceSystem,
    ValueMap,
)

__all__ = [
    "ADDRESS_ATTRIBUTES",
    "ATTRIBUTES",
    "CARRIED_KINDS",
    "AccessLog",
    "Alias",
    "ContactPoint",
    "Contract",
    "Customer",
    "CustomerAct",
    "CustomerEvent",
    "Erasure",
    "FieldMapping",
    "FileMode",
    "GoldenRecord",
    "Heartbeat",
    "Job",
    "LoadBatch",
    "MappingDraft",
    "PersonValues",
    "Pin",
    "PostcodeTown",
    "RecordContactPoint",
    "RejectedRow",
    "Relation",
    "Sale",
    "SourceQuality",
    "SourceRecord",
    "SourceSystem",
    "SurvivorshipRule",
    "SurvivorshipRuleSet",
    "ValueMap",
]
