"""Puts ``***`` in the place of secrets, in text, in bytes, and in a stream of bytes that comes in pieces.

Rule 1. Every byte is masked that belongs to an occurrence of a form of a secret (``secret.py``), whatever other occurrences it
also belongs to. So it does not matter in which order secrets are looked for, and of two that overlap no rest is left.
Rule 2. Occurrences that overlap or touch become one ``***``.
Rule 3. A stream is masked as its whole would be, however it is cut into pieces.

For rule 3 a :class:`Masker` keeps back the end of what it has if a secret may have begun there: never more than the longest
form, less one byte. What it keeps back is the beginning of a secret and nothing else, so other output is never late. When the
stream is at its end it was no secret, and is given out.

Each form is looked for by itself, which takes a fraction of a nanosecond a byte: for all that is longer than a few lines that
is faster than one regular expression for all of them. A short piece, such as a single line, is first asked whether any secret
can begin in it at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile
from typing import AnyStr, Final, Generic, NamedTuple

from .secret import SHORTEST, forms, secrets_of
from .unit import Unit

SHOWN: Final = "***"
_SHOWN: Final = SHOWN.encode()
_HEAD: Final = 4
"""So many bytes at the beginning of a secret are looked for first, where it may be cut in two."""
_SHORT: Final = 256
"""Bytes of a piece in which the beginnings of all secrets are found sooner than each of them."""
_LONG: Final = 1_000
"""Where a secret that is longer overlaps itself is not worth finding out: that takes the square of its length."""
_CUT: Final = "..."
"""How a quotation ends of which the rest was left out."""

Span = tuple[int, int]


class _Needle(NamedTuple, Generic[AnyStr]):
    """Something to be looked for."""

    form: AnyStr
    step: int
    """How far the next occurrence is from one at least: less than its length where it can overlap itself."""


class Secrets:
    """The secrets of a run. There may come more at any time; it is the same object for all who mask."""

    def __init__(self, values: Iterable[str] = (), names: Iterable[str] = ()) -> None:
        """``names`` are those of units: what is part of one is no secret."""
        self.values: set[str] = set()
        """All of them, whether they are looked for or not."""
        self.names: list[str] = []
        """Those of units."""
        self.needles: tuple[_Needle[bytes], ...] = ()
        """What is looked for in bytes."""
        self._texts: tuple[_Needle[str], ...] = ()
        self._encoded: tuple[bytes, ...] = ()
        """How all of that stands in what msgspec encodes."""
        self._longest = 0
        """Bytes of the longest form."""
        self._heads: re.Pattern[bytes] | None = None
        """The first bytes of all forms; None: not needed yet."""
        self._shorter_heads: tuple[bytes, ...] = ()
        """Still less of them, as it may stand at the end of a piece."""
        self.reveal(names)
        self.add(values)

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.needles)

    def add(self, values: Iterable[str]) -> None:
        """Mask these from now on. Bytes that are no UTF-8 are given as ``os.fsdecode`` gives them."""
        new = {value for value in values if value not in self.values}
        if new:
            self.values |= new
            self._prepare()

    def learn(self, unit: Unit, variables: Mapping[bytes, bytes]) -> None:
        """Mask the secret ones of the variables that a unit finds in its environment from now on."""
        said = {_text(name): _text(value) for name, value in variables.items()}
        self.add(secrets_of(unit, said))

    def reveal(self, names: Iterable[str]) -> None:
        """Know the names of more units, and look for nothing that is part of one."""
        self.names += names
        if self.values:
            self._prepare()

    def _prepare(self) -> None:
        names = "\n".join(self.names)
        found = {form for value in self.values for form in forms(value, names)}
        ordered = sorted(found, key=lambda form: (-len(form), form))
        self._texts = tuple(_Needle(form, _step(form)) for form in ordered)
        raw = [form.encode(errors="surrogateescape") for form in ordered]
        self.needles = tuple(_Needle(form, _step(form)) for form in raw)
        self._longest = max(map(len, raw), default=0)
        self._heads = None
        self._shorter_heads = tuple(dict.fromkeys(form[:length] for form in raw for length in range(_HEAD - 1, 0, -1)))
        self._encoded = _encode_all(ordered)

    def mask(self, data: bytes) -> bytes:
        """The bytes with ``***`` in the place of each secret."""
        return _replace(data, _find(data, self.needles), _SHOWN) if self.needles else data

    def mask_text(self, text: str) -> str:
        """The same for text."""
        return _replace(text, _find(text, self._texts), SHOWN) if self._texts else text

    def mask_quoted(self, text: str) -> str:
        """The same for text that quotes values and cuts them short: a secret's beginning before ``...`` is masked too."""
        text = self.mask_text(text)
        for form, _ in self._texts:
            at = text.find(form[:SHORTEST])
            while at >= 0:
                end = at + sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(form, text[at:], strict=False)))
                if text.startswith(_CUT, end):
                    text = text[:at] + SHOWN + text[end:]
                at = text.find(form[:SHORTEST], at + 1)
        return text

    def occur_in(self, encoded: bytes) -> bool:
        """Whether a secret is in any string of what msgspec has encoded as JSON; now and then also where there is none."""
        return any(form in encoded for form in self._encoded)

    def find(self, data: bytes) -> list[Span]:
        """Where secrets begin and end, in order; those that overlap or touch are one."""
        return _find(data, self.needles)

    def may_begin_in(self, data: bytes) -> bool:
        """Whether a secret can begin somewhere in the data. That there is one is not certain."""
        return self._search_head(data, 0) is not None or data.endswith(self._shorter_heads)

    def find_begun(self, data: bytes) -> int:
        """Where the first secret begins of which only the beginning is there, at the end of the data; its length if none does."""
        length = len(data)
        head = self._search_head(data, max(length - self._longest + 1, 0))
        while head:
            at = head.start()
            begun = data[at:]
            if any(form.startswith(begun) and form != begun for form, _ in self.needles):
                return at
            head = self._search_head(data, at + 1)
        if not data.endswith(self._shorter_heads):
            return length
        return length - max(len(one) for one in self._shorter_heads if data.endswith(one))

    def _search_head(self, data: bytes, start: int) -> re.Match[bytes] | None:
        if self._heads is None:
            heads = dict.fromkeys(re.escape(form[:_HEAD]) for form, _ in self.needles)
            self._heads = re.compile(b"|".join(heads) or b"(?!)")
        return self._heads.search(data, start)


