"""Columns of files nobody has seen are proposed as a careful person would map them."""

import tomllib
from itertools import islice
from pathlib import Path

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from mdm.demo.company import write_company
from mdm.mapping import ATTRIBUTES, REPEATABLE, FileOptions
from mdm.mapping_documents import proposed_entry, to_toml
from mdm.mapping_parsing import parse_mapping, read_document
from mdm.mapping_words import changes
from mdm.proposals.columns import ColumnSample, Proposal, propose
from mdm.proposals.looks import unread_count
from mdm.reading.rows import Row
from mdm.reading.tables import open_table

ROOT = Path(__file__).resolve().parents[3]


def sample(path: Path) -> list[ColumnSample]:
    table = open_table(path, FileOptions(), [])
    rows = [row.cells for row in islice(table.rows(), 1000) if isinstance(row, Row)]
    return [
        ColumnSample(name, tuple(r[name] for r in rows if r[name].strip()), len(rows))
        for name in table.columns
    ]


def proposed(path: Path, region: str = "FR") -> dict[str, Proposal]:
    columns = sample(path)
    return {c.name: p for c, p in zip(columns, propose(columns, region=region), strict=True)}


def column(name: str, *values: str, rows: int = 0) -> ColumnSample:
    return ColumnSample(name, values, rows or len(values))


def one(name: str, *values: str, region: str = "FR") -> Proposal:
    """Propose for a column beside a key and a given name."""
    others = [
        column("id", *(f"K{n}" for n in range(len(values)))),
        column("prenom", "Anne", "Luc"),
    ]
    return propose([column(name, *values), *others], region=region)[0]


@pytest.mark.parametrize(
    ("name", "value", "attribute"),
    [
        ("adresse.ville", "Lyon", "city"),
        ("contact.courriel", "a@example.org", "email"),
        ("tels", "06 39 98 12 34; 06 39 98 12 35", "phone"),
        ("maj le", "13/10/2026", "updated_at"),
        ("marketing.sms", "true", "permission"),
        ("preferences.email", "a@example.org", "email"),
        ("orders.1.id", "17", ""),
        ("orders.1.date", "13/10/2026", ""),
    ],
)
def test_nested_and_less_usual_names_are_understood(name, value, attribute):
    assert one(name, value).attribute == attribute


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    return write_company(tmp_path_factory.mktemp("company"), rows=300, seed=5)


@pytest.mark.parametrize("code", ["crm", "shop", "newsletter"])
def test_the_files_of_the_demo_are_proposed_as_their_mappings_say(company, code):
    mapping = parse_mapping(read_document(ROOT / "mdm" / "mappings" / f"demo-{code}.toml"))

    found = proposed(getattr(company, code))

    told = {name: (p.attribute, p.channel, p.format) for name, p in found.items() if p.attribute}
    # ISO 8601 needs no format, though one mapping spells it out.
    formats = {
        c.name: "" if c.format.startswith("%Y-%m-%dT") else c.format for c in mapping.columns
    }
    assert told == {c.name: (c.attribute, c.channel, formats[c.name]) for c in mapping.columns}


