"""Every place of personal data is told in the access pack, or says why not."""

from django.apps import apps

from config.access.tables import TABLES
from mdm import erasure
from mdm.models import ContactPoint, Customer, SourceRecord


def test_every_place_of_personal_data_is_told_or_says_why_not():
    tables = {table.name for table in TABLES}

    for place in erasure.places():
        assert bool(place.told_in) != bool(place.untold), str(place.label)
        assert not place.told_in or place.told_in in tables, str(place.label)


# Models that point at a person and that no table of the pack reads, and why that is right.
NOT_TOLD = {
    "consent.HistoricalPause": "earlier states of a pause, which is told",
    "matching.FormerEvidence": "what a search replaced: scores that count no more",
    "matching.ReviewTask": "a question to staff on two records; the answer is told",
    "mdm.HistoricalAlias": "earlier states of an id kept, which is told",
    "mdm.HistoricalCustomer": "the events of the customer tell the same",
    "mdm.HistoricalPin": "a pin is told with when it was made and taken back",
    "mdm.HistoricalRelation": "a relation is told with when it was made and taken back",
    "matching.HistoricalDecision": "a decision is told with when it was made and taken back",
    "matching.HistoricalRepair": "a repair is told with its decisions",
    "consent.HistoricalPermissionState": "derived from the events, which are told",
    "consent.HistoricalRightsRequest": "a request is told with when it came and was answered",
}


def test_every_model_that_points_at_a_person_is_told_or_listed_with_the_reason():
    people = {Customer, SourceRecord, ContactPoint}
    pointing = {
        model
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.get_fields()
        if field.many_to_one and field.related_model in people
    }
    told = {model for table in TABLES for model in table.models}

    assert {model._meta.label for model in pointing - told} == set(NOT_TOLD)
