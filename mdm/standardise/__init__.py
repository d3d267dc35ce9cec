"""Standardisation: raw values in, comparable values and issues out.

Pure functions, one module per noun, without a database: the raw value stays beside the standard
one, and standardising a standard value changes nothing. `record.standardise_record` joins them.
Raise VERSION with every change of a result, so that stored records can be standardised again.
"""

VERSION = 13
