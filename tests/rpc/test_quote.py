from __future__ import annotations

import pytest

from runner.rpc.quote import quote


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("", '""'),
        ("git-clone", '"git-clone"'),
        ("two words", '"two words"'),
        ('a "b" \\ c', r'"a \"b\" \\ c"'),
        ("\a\b\f\n\r\t\v", r'"\a\b\f\n\r\t\v"'),
        ("\0\x1b\x7f", r'"\x00\x1b\x7f"'),
        ("Ünïcode 日本 🙂", '"Ünïcode 日本 🙂"'),
        ("\x80\u00a0\u200b\u2028\ufeff", r'"\u0080\u00a0\u200b\u2028\ufeff"'),
        ("\U000e0001\U0010ffff", r'"\U000e0001\U0010ffff"'),
        (b"\xff\xfeok".decode(errors="surrogateescape"), r'"\xff\xfeok"'),
    ],
)
def test_texts_are_quoted_as_go_does(text: str, quoted: str) -> None:
    assert quote(text) == quoted
