"""Models of consent, by what they hold."""

from consent.models.brokers import ProofFinding, QuarantineDecision, SampledClaim, SampleDraw
from consent.models.calling import CallAttempt
from consent.models.collecting import (
    CollectionChoice,
    CollectionPoint,
    Evidence,
    NoticePicture,
    NoticeWithdrawal,
    OptInChoice,
    OptInRequest,
    OutgoingMail,
    Throttle,
)
from consent.models.conflicts import ConflictResolution
from consent.models.families import SimilarFamily
from consent.models.ledger import (
    ALL_CHANNELS,
    Channel,
    ConsentEvent,
    NoticeVersion,
    PermissionState,
    Purpose,
)
from consent.models.policy import PolicyVersion
from consent.models.rights import AccessPack, Pause, ProofPack, RightsRequest
from consent.models.sealing import EventSeal, LedgerCheck, SealBlock
from consent.models.suppression import RegisterCheck, Suppression, SuppressionList

__all__ = [
    "ALL_CHANNELS",
    "AccessPack",
    "CallAttempt",
    "Channel",
    "CollectionChoice",
    "CollectionPoint",
    "ConflictResolution",
    "ConsentEvent",
    "EventSeal",
    "Evidence",
    "LedgerCheck",
    "NoticePicture",
    "NoticeVersion",
    "NoticeWithdrawal",
    "OptInChoice",
    "OptInRequest",
    "OutgoingMail",
    "Pause",
    "PermissionState",
    "PolicyVersion",
    "ProofFinding",
    "ProofPack",
    "Purpose",
    "QuarantineDecision",
    "RegisterCheck",
    "RightsRequest",
    "SampleDraw",
    "SampledClaim",
    "SealBlock",
    "SimilarFamily",
    "Suppression",
    "SuppressionList",
    "Throttle",
]
