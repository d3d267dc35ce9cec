"""What both the page and the summary say of an erased person."""

from django.utils.translation import gettext as _


def left_of_erased() -> list[str]:
    """Return what is left of an erased person and why, in the reader's language."""
    return [
        _("The number in the source, without any value, so that no file brings you back."),
        _("Sales and contracts without contact point, which the law on accounts keeps."),
        _("The dates of consents and refusals without contact point, as proof that they were."),
        _(
            "Your refusals of an address or number that others carry too, which protect them "
            "(GDPR 17(3))."
        ),
        _(
            "Fingerprints of your contact points on the suppression list, so that nobody writes "
            "to you again (GDPR 17(3)); nobody can read an address out of them."
        ),
        _("That you asked, when, and that it was answered (GDPR 5(2))."),
    ]
