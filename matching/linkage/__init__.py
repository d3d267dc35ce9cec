"""Finds candidate pairs and scores them: the one door to recordlinkage, pandas, scipy.

Nothing here knows Django: columns of values go in, pairs with patterns and scores come out
(`engine.link`). The core needs numpy and rapidfuzz only, so that any process can score a record
against its candidates; `frame` wraps it as classes of recordlinkage: a search runs through them
(`ToolkitRun`), and stock features work beside them for a user's own fields. It is the only module
that imports the toolkit and pandas.
"""
