"""The mapping page as a browser uses it: a file sent, its page, and what the page would send."""

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from mdm.load_forms import NEW_SOURCE
from mdm.models import MappingDraft

# Columns no mapping of ours knows, in cp1252 with semicolons.
FILE = (
    "Réf adhérent;Titre;Nom prénom;Courriel;Mobile;Né le;Lettre info;Catégorie;Sexe\r\n"
    "A-1;Mme;Anne LE GOFF;anne@example.org;06 39 98 12 34;05/06/1960;OUI;bleu;F\r\n"
    "A-2;M.;Jean DUPONT;jean@example.org;06 39 98 12 35;01/02/1961;NON;vert;H\r\n"
    "A-3;;Élodie Petit;elodie@example;;;;bleu;\r\n"
).encode("cp1252")


def upload(client: Client, content: bytes = FILE, name: str = "adherents.csv", **values: object):
    file = SimpleUploadedFile(name, content)
    sent = {"file": file, "action": "preview", "source": NEW_SOURCE, **values}
    return client.post(reverse("mdm:load-new"), sent)


def page_of(draft: MappingDraft) -> str:
    return reverse("mdm:mapping-draft", args=[draft.pk])


def values_of(response: Any, **changes: str) -> dict[str, Any]:
    """Return what a browser would send from the page, with the changes to columns by name.

    `changes` are `COLUMN__option=value`; other names are sent as they are.
    """
    bench = response.context["bench"]
    sent: dict[str, Any] = {"column": bench.sample.names}
    forms = [bench.file, bench.table.key, *(row.form for row in bench.table.rows)]
    forms += [bench.new_source] if bench.new_source else []
    for form in forms:
        for field in form:
            value = field.value()
            value = (
                field.field.prepare_value(value)
                if hasattr(field.field, "prepare_value")
                else value
            )
            sent[field.html_name] = "" if value is None else value
    places = {row.column.name: row.form.prefix for row in bench.table.rows}
    for name, value in changes.items():
        column, mark, option = name.partition("__")
        sent[f"{places[column.replace('_', ' ')]}-{option}" if mark else name] = value
    return sent


NEW = {"source-code": "club", "source-label": "Club", "source-trust": "60"}


def start(client: Client, **values: object) -> tuple[MappingDraft, Any]:
    response = upload(client, **values)
    draft = MappingDraft.objects.get()
    assert response.url.startswith(page_of(draft))
    return draft, client.get(response.url)
