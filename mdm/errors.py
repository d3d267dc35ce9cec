"""What may be said of an error in a log: its kind and place, never its text."""

from pathlib import PurePath

_PLACES = 6
"""How many of the innermost places are named."""


def described(error: BaseException) -> str:
    """Name an error and where it was raised; its text may hold personal data."""
    trace = error.__traceback__
    places = []
    while trace:
        name = PurePath(trace.tb_frame.f_code.co_filename).name
        places.append(f"{name}:{trace.tb_lineno}")
        trace = trace.tb_next
    return f"{type(error).__name__} at {' > '.join(places[-_PLACES:])}"
