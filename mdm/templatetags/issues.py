"""What was noticed in a source record, for templates."""

from collections.abc import Sequence

from django import template

from mdm import attribute_words
from mdm.quality_pictures import issue_sentence, issue_severity
from mdm.standardise.issues import is_doubtful

register = template.Library()

_ORDER = ("error", "warning", "note")


@register.filter
def noticed(issues: Sequence[Sequence[str]]) -> list[dict[str, str]]:
    """Return the issues of a record in words, the worst first."""
    rows = [
        {
            "severity": issue_severity(code),
            "attribute": attribute_words.label(attribute),
            "sentence": issue_sentence(code),
        }
        for attribute, code in issues
    ]
    return sorted(rows, key=lambda row: _ORDER.index(row["severity"]))


@register.filter
def doubt_count(issues: Sequence[Sequence[str]]) -> int:
    """Return how many issues of a record are worse than a note."""
    return sum(is_doubtful(code) for _attribute, code in issues)
