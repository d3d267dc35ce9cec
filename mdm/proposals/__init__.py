"""What the columns of an unknown file probably are, by their names and the look of their values.

`headers` knows how French and English systems call things, `looks` recognises values, `columns`
weighs both and settles what only one column can be. Pure: no Django, no database.
"""
