"""Tests, laid out as the apps are: `tests/mdm/test_jobs.py` tests `mdm/jobs.py`."""
