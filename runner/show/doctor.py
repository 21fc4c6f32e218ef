"""Shows what was found on a machine: for each check how it is, what was seen, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec
from msgspec import Struct

from ..core.words import say_count
from .table import wrap

Verdict = Literal["ok", "note", "problem"]


class Finding(Struct, frozen=True):
    """What one check found."""

    verdict: Verdict
    """Note: it works, and there is something to know about it."""
    what: str
    """What was seen."""
    hint: str = ""
    """What to do; empty where nothing is to be done."""


class _JsonFinding(Struct, frozen=True):
    check: str
    verdict: Verdict
    what: str
    hint: str


def render_text(findings: Mapping[str, Finding]) -> str:
    """Each check with what it found, and at the end how many problems there are."""
    width = max(map(len, findings), default=0)
    lines = []
    for name, finding in findings.items():
        head = f"{finding.verdict:7}  {name:{width}}  "
        lines += wrap(finding.what, head)
        if finding.hint:
            lines += wrap(finding.hint, " " * len(head))
    return "\n".join([*lines, "", _count(findings)]) + "\n"


def render_json(findings: Mapping[str, Finding]) -> str:
    """The checks as a JSON array."""
    rows = [_JsonFinding(name, finding.verdict, finding.what, finding.hint) for name, finding in findings.items()]
    return msgspec.json.format(msgspec.json.encode(rows), indent=2).decode() + "\n"


def _count(findings: Mapping[str, Finding]) -> str:
    verdicts = [finding.verdict for finding in findings.values()]
    problems, notes = verdicts.count("problem"), verdicts.count("note")
    return f"{say_count(problems, 'problem') if problems else 'no problems'}, {say_count(notes, 'note') if notes else 'no notes'}"
