"""How the admin looks and is called: the settings of django-unfold.

Colours are warm greys and a bronze whose text on white reaches 5.9:1; `static/css/orfevre.css`
draws our own pages in the same ones.
"""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.utils.translation import gettext_lazy as _


def _static(path: str) -> Callable[[HttpRequest], str]:
    return lambda request: static(path)


_BASE = {
    "50": "#faf8f4",
    "100": "#f4f1ea",
    "200": "#e6e1d5",
    "300": "#cfc8b8",
    "400": "#989080",
    "500": "#79725f",
    "600": "#5d574c",
    "700": "#454137",
    "800": "#35322a",
    "900": "#1f1e1a",
    "950": "#131210",
}
_BRONZE = {
    "50": "#fbf7ec",
    "100": "#f7efda",
    "200": "#ecd9a6",
    "300": "#e2c27a",
    "400": "#d8b25a",
    "500": "#cfa341",
    "600": "#7d5c14",
    "700": "#6a4d0f",
    "800": "#54400f",
    "900": "#3d2f0d",
    "950": "#241b06",
}

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Orfèvre",
    "SITE_HEADER": "Orfèvre",
    "SITE_SUBHEADER": _("One customer, one record"),
    "SITE_ICON": _static("img/orfevre.svg"),
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": _static("img/favicon.svg")},
    ],
    # The pages themselves stand behind the login: there is no other site to go to.
    "SITE_URL": None,
    # The header of every page has the languages (templates/orfevre/_language.html).
    "SHOW_LANGUAGES": False,
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "7px",
    "COLORS": {"base": _BASE, "primary": _BRONZE},
    "STYLES": [_static("css/orfevre.css")],
    "SCRIPTS": [_static("js/keyboard.js"), _static("js/progress.js")],
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": "config.navigation.navigation",
    },
}
