"""Fields, levels, guards and learning as a rule set says: from the form to who is linked."""

import numpy as np
import pytest
from django.urls import reverse

from matching import fan_out, key_table
from matching.automatic import GUARDS, Sharing
from matching.explanation import explain
from matching.learnt import learnt_with_keys
from matching.levels import LEVELS, level_name
from matching.linkage import engine, training
from matching.linkage.comparison import compare
from matching.linkage.encoding import encode
from matching.linkage.readings import Reading
from matching.models import MatchRun, PairEvidence, ReviewTask, RuleSet
from matching.resemblance import compared, standard
from matching.rule_sets import COMPARED_FIELDS, READ_FIELDS, Parameters, readings
from matching.scoring import ScoreModel
from matching.searching import settings_of
from mdm import jobs
from tests.matching.factories import anne, customers_of, make_company, run_match
from tests.matching.people import columns_of, households
from tests.matching.test_rule_pages import PAGE, act, form, run_latest, simulate
from tests.mdm.factories import make_records
from tests.mdm.pages import client_of

pytestmark = pytest.mark.django_db

WHY = {"note": "The head of data said so, after a count."}
TWIN = {"given_name": "Paul"}
FIRM = {
    "given_name": "", "family_name": "", "birth_date": None, "organisation": "moulins duval",
    "email": "", "phone": "+33240123456", "street_number": "3", "street": "rue du Port",
}  # fmt: skip


@pytest.fixture
def steward():
    return client_of("steward")


@pytest.fixture
def pair():
    """Return two people who share a mailbox, a phone and a home among others."""
    make_company(60)
    return make_records([anne(), anne("shop", **TWIN)])


def put_in_force(steward, **changes):
    shown = simulate(steward, **{**WHY, **changes})
    act(steward, "activate")
    run_latest()
    return shown


def levels_found(field):
    found = set()
    for row in PairEvidence.objects.select_related("run"):
        levels = ScoreModel.from_state(row.run.model).levels(row.pattern)
        found.add(level_name(field, levels[field]))
    return found


def test_what_is_delivered_is_what_the_engine_does_by_itself():
    assert Parameters.read({}).document() == {}
    chosen = settings_of(Parameters())
    as_delivered = engine.Settings()
    for name in ("review_floor", "automatic_threshold", "block_cap", "unguarded", "lifts_guards"):
        assert getattr(chosen, name) == getattr(as_delivered, name)
    assert (chosen.training, chosen.reading) == (training.AS_DELIVERED, as_delivered.reading)
    assert chosen.organisation_floor is chosen.organisation_threshold is None


def test_everything_a_draft_says_is_read_again_as_it_was_said(steward):
    act(steward, "edit")
    said = {
        **WHY, "left_out": ["sex", "source"], "read-email-near": "differs",
        "unguarded": ["given_name_alone"], "keeps_guards": "yes", "keeps_learnt": "yes",
        "most_rounds": "50", "shrink": "2", "prior_pairs": "5",
        "organisation_threshold": "6", "organisation_floor": "1",
    }  # fmt: skip

    act(steward, "save", form(**said))

    stored = RuleSet.objects.get(status="draft").parameters
    assert stored == {
        "left_out": ["sex", "source"], "read_as": [["email", "near", "differs"]],
        "unguarded": ["given_name_alone"], "lifts_guards": False, "learns_anew": False,
        "most_rounds": 50, "shrink": 2.0, "prior_pairs": 5.0,
        "organisation_threshold": 6.0, "organisation_floor": 1.0,
    }  # fmt: skip
    assert Parameters.read(stored).document() == stored
    shown = steward.get(PAGE)
    assert [row.field for row in shown.context["draft_fields"] if row.is_left_out] == [
        "sex",
        "source",
    ]
    assert '<option value="differs" selected>' in shown.text


def test_a_field_left_out_is_not_compared_and_the_page_of_the_search_says_so(steward, pair):
    put_in_force(steward, left_out=["email", "phone"])

    run = MatchRun.objects.standing().get()
    assert not {"email", "phone"} & set(run.model["fields"])
    shown = steward.get(reverse("matching:run", args=[run.pk]))
    assert ("Fields left out", ["phone", "e-mail"]) in shown.context["said"]


