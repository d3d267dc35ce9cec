"""What every proof pack says about checking it."""

from django.utils.translation import gettext as _


def how_to_verify() -> list[str]:
    """Return the steps by which anybody checks a pack, in the reader's language."""
    return [
        _(
            "This file: its SHA-256 digest stands in the register of proof packs of Orfèvre, "
            "under the number of this pack."
        ),
        _(
            "An event: SHA-256 of its salt (16 bytes) followed by its text (UTF-8) gives its "
            "digest; of the same salt followed by the text of its evidence, the digest of the "
            "evidence."
        ),
        _(
            "Its place: SHA-256 of the hash before, the place (8 bytes, the highest first), the "
            "digest and the digest of the evidence gives its hash."
        ),
        _(
            "The ledger: the command verify_ledger computes every hash again and compares with "
            "checkpoints that are kept outside the database, signed with the key below."
        ),
        _("A notice: SHA-256 of its text, a line feed and the label of its box gives its digest."),
    ]
