"""Measurements: how good matching is on known data, and how fast the whole way is.

`python -m benchmarks.run` (or `make bench`) does everything through the commands a user has, each
step in a process of its own, and writes what it found into docs/benchmarks.md.
"""
