"""Orfèvre's admin site: the home page of each role."""

from unfold.sites import UnfoldAdminSite


class OrfevreAdminSite(UnfoldAdminSite):
    """Unfold's site under our own name and home page."""
