"""Words of free texts that refuse contact."""

import pytest

from mdm.standardise.refusals import refuses


@pytest.mark.parametrize(
    "text",
    [
        "STOP PUB",
        "stop aux sms",
        "STOP",
        "désinscrit le 12/03/2024",
        "Désabonnée en mars",
        "ne plus appeler",
        "Ne souhaite plus être contactée",
        "ne pas lui envoyer de courrier",
        "pas de démarchage svp",
        "refuse la publicité",
        "opposition reçue par courrier",
        "opt-out 2023",
        "inscrit sur Bloctel",
        "Please do not call",
        "unsubscribed",
    ],
)
def test_a_refusal_is_known_by_its_words(text):
    assert refuses(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bon client",
        "rappeler lundi",
        "inscrit le 12/03/2024",
        "habite à l'opposé du magasin",
        "arrêt de bus devant la maison",
        "Stoppa SARL",
        "préfère les appels le soir",
        "n'aime pas le bleu",
        "livraison non stop",
        "no 5, porte gauche",
        "posté le 3",
    ],
)
def test_other_remarks_are_none(text):
    assert not refuses(text)
