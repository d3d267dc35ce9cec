"""Set-ups of the tools we compare with; each runs in an environment of its own.

`make bench BENCH="--only engine"` installs `benchmarks/peers.txt` into .data/peers, never into the
project's environment. The scripts know nothing of the project: a table in, pairs and figures out.
"""
