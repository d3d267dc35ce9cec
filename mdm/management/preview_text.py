"""A preview as lines of a shell: counts, then a few examples of each end."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.management.base import OutputWrapper
from django.core.serializers.json import DjangoJSONEncoder
from django.utils.translation import gettext as _

from mdm.reasons import in_words

_EXAMPLES = 3
_ENDS = ("new", "changed", "same", "stale", "rejected", "deleted", "golden")


def print_preview(
    out: OutputWrapper,
    file_name: str,
    figures: Mapping[str, Any],
    samples: Mapping[str, Sequence[Mapping[str, Any]]],
    *,
    as_json: bool,
) -> None:
    """Print what a load would do: one JSON object, or words with three examples of each end."""
    if as_json:
        counts = {name: value for name, value in figures.items() if name != "batch"}
        counts["refusal"] = in_words(counts["refusal"])
        told = {"file": file_name, **counts, "samples": samples}
        out.write(json.dumps(told, cls=DjangoJSONEncoder, ensure_ascii=False))
        return
    words = {"file": file_name, **figures}
    out.write(
        _(
            "%(file)s would give: %(new)d new, %(changed)d changed, %(same)d the same, "
            "%(stale)d older, %(rejected)d rejected, %(deleted)d deleted; golden records: "
            "%(golden_new)d new, %(golden_changed)d changed, %(golden_gone)d gone."
        )
        % words
    )
    if figures["refusal"]:
        out.write(in_words(figures["refusal"]))
    for end in _ENDS:
        for sample in samples.get(end, ())[:_EXAMPLES]:
            out.write(f"  {end}: {_line(sample)}")
    out.write(_("Nothing was changed."))


def _line(sample: Mapping[str, Any]) -> str:
    parts = [str(sample[name]) for name in ("line", "key", "customer") if sample.get(name)]
    parts += [str(sample[name]) for name in ("column", "value", "reason") if sample.get(name)]
    parts += [
        f"{name} {old or '–'} → {new or '–'}" for name, old, new in sample.get("differences", ())
    ]
    return " · ".join(parts)