@pytest.mark.parametrize(
    ("name", "values", "attribute"),
    [
        ("Courriel", ["a@example.org", "b@example.org"], "email"),
        ("colonne 7", ["a@example.org", "b@example.org"], "email"),
        ("Contact", ["06 12 34 56 78", "+33 6 39 98 12 34"], "phone"),
        ("x", ["12 rue des Lilas", "3 avenue Foch"], "address_line"),
        ("x", ["M.", "Mme", "Mlle"], "civility"),
        ("Titre", ["M.", "Mme", "Mlle"], "civility"),
        ("Titre", ["Directeur", "Comptable"], ""),
        ("x", ["Dupont SARL", "ACME SAS"], "organisation"),
        ("x", ["75001", "13002", "75001"], "postcode"),
        ("Date de naissance", ["31/12/1960"], "birth_date"),
        ("dateNaissance", ["31/12/1960"], "birth_date"),
        ("Date de naissance", ["15/10/1750", "27/07/1740"], "birth_date"),
        ("Adres", ["Keijsersstraat 108", "Velzenplein 9"], "address_line"),
        ("Date de naissance", ["oui", "non"], ""),
        ("Accepte les SMS", ["O", "N"], "permission"),
        ("Désinscrit", ["oui", "non"], "opt_out"),
        ("Désinscrit", ["2024-01-31", "2024-02-01"], "opt_out_at"),
        ("Consentement", ["2024-01-31", "2024-02-01"], "permission_at"),
        ("email", ["O", "N", "O"], "permission"),
        ("N° adhérent", ["A1", "A2"], "source_key"),
        ("Né(e) le", ["31/12/1960", "4/3/1961"], "birth_date"),
        ("CP ville", ["75001 PARIS", "n/c", "44000 NANTES CEDEX 1", "n/c"], "city"),
        ("Tél. (fixe / portable)", ["01 42 11 22 33 / 06.39.98.12.34", "n/c"], "phone"),
        ("Tél. port.", ["06 39 98 12 34 ou 01 42 11 22 33 (soir)", "06 00 00 00 00"], "phone"),
        ("Tél. dom.", ["le soir"], "phone"),
        ("Port", ["06 39 98 12 34", "06 39 98 12 35"], "phone"),
        ("Port", ["5,90", "0,00"], ""),
        ("Né en", ["1964", "1971", "1964"], "birth_date"),
        ("x", ["1964", "1971", "1964"], ""),
        ("Code postal / Ville", ["75001 PARIS", "n/c"], "city"),
        ("Mailing O/N", ["O", "N", "O"], "permission"),
        ("Adresse complète", ["12 rue Foch, 75002 Paris", "BP 12, 29200 BREST"], "full_address"),
        ("adresse", ["12 rue de la Paix, 75002 Paris", "3 pl. Foch 89100 Sens"], "full_address"),
        ("adresse", ["12 rue de la Paix", "3 pl. Foch"], "address_line"),
        ("né le", ["31/12/1960", "1961-12-31", "31.12.1962", "1963"], "birth_date"),
        ("Année de naissance", ["1960", "1971"], "birth_date"),
        ("MailingCity", ["Sens", "Laon"], "city"),
        ("Default Address Zip", ["89100", "75002"], "postcode"),
        ("Ville du client", ["Sens", "Laon"], "city"),
        ("CreatedDate", ["2024-01-31", "2024-02-01"], "created_at"),
        ("HasOptedOutOfEmail", ["true", "false"], "opt_out"),
        ("DoNotCall", ["true", "false"], "opt_out"),
        ("Accepts SMS Marketing", ["yes", "no"], "permission"),
        ("opt_mail", ["O", "N"], "permission"),
        ("Inscrit NL", ["oui", "non"], "permission"),
        ("Accord", ["oui", "non"], "permission"),
        ("J'accepte de recevoir vos offres", ["oui", "non"], "permission"),
        ("Abonné SMS", ["oui", "non"], "permission"),
        ("Abonné Premium", ["oui", "non"], ""),
        ("Inscrit au tournoi", ["oui", "non"], ""),
        ("Cotisation payée O/N", ["O", "N"], ""),
        ("Consentement RGPD", ["oui", "non"], ""),
        ("Accord commercial", ["oui", "non"], ""),
        ("Accepte CGV", ["oui", "non"], ""),
        ("Autorisation parentale", ["oui", "non"], ""),
        ("Accord prélèvement", ["oui", "non"], ""),
        ("Consentement cookies", ["oui", "non"], ""),
        ("Optin partenaires", ["oui", "non"], ""),
        ("Third party opt-in", ["yes", "no"], ""),
        ("J'accepte les offres des partenaires", ["oui", "non"], ""),
        ("UNSUB_TIME", ["2024-01-31 10:00:00", "2024-02-01 11:00:00"], "opt_out_at"),
        ("E-mail 1 - Value", ["a@example.org", "b@example.org"], "email"),
        ("Address 1 - City", ["Sens", "Laon"], "city"),
        ("billing_address_2", ["Bât. B", "Esc. 3"], "address_complement"),
        ("Last contact", ["12", "40"], ""),
        ("Vorname", ["Jürgen", "Änne"], "given_name"),
        ("Newsletter", ["ja", "nein"], "permission"),
        ("Télécopie", ["03 86 11 22 34", "03 86 11 22 35"], ""),
        ("email du vendeur", ["a@example.org", "b@example.org"], ""),
        ("OPTIN_IP", ["192.0.2.1", "192.0.2.2"], ""),
        ("Opt-in score", ["12", "40"], ""),
        ("points", ["12", "40"], ""),
        ("commentaire", ["a rappeler", "client difficile"], ""),
    ],
)
def test_name_and_values_are_weighed_together(name, values, attribute):
    assert one(name, *values).attribute == attribute


