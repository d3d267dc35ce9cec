"""Lists and forms of the ground app in the admin, by what they show."""

from mdm.admin import accesses, batches, sources

__all__ = ["accesses", "batches", "sources"]
