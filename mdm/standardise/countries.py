"""Names of countries as customer files write them, in French, English and their own language."""

from mdm.standardise.text import fold

_NAMES = {
    "AT": "Autriche, Austria, Österreich, AUT",
    "AU": "Australie, Australia, AUS",
    "BE": "Belgique, Belgium, België, BEL",
    "CA": "Canada, CAN",
    "CH": "Suisse, Switzerland, Schweiz, Svizzera, CHE",
    "CZ": "Tchéquie, République tchèque, Czechia, Czech Republic, CZE",
    "DE": "Allemagne, Germany, Deutschland, DEU",
    "DK": "Danemark, Denmark, Danmark, DNK",
    "DZ": "Algérie, Algeria, DZA",
    "ES": "Espagne, Spain, España, ESP",
    "FI": "Finlande, Finland, Suomi, FIN",
    "FR": "France, France métropolitaine, FRA",
    "GB": "Royaume-Uni, United Kingdom, Great Britain, Angleterre, England, Scotland, Wales, UK,"
    "GBR",
    "GF": "Guyane, Guyane française, French Guiana, GUF",
    "GP": "Guadeloupe, GLP",
    "GR": "Grèce, Greece, GRC",
    "IE": "Irlande, Ireland, IRL",
    "IT": "Italie, Italy, Italia, ITA",
    "LU": "Luxembourg, LUX",
    "MA": "Maroc, Morocco, MAR",
    "MC": "Monaco, MCO",
    "MQ": "Martinique, MTQ",
    "NC": "Nouvelle-Calédonie, New Caledonia, NCL",
    "NL": "Pays-Bas, Netherlands, Nederland, NLD",
    "NO": "Norvège, Norway, Norge, NOR",
    "PF": "Polynésie française, French Polynesia, PYF",
    "PL": "Pologne, Poland, Polska, POL",
    "PT": "Portugal, PRT",
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
