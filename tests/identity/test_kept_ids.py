"""An id kept on the larger part when the oldest record was the wrong one: a fact, undoable."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils.translation import override

from matching.decisions import Verdict, decide
from matching.kept_ids import give_back
from matching.models import Repair
from matching.repairs import Wish, repair, undo
from mdm.birth_ids import display, public_id
from mdm.fates import what_became_of
from mdm.households import relate
from mdm.models import Alias, Customer, Relation
from mdm.replay import check
from tests.identity.snapshots import snapshot
from tests.identity.test_repair_pages import confirm, page_of
from tests.matching.factories import customers_of, make_evidence, make_steward, settled
from tests.mdm.factories import make_record, make_records
from tests.mdm.pages import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    """A customer of three records, of which the oldest is somebody else."""
    records = make_records([{"given_name": name} for name in ("Luc", "Anne", "Anna")])
    for record in records[1:]:
        make_evidence(records[0], record, 9.0)
    make_evidence(records[1], records[2], 9.0)
    settled(records[0])
    return records


def split_off(records, *, keeps_id=True):
    luc = records[0]
    wish = Wish("unlink", luc.pk, (luc.pk,), keeps_id=keeps_id)
    return repair(wish, by=make_steward())


def test_the_larger_part_keeps_its_id_and_the_other_gets_one_of_its_own(people):
    luc, anne, _anna = people
    done = split_off(people)

    issued = Alias.objects.get().stand_in_id
    assert customers_of(*people) == [issued, luc.pk, luc.pk]
    assert what_became_of(public_id(luc.pk)).live.pk == luc.pk
    assert what_became_of(public_id(anne.pk)).live.pk == luc.pk
    with override("en"):
        assert what_became_of(public_id(issued)).sentences() == [
            f"{display(public_id(issued))} is in use."
        ]
    assert check().is_sound
    call_command("check_invariants", stdout=StringIO())
    assert done.alias.customer_id == luc.pk


def test_no_record_is_ever_born_with_an_id_that_was_issued(people):
    split_off(people)

    newcomer = make_record(given_name="Zoé")

    issued = Alias.objects.get().stand_in_id
    assert newcomer.pk > issued
    assert Customer.objects.count() == 5


def test_undoing_the_split_gives_everything_back(people):
    before = snapshot()
    done = split_off(people)
    undo(done, by=make_steward())

    issued = Alias.objects.get().stand_in_id
    assert customers_of(*people) == [people[0].pk] * 3
    assert what_became_of(public_id(issued)).live.pk == people[0].pk
    Alias.history.all().delete()
    Repair.objects.update(alias=None)
    Alias.objects.all().delete()
    Customer.objects.filter(pk=issued).delete()
    assert snapshot() == before
    assert done.decisions.filter(retracted_at=None).count() == 0


def test_an_id_given_back_leads_elsewhere_also_when_it_names_nobody():
    records = make_records([{"given_name": n} for n in ("Ève", "Zoé", "Luc", "Anne", "Anna")])
    eve, zoe, luc, anne, anna = records
    for one, other in ((luc, anne), (luc, anna), (anne, anna)):
        make_evidence(one, other, 9.0)
    settled(luc)
    done = split_off([luc, anne, anna])
    steward = make_steward()
    decide(eve.pk, anne.pk, Verdict.SAME, by=steward)
    decide(zoe.pk, luc.pk, Verdict.SAME, by=steward)
    assert what_became_of(public_id(luc.pk)).live.pk == eve.pk

    give_back(done.alias, by=steward)

    assert what_became_of(public_id(luc.pk)).live.pk == zoe.pk
    assert what_became_of(public_id(done.alias.stand_in_id)).live.pk == zoe.pk
    assert check().is_sound


def test_a_split_without_the_wish_moves_the_id_with_its_record(people):
    split_off(people, keeps_id=False)

    assert customers_of(*people) == [people[0].pk, people[1].pk, people[1].pk]
    assert not Alias.objects.exists()


def test_a_steward_keeps_the_number_and_gives_it_back_on_the_pages(people):
    luc, anne, _anna = people
    client, url = client_of("steward"), page_of(luc, "customer-repair")

    offer = client.post(url, {"kind": "unlink", "record": luc.pk})
    assert f"Keep the number {display(public_id(luc.pk))} on the larger part" in offer.text
    preview = client.post(url, {"kind": "unlink", "record": luc.pk, "keep_id": "on"})
    assert "A new number is issued for 1 record." in preview.text
    assert not Alias.objects.exists()
    answer = confirm(client, url, preview.text, keep_id="on", note="typed over")

    assert "Numbers kept here" in answer.text
    assert "typed over" in answer.text
    assert "the number stayed with the larger part" in answer.text
    alias = Alias.objects.get()
    back = page_of(luc, "customer-give-id-back")
    preview = client.post(back, {"alias": alias.pk})
    assert display(public_id(anne.pk)) in preview.text
    assert Alias.objects.filter(retracted_at=None).exists()
    client.post(back, {"alias": alias.pk, "confirm": "1"})
    assert customers_of(*people) == [luc.pk, anne.pk, anne.pk]
    assert (
        "already given back"
        in client.post(
            page_of(luc, "customer-give-id-back"), {"alias": alias.pk, "confirm": "1"}, follow=True
        ).text
    )
    assert Alias.history.filter(history_user__isnull=False).count() == 2


def test_an_id_is_not_given_back_when_a_colleague_changed_the_customer_meanwhile(people):
    luc, anne, anna = people
    split_off(people)
    client, back = client_of("steward"), page_of(luc, "customer-give-id-back")
    sent = {"alias": Alias.objects.get().pk}
    seen = client.post(back, sent).context["versions"]
    decide(anne.pk, anna.pk, Verdict.DIFFERENT, by=make_steward("c.moreau"))

    refused = client.post(back, {**sent, "versions": seen, "confirm": "1"})

    assert refused.status_code == 409
    assert "c.moreau" in refused.text
    assert Alias.objects.filter(retracted_at=None).exists()
    client.post(back, {**sent, "versions": refused.context["versions"], "confirm": "1"})
    assert not Alias.objects.filter(retracted_at=None).exists()


def test_the_number_is_not_offered_to_the_smaller_part(people):
    luc, _anne, anna = people

    offer = client_of("steward").post(
        page_of(luc, "customer-repair"), {"kind": "unlink", "record": anna.pk}
    )

    assert "Keep the number" not in offer.text


@pytest.mark.parametrize("role", ["dpo", "marketer"])
def test_others_may_not_give_an_id_back(people, role):
    split_off(people)

    answer = client_of(role).post(
        page_of(people[0], "customer-give-id-back"), {"alias": Alias.objects.get().pk}
    )

    assert answer.status_code == 403


def test_a_relation_hangs_on_a_record_of_the_customer_who_has_the_id_today(people):
    split_off(people)
    luc_now = Customer.objects.get(pk=Alias.objects.get().stand_in_id)
    anne_now = Customer.objects.get(pk=people[0].pk)

    relate(luc_now, anne_now, "guardian", by=make_steward())

    relation = Relation.objects.get()
    assert (relation.left_id, relation.right_id) == (people[0].pk, people[1].pk)


def test_kept_ids_show_on_the_page_of_who_has_them(people):
    split_off(people)

    answer = client_of("steward").get(
        reverse("mdm:customer", args=[public_id(people[1].pk)]), follow=True
    )

    assert answer.redirect_chain == [(page_of(people[0]), 302)]
    assert "Numbers kept here" in answer.text
