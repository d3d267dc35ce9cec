"""Finds candidate pairs and scores them: the one door to recordlinkage, pandas, rapidfuzz, scipy.

Nothing here knows Django: columns of values go in, pairs with patterns and scores come out
(`engine.link`). Import it inside the job or the command that needs it: the libraries below take
seconds and hundreds of megabytes that a web process must not pay.
"""