class Masker:
    """Masks one stream of bytes as it comes."""

    __slots__ = ("_covered", "_follows_mask", "_held", "_secrets")

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._held = b""
        """What was not given out yet."""
        self._covered = 0
        """So many bytes at the beginning of that are masked already, by a ``***`` that was given out."""
        self._follows_mask = False
        """The last that was given out is a ``***``."""

    def feed(self, data: bytes) -> bytes:
        """Take the next piece, and give out what is certain by now."""
        if not self._secrets and not self._held:
            return data
        if self._held:
            data = self._held + data
        elif len(data) <= _SHORT and not self._secrets.may_begin_in(data):
            self._follows_mask = self._follows_mask and not data
            return data
        return self._take(data, self._secrets.find_begun(data))

    def flush(self) -> bytes:
        """Nothing more comes: give out the rest."""
        return self._take(self._held, len(self._held))

    def _take(self, data: bytes, end: int) -> bytes:
        """Give out what is before a place, and keep the rest."""
        spans = self._secrets.find(data)
        if self._covered:
            spans = _merge([(0, self._covered), *spans])
        self._held, self._covered = data[end:], max(self._covered - end, 0)
        if not spans:
            self._follows_mask = self._follows_mask and not end
            return data if end == len(data) else data[:end]
        pieces = []
        at = 0
        for start, stop in spans:
            if start >= end:
                break
            if start > at or not self._follows_mask:
                pieces += [data[at:start], _SHOWN]
            self._follows_mask = True
            at = stop
        self._covered = max(self._covered, at - end)
        if at < end:
            pieces.append(data[at:end])
            self._follows_mask = False
        return b"".join(pieces)


def _text(data: bytes) -> str:
    return data.decode(errors="surrogateescape")


def _step(form: AnyStr) -> int:
    if len(form) > _LONG:
        return 1
    return next(step for step in range(1, len(form) + 1) if form.startswith(form[step:]))


def _encode_all(found: Sequence[str]) -> tuple[bytes, ...]:
    from msgspec.json import encode

    texts = (form.encode(errors="surrogateescape").decode(errors="replace") for form in found)
    return tuple(dict.fromkeys(encode(text)[1:-1] for text in texts))


def _find(data: AnyStr, needles: Iterable[_Needle[AnyStr]]) -> list[Span]:
    found: list[Span] = []
    for form, step in needles:
        at = data.find(form)
        while at >= 0:
            found.append((at, at + len(form)))
            at = data.find(form, at + step)
    return _merge(found) if found else found


def _merge(spans: list[Span]) -> list[Span]:
    """The spans in order, those that overlap or touch as one."""
    spans.sort()
    merged = [spans[0]]
    for start, end in spans[1:]:
        if start > merged[-1][1]:
            merged.append((start, end))
        elif end > merged[-1][1]:
            merged[-1] = (merged[-1][0], end)
    return merged


def _replace(data: AnyStr, spans: Sequence[Span], shown: AnyStr) -> AnyStr:
    pieces: list[AnyStr] = []
    at = 0
    for start, end in spans:
        pieces += [data[at:start], shown]
        at = end
    if not pieces:
        return data
    pieces.append(data[at:])
    return data[:0].join(pieces)