def test_a_level_counts_as_another_in_a_search_of_all_of_changes_and_of_one_person(steward, pair):
    run_match()
    before = levels_found("phone")
    put_in_force(steward, **{"read-given_name-two_edits": "differs", "read-phone-same": "unknown"})
    jobs.run_now(key_table.prepare())

    assert "same" in before
    assert "same" not in levels_found("phone")
    make_records([anne("web", phone="+33240123456")])
    run_match(scope="changed")
    assert "same" not in levels_found("phone")
    learnt = learnt_with_keys()
    described = standard({"given_name": "Anne", "family_name": "Lefebvre"}, phones=["0240123456"])
    found = [learnt.model.levels(pattern) for _score, _pk, pattern in compared(described, learnt)]
    assert found
    assert {levels["phone"] for levels in found} <= {0, LEVELS["phone"]["DIFFERS"]}


def test_workers_who_share_a_search_read_levels_alike(steward, pair, settings, monkeypatch):
    settings.MATCH_SPREAD_FROM_PAIRS = 1
    readings_built, begin = [], fan_out.JobCrew._begin

    def begin_and_build(crew, *laid_out):
        begin(crew, *laid_out)
        helper, _parts = fan_out._build(crew.row)
        for one in (laid_out[0], helper):
            tables = {name: table.tolist() for name, table in one.encoded.reading.tables.items()}
            readings_built.append((one.encoded.reading.left_out, tables))

    monkeypatch.setattr(fan_out.JobCrew, "_begin", begin_and_build)
    said = {"read-phone-same": "unknown", "left_out": ["birth_date"]}
    put_in_force(steward, **said)
    assert readings_built[0] == readings_built[1]
    assert readings_built[0][1].keys() == {"phone"}
    spread = list(PairEvidence.objects.order_by("left", "right").values_list("left", "score"))

    settings.MATCH_SPREAD_FROM_PAIRS = 1 << 60
    run_match()

    alone = list(PairEvidence.objects.order_by("left", "right").values_list("left", "score"))
    assert alone == spread
    assert spread


def test_a_guard_that_is_off_lets_a_household_merge_and_the_simulation_says_so(steward, pair):
    one, other = pair
    run_match()
    assert len(set(customers_of(one, other))) == 2

    shown = put_in_force(
        steward, unguarded=["given_name_conflict"], automatic_threshold="-20", review_floor="-60"
    )

    assert shown.context["outcome"]["merged_customers"] > 0
    assert "consent of one would speak for the other" in shown.text
    assert len(set(customers_of(one, other))) == 1
    row = PairEvidence.objects.select_related("run").get(left=one, right=other)
    assert row.automatic
    assert explain(row).held_back == ""
    assert not ReviewTask.objects.filter(left=one, right=other, state="open").exists()


def test_each_guard_that_stays_holds_what_it_held(steward, pair):
    one, other = pair

    others = [guard for guard in GUARDS if guard != "given_name_conflict"]

    put_in_force(steward, unguarded=others, automatic_threshold="-20", review_floor="-60")

    assert len(set(customers_of(one, other))) == 2


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"left_out": ["shoe_size"], **WHY}, "Unknown field"),
        ({"left_out": ["kind"], **WHY}, "Unknown field"),
        ({"left_out": list(COMPARED_FIELDS), **WHY}, "nothing would be compared"),
        ({"read-email-near": "shoe"}, "cannot count as"),
        ({"read-given_name-differs": "same_common", **WHY}, "cannot count as"),
        ({"read-birth_date-same_year": "same", **WHY}, "cannot count as"),
        ({"read-email-same": "spells_name"}, "cannot count as"),
        (
            {"read-email-near": "one_slip", "read-email-one_slip": "same"},
            "itself counts as another",
        ),
        ({"unguarded": ["all"], **WHY}, "Unknown guard"),
        ({"unguarded": ["sex_conflict"]}, "weaken a guard"),
        ({"left_out": ["birth_date"], "note": " "}, "weaken a guard"),
        ({"read-birth_date-close": "same"}, "weaken a guard"),
        ({"read-email-near": "same_named"}, "weaken a guard"),
        ({"most_rounds": "0"}, "1 to 1,000 rounds"),
        ({"shrink": "101"}, "from 0 to 100"),
        ({"prior_pairs": "0"}, "from 0 to 100"),
        ({"organisation_floor": "5"}, "above the floor"),
        ({"organisation_threshold": "-9"}, "above the floor"),
    ],
)
def test_settings_that_make_no_sense_or_say_no_reason_are_refused(steward, changes, words):
    act(steward, "edit")

    answer = act(steward, "save", form(**changes))

    assert words in answer.text
    assert RuleSet.objects.get(status="draft").parameters == {}


