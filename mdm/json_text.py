"""JSON that is written already; needs no database, as nothing does that prepares rows."""


class JsonText(str):
    """A value of a JSON field that is written as JSON already."""

    __slots__ = ()