@pytest.mark.parametrize(
    ("name", "channel"),
    [
        ("accord_email", "email"),
        ("optin sms", "sms"),
        ("Accord téléphone", "phone"),
        ("consentement courrier", "post"),
        ("newsletter", "email"),
        ("Ne pas contacter", "*"),
        ("Bloctel", "phone"),
    ],
)
def test_the_channel_of_a_permission_is_read_from_its_name(name, channel):
    assert one(name, "O", "N").channel == channel


def test_an_empty_column_of_permissions_is_no_phone():
    found = one("marketing.sms")

    assert (found.attribute, found.channel) == ("permission", "sms")


def test_the_spellings_of_yes_and_no_are_those_of_the_column():
    found = one("optin", "OUI", "non", "peut-être")

    assert (found.yes, found.no) == (("OUI",), ("non",))
    assert one("optin", "OUI", "non").yes == ("OUI",)
    # No objection in the sample: one that comes later is understood all the same.
    entry = proposed_entry(column("DoNotCall", "false"), one("DoNotCall", "false"))
    assert entry == {
        "name": "DoNotCall", "attribute": "opt_out", "channel": "phone", "no": ["false"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("values", "region", "first", "is_ambiguous"),
    [
        (["31/12/1960", "01/02/1961"], "FR", "%d/%m/%Y", False),
        (["12/31/1960", "01/02/1961"], "FR", "%m/%d/%Y", False),
        (["05/06/1960", "01/02/1961"], "FR", "%d/%m/%Y", True),
        (["05/06/1960", "01/02/1961"], "US", "%m/%d/%Y", True),
        (["1960-12-31", "1961-02-01"], "FR", "", False),
        (["19601231", "19610201"], "FR", "%Y%m%d", False),
        (["31.12.60", "01.02.61"], "FR", "%d.%m.%y", False),
        (["12/31/60 10:30 PM", "1/2/61 9:05 AM"], "US", "%m/%d/%y %I:%M %p", False),
        (["1960-12-31", "31/12/1961", "31.12.62", "31/12/1963"], "FR", "%d/%m/%Y", False),
        (["1960-12-31"] * 30 + ["31/12/1961"], "FR", "%d/%m/%Y", False),
        (["1960-12-31"] * 30 + ["31-12"], "FR", "", False),
        (["05/06/1960"] * 200 + ["31/12/1960"], "FR", "%d/%m/%Y", False),
        (["12 mars 1980", "1er août 1981", "3 févr. 1979"], "FR", "%d %B %Y", False),
        (["March 12, 1980", "May 3rd 1981"], "US", "%B %d %Y", False),
        (["3-Jan-85", "12-Oct-91"], "GB", "%d %b %y", False),
        (["29292", "30001", "18264"], "FR", "excel", False),
        (["1980", "1979", "1981"], "FR", "", False),
    ],
)
def test_the_date_format_is_inferred_and_doubts_are_told(values, region, first, is_ambiguous):
    found = one("date de naissance", *values, region=region)

    assert found.format == first
    assert found.is_ambiguous == is_ambiguous


@pytest.mark.parametrize(
    ("name", "values", "form"),
    [
        ("created_at", ["1709294400", "1700000000"], "epoch"),
        ("created_at", ["1709294400123", "1700000000000"], "epoch_ms"),
        ("created_at", ["45352.5", "45000"], "excel"),
        ("created_at", ["1", "2", "3"], ""),
        ("birth_date", ["1709294400", "1700000000"], ""),
        ("montant", ["29292", "30001"], ""),
        ("Opt-in date", ["45352", "45000"], "excel"),
        ("birth_date", ["17501510", "17402707"], ""),
    ],
)
def test_numbers_are_dates_where_the_name_says_date_and_nearly_all_are(name, values, form):
    assert one(name, *values).format == form


def test_a_name_column_with_whole_names_is_split():
    names = column("nom", "Jean DUPONT", "Mme Anne Le Goff")

    assert propose([column("id", "1", "2"), names], region="FR")[1].attribute == "full_name"
    assert one("nom", "DUPONT", "LE GOFF").attribute == "family_name"


def test_house_numbers_make_the_address_a_street():
    found = propose(
        [column("id", "1"), column("street_number", "12"), column("address_1", "acacia street")],
        region="AU",
    )

    assert [p.attribute for p in found] == ["source_key", "street_number", "street"]


def test_a_bare_number_beside_the_street_is_that_of_the_house():
    found = propose(
        [
            column("Klantnummer", "B1", "B2", "B3"),
            column("Rue", "Kerkstraat", "Rue de la Loi", "Veldstraat"),
            column("N°", "12", "155", "7"),
        ],
        region="BE",
    )

    assert [p.attribute for p in found] == ["source_key", "street", "street_number"]
    assert propose([column("N°", "1", "2")], region="FR")[0].attribute == "source_key"


def test_the_key_is_the_column_that_differs_in_every_row():
    found = propose(
        [column("code", "A", "A"), column("id", "7", "7"), column("ligne", "1", "2")], region="FR"
    )

    assert [p.attribute for p in found] == ["", "source_key", ""]
    assert propose([column("x", "1", "2")], region="FR")[0].attribute == "source_key"
    assert propose([column("x", "Inscrit", "Parti")], region="FR")[0].attribute == ""
    campaign = [column("campaign_id", "c9", "c9"), column("LEID", "12", "13")]
    assert [p.attribute for p in propose(campaign, region="FR")] == ["", "source_key"]
    assert propose([column("x", "31/12/1960", "4/3/1961")], region="FR")[0].attribute == ""


def test_a_refusal_to_be_called_is_one_of_calls():
    found = one("Ne pas appeler", "oui", "non")

    assert (found.attribute, found.channel) == ("opt_out", "phone")


def test_words_of_newsletters_are_proposed_as_answers():
    states = ("SUBSCRIBED", "NOT_SUBSCRIBED", "UNSUBSCRIBED", "PENDING")
    found = one("Email Marketing Consent State", *states)

    assert (found.attribute, found.channel) == ("permission", "email")
    assert (found.yes, found.no) == (("SUBSCRIBED",), ("NOT_SUBSCRIBED", "UNSUBSCRIBED"))


def test_a_whole_name_beside_both_names_is_left_out():
    columns = [column("Name", "Adèle Fontaine"), column("Given Name", "Adèle")]
    columns.append(column("Family Name", "Fontaine"))

    found = propose(columns, region="FR")

    assert [p.attribute for p in found] == ["full_name", "given_name", "family_name"]


_CELLS = st.lists(st.text(max_size=12), max_size=6)
_FILES = st.lists(st.tuples(st.text(max_size=20), _CELLS), min_size=1, max_size=6)


@given(_FILES)
def test_any_file_gets_a_proposal_a_mapping_can_hold(file):
    columns = [
        ColumnSample(f"{name} {place}", tuple(v for v in cells if v.strip()), 6)
        for place, (name, cells) in enumerate(file)
    ]

    found = propose(columns, region="FR")

    used = [p.attribute for p in found if p.attribute]
    assert set(used) <= set(ATTRIBUTES)
    assert all(used.count(name) == 1 for name in used if name not in REPEATABLE)
    entries = [proposed_entry(c, p) for c, p in zip(columns, found, strict=True)]
    document = {"column": [entry for entry in entries if entry]}
    if "source_key" in used:
        parse_mapping(document)
        assert tomllib.loads(to_toml(document)) == document


def test_a_mapping_leaves_as_toml_and_comes_back_the_same():
    document = {
        "source": {"label": 'L’"Étoile"', "trust": 80, "region": "FR", "file_mode": "full"},
        "file": {"encoding": "cp1252", "delimiter": "\t"},
        "column": [
            {"name": 'a"b\\c\n', "attribute": "source_key"},
            {
                "name": "x",
                "attribute": "permission",
                "channel": "sms",
                "yes": ["O", "é"],
                "no": [],
            },
            {"name": "y", "attribute": "civility", "values": {"1": "mr", "M me": "mrs"}},
        ],
    }

    assert tomllib.loads(to_toml(document)) == document


def test_what_changed_between_two_versions_is_told_column_by_column():
    older = {
        "file": {"delimiter": ";"},
        "column": [{"name": "id", "attribute": "source_key"}, {"name": "a", "attribute": "city"}],
    }
    newer = {
        "column": [
            {"name": "id", "attribute": "source_key"},
            {"name": "a", "attribute": "postcode"},
            {"name": "b", "attribute": "birth_date", "format": "%d/%m/%Y"},
        ]
    }

    with translation.override("en"):
        found = [tuple(change) for change in changes(older, newer)]

    assert found == [
        ("removed", "Delimiter", ";", ""),
        ("changed", "a", "City", "Postcode"),
        ("added", "b", "", "Birth date · dates such as 31/12/2031"),
    ]
    assert changes(older, older) == []


def test_a_day_without_its_year_is_no_date():
    assert unread_count(["12/05", "13/06"], "%d/%m") == 2
    assert unread_count(["12/05/61", "13/06/62"], "%d/%m/%y") == 0
