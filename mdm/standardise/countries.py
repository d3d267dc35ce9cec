"""Names of countries as customer files write them, in French, English and their own language.

Of the neighbours also the sign that stood before a postcode on an envelope (F-75001, D-10115) and
stands in a column of its own in files of that time.
"""

from mdm.standardise.text import fold

_NAMES = {
    "AT": "Autriche, Austria, Österreich, AUT, A",
    "AU": "Australie, Australia, AUS",
    "BE": "Belgique, Belgium, België, BEL, B",
    "CA": "Canada, CAN",
    "CH": "Suisse, Switzerland, Schweiz, Svizzera, CHE",
    "CZ": "Tchéquie, République tchèque, Czechia, Czech Republic, CZE",
    "DE": "Allemagne, Germany, Deutschland, DEU, D",
    "DK": "Danemark, Denmark, Danmark, DNK",
    "DZ": "Algérie, Algeria, DZA",
    "ES": "Espagne, Spain, España, ESP, E",
    "FI": "Finlande, Finland, Suomi, FIN",
    "FR": "France, France métropolitaine, FRA, F",
    "GB": "Royaume-Uni, United Kingdom, Great Britain, Angleterre, England, Scotland, Wales, UK,"
    "GBR",
    "GF": "Guyane, Guyane française, French Guiana, GUF",
    "GP": "Guadeloupe, GLP",
    "GR": "Grèce, Greece, GRC",
    "IE": "Irlande, Ireland, IRL",
    "IT": "Italie, Italy, Italia, ITA, I",
    "LU": "Luxembourg, LUX, L",
    "MA": "Maroc, Morocco, MAR",
    "MC": "Monaco, MCO",
    "MQ": "Martinique, MTQ",
    "NC": "Nouvelle-Calédonie, New Caledonia, NCL",
    "NL": "Pays-Bas, Netherlands, Nederland, NLD",
    "NO": "Norvège, Norway, Norge, NOR",
    "PF": "Polynésie française, French Polynesia, PYF",
    "PL": "Pologne, Poland, Polska, POL",
    "PT": "Portugal, PRT, P",
    "RE": "Réunion, La Réunion, REU",
    "RO": "Roumanie, Romania, ROU",
    "SE": "Suède, Sweden, Sverige, SWE",
    "TN": "Tunisie, Tunisia, TUN",
    "US": "États-Unis, United States, United States of America, USA",
    "YT": "Mayotte, MYT",
}
CODE_OF_NAME = {fold(name): code for code, names in _NAMES.items() for name in names.split(",")}


def name_on_label(code: str) -> str:
    """Return the country's name in French, as sorting centres in France read it; else the code."""
    return _NAMES[code].partition(",")[0] if code in _NAMES else code
