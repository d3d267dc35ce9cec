"""Permission: purposes, notices, consent events and the one gate "may we contact?".

Owns the law as rules and the proof as an append-only ledger. Events hang from source records and
contact points of `mdm` and never move, so a merge cannot create a permission.
"""
