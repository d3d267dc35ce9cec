"""Two values side by side, with what differs marked letter by letter; pure."""

from dataclasses import dataclass
from difflib import SequenceMatcher


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of letters of one value; `differs` when the other value has others there."""

    text: str
    differs: bool


def pieces(left: str, right: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """Return both values cut into runs that are equal (case apart) or differ.

    Joined again, the pieces give the values unchanged.
    """
    if not left or not right:
        return _whole(left), _whole(right)
    matcher = SequenceMatcher(None, _comparable(left), _comparable(right), autojunk=False)
    lefts, rights = [], []
    for tag, left_from, left_to, right_from, right_to in matcher.get_opcodes():
        differs = tag != "equal"
        lefts.append(Piece(left[left_from:left_to], differs))
        rights.append(Piece(right[right_from:right_to], differs))
    return _filled(lefts), _filled(rights)


def _comparable(text: str) -> str:
    """Return the text in lower case, letter for letter ("ẞ".lower() keeps its length)."""
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else text


def _whole(text: str) -> tuple[Piece, ...]:
    return (Piece(text, differs=False),) if text else ()


def _filled(parts: list[Piece]) -> tuple[Piece, ...]:
    return tuple(part for part in parts if part.text)
