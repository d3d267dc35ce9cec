"""Which telephone numbers can receive texts."""

import phonenumbers
from phonenumbers import PhoneNumberType

_MOBILE = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})


def is_mobile(number: str) -> bool | None:
    """Tell whether an E.164 number can receive texts; None when nobody can say."""
    if number.startswith("+33"):  # The common case, and right for invented numbers too.
        return number[3:4] in {"6", "7"}
    try:
        kind = phonenumbers.number_type(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return None
    return None if kind == PhoneNumberType.UNKNOWN else kind in _MOBILE
