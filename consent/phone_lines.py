"""Which telephone numbers can receive texts."""

from mdm.standardise.phones import phone_kind


def is_mobile(number: str) -> bool | None:
    """Tell whether an E.164 number can receive texts; None when nobody can say."""
    kind = phone_kind(number)
    return kind in ("mobile", "fixed_or_mobile") if kind else None
