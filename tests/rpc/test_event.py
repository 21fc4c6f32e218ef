from __future__ import annotations

import pytest

from runner.rpc.event import ErrorReceived


@pytest.mark.parametrize(
    ("data", "code", "text"),
    [
        (b"\0\0\0\0\0\0\0\x05no such thing", 5, "no such thing"),
        (b"\0\0\0\0\0\0\0\0", 0, ""),
        (b"\xff" * 8 + b"caf\xc3\xa9 \xff", 2**64 - 1, "café \ufffd"),
        (b"", 0, " (drpcwire note: invalid error data)"),
        (b"short", 0, "short (drpcwire note: invalid error data)"),
    ],
)
def test_an_error_has_a_code_and_a_text(data: bytes, code: int, text: str) -> None:
    error = ErrorReceived(1, data)
    assert (error.code, error.text) == (code, text)
