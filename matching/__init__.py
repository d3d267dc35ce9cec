"""Duplicates: rule sets, match runs, pair evidence, stewards' decisions and review tasks.

Owns the question "are these two records one person?". Applies its answers through
`mdm.identity`. Only `matching.linkage` knows recordlinkage and pandas.
"""
