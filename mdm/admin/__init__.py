"""Lists and forms of the ground app in the admin, by what they show."""

from mdm.admin import accesses, batches, reference_tables, rules, sources

__all__ = ["accesses", "batches", "reference_tables", "rules", "sources"]
