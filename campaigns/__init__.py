"""Target lists: campaigns, segments, the waterfall, frozen lists and their downloads.

Owns who may be on a list and who took one. Asks `consent` about every person, twice: when the
list is frozen and again, line by line, when it is downloaded. Knows nothing of `matching`.
"""