def test_organisations_have_a_threshold_of_their_own(steward):
    make_company(60)
    one, other = make_records([anne(**FIRM), anne("shop", **FIRM)])
    run_match()
    row = PairEvidence.objects.get(left=one, right=other)
    assert row.automatic
    people = PairEvidence.objects.filter(automatic=True).exclude(pk=row.pk).count()

    put_in_force(steward, organisation_threshold="900")

    row = PairEvidence.objects.get(left=one, right=other)
    assert not row.automatic
    assert PairEvidence.objects.filter(automatic=True).count() == people
    put_in_force(steward, organisation_threshold="900", organisation_floor="900")
    assert not PairEvidence.objects.filter(left=one, right=other).exists()
    assert PairEvidence.objects.filter(automatic=True).count() == people


def test_how_a_search_learns_is_what_the_rules_say(steward, pair, monkeypatch):
    fitted = []
    fit = training._fit
    monkeypatch.setattr(
        training,
        "_fit",
        lambda *given: fitted.append((given[-1], fit(*given))) or fitted[-1][1],
    )

    put_in_force(steward, most_rounds="3", shrink="2", prior_pairs="5")

    said = training.Training(3, 2.0, 5.0)
    assert [found.rounds for how, found in fitted if how == said] == [3] * len(
        [how for how, _found in fitted if how == said]
    )
    assert said in [how for how, _found in fitted]


@pytest.mark.parametrize("spread_from", [1, 1 << 60])
def test_a_search_may_go_by_what_the_first_one_learnt(steward, pair, settings, spread_from):
    settings.MATCH_SPREAD_FROM_PAIRS = spread_from
    put_in_force(steward, keeps_learnt="yes")
    first = MatchRun.objects.standing().first()
    make_records([anne("web", given_name=f"Marie{n}", family_name="Roy") for n in range(30)])

    run_match()

    run = MatchRun.objects.standing().first()
    assert run.pk != first.pk
    assert run.model == first.model
    assert [r["rule"] for r in run.counts["rules"]] == [
        r["rule"] for r in first.counts["rules"] if r["used"]
    ]
    put_in_force(steward)
    assert MatchRun.objects.standing().first().model != first.model


def test_a_guard_is_never_lifted_where_the_rules_say_so(steward, monkeypatch):
    personal = Sharing(("address", "email", "phone"), has_families=False)
    monkeypatch.setattr(engine, "sharing_of", lambda *_: personal)
    make_company(60)
    run_match()
    assert MatchRun.objects.latest("pk").model["personal"] == ["address", "email", "phone"]

    put_in_force(steward, keeps_guards="yes")

    assert MatchRun.objects.latest("pk").model["personal"] == []


@pytest.mark.parametrize("field", COMPARED_FIELDS)
def test_any_field_may_be_left_out(field):
    rows = [(record, {**values, "sex": "f"}) for record, _person, values in households(60)]

    found = engine.link(columns_of(rows), engine.Settings(reading=Reading.of([field], ())))

    assert field not in found.model["fields"]
    assert len(found.pairs)


def test_names_are_not_spelt_by_mailboxes_that_are_left_out():
    bare = {"email": "annelefebvre@example.com"}
    named = {"given_name": "anne", "family_name": "lefebvre"}
    rows = columns_of([(1, bare), (2, named), (3, {**named, **bare})])
    one, other = np.array([0], np.int32), np.array([1], np.int32)

    assert compare(encode(rows), one, other)["given_name"][0] > 0
    left_out = encode(rows, reading=Reading.of(["email"], ()))
    assert compare(left_out, one, other)["given_name"][0] == 0


def test_every_level_may_count_as_one_that_the_field_has():
    for field in READ_FIELDS:
        names = {level.name.lower() for level in LEVELS[field]}
        for level in names:
            assert set(readings(field, level)) <= names - {level}
    assert readings("kind", "persons") == readings("source", "same") == []
    assert len(GUARDS) == len(set(GUARDS))
