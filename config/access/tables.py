"""Every table of the access pack, in the order of the page and of the files."""

from config.access import consent_tables, record_tables

TABLES = (*record_tables.TABLES, *consent_tables.TABLES)
