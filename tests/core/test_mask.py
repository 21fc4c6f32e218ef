from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.json import encode

from runner.core.mask import Masker, Secrets
from runner.core.unit import Unit

PLAIN = Secrets(["hunter22"])
LETTERS = "ab"
"""Few letters, so that secrets overlap each other and themselves."""
some_secrets = st.lists(st.text(LETTERS, min_size=6, max_size=9), min_size=1, max_size=4)
some_text = st.lists(st.text(LETTERS + "\n", max_size=12), max_size=8)


def stream(secrets: Secrets, *pieces: bytes) -> list[bytes]:
    """What is given out for each piece, and at the end."""
    masker = Masker(secrets)
    return [*(masker.feed(piece) for piece in pieces), masker.flush()]


def in_pieces(data: bytes, sizes: Sequence[int]) -> list[bytes]:
    pieces = []
    for size in sizes:
        pieces.append(data[:size])
        data = data[size:]
    return [*pieces, data]


# ---------------------------------------------------------------- a whole


def test_a_secret_is_shown_as_three_stars() -> None:
    assert PLAIN.mask(b"password hunter22.\n") == b"password ***.\n"
    assert PLAIN.mask_text("password hunter22.\n") == "password ***.\n"


def test_what_has_no_secret_stays_the_same_object() -> None:
    data, text = b"hunter2", "hunter2"
    assert PLAIN.mask(data) is data
    assert PLAIN.mask_text(text) is text
    assert Secrets().mask(data) is data
    assert Secrets().mask_text(text) is text


def test_there_are_secrets_or_not() -> None:
    assert PLAIN
    assert not Secrets()
    assert not Secrets(["short", ""])


def test_those_that_overlap_or_touch_become_one() -> None:
    secrets = Secrets(["abcdef", "efghij", "ababab"])
    assert secrets.mask(b"-abcdefghij-") == b"-***-"
    assert secrets.mask(b"-abcdefabcdef-") == b"-***-"
    assert secrets.mask(b"-abcdef-abcdef-") == b"-***-***-"
    assert secrets.mask(b"-abababab-") == b"-***-"
    assert Secrets(["abcdef", "abcdefghij"]).mask(b"abcdefgh abcdefghij") == b"***gh ***"
    assert Secrets(["cdefgh", "abcdefghij"]).mask(b"abcdefghij") == b"***"


def test_bytes_that_are_no_text() -> None:
    secrets = Secrets(["caf\udce9-\udcff\udcff"])
    assert secrets.mask(b"caf\xe9-\xff\xff!") == b"***!"
    assert secrets.mask_text("caf\udce9-\udcff\udcff!") == "***!"
    assert secrets.mask_text("caf\ufffd-\ufffd\ufffd!") == "***!"


def test_there_may_come_more() -> None:
    secrets = Secrets()
    secrets.add(["hunter22"])
    secrets.add(["hunter22", "hunter23"])
    assert secrets.mask(b"hunter22 hunter23 hunter24") == b"*** *** hunter24"


def test_a_unit_may_learn_them_at_any_time() -> None:
    unit = Unit(name="a", kind="oneshot", mask=("KEY",))
    secrets = Secrets()
    secrets.learn(unit, {b"KEY": b"caf\xe9-au-lait", b"OTHER": b"hunter22", b"X_TOKEN": b"hunter23", b"\xff": b"hunter24"})
    assert secrets.mask(b"caf\xe9-au-lait hunter22 hunter23 hunter24") == b"*** hunter22 *** hunter24"


def test_what_is_part_of_a_name_is_no_secret() -> None:
    secrets = Secrets(["postgres", "hunter22"], ["db", "postgres-init"])
    assert secrets.mask_text("postgres hunter22") == "postgres ***"
    secrets.reveal(["hunter22"])
    assert secrets.mask_text("postgres hunter22") == "postgres hunter22"
    assert not secrets
    none = Secrets()
    none.reveal(["hunter22"])
    none.add(["hunter22"])
    assert not none


def test_a_quotation_that_was_cut() -> None:
    secrets = Secrets(["correct horse battery"])
    assert secrets.mask_quoted('cannot use "correct horse b...') == 'cannot use "***...'
    assert secrets.mask_quoted('cannot use "correct horse battery..."') == 'cannot use "***..."'
    assert secrets.mask_quoted("correct horses... correct horse...") == "correct horses... ***..."
    assert secrets.mask_quoted("correct horse b") == "correct horse b"


def test_a_secret_in_what_msgspec_encodes() -> None:
    secrets = Secrets(['hun"ter22'])
    assert secrets.occur_in(encode({"a": 'x hun"ter22'}))
    assert secrets.occur_in(encode({"a": encode('x hun"ter22').decode()}))
    assert not secrets.occur_in(encode({"a": "hunter22"}))
    assert not Secrets().occur_in(b"hunter22")


# ---------------------------------------------------------------- a stream


def test_without_secrets_a_piece_goes_through_as_it_is() -> None:
    piece = b"hunter22"
    masker = Masker(Secrets())
    assert masker.feed(piece) is piece
    assert masker.flush() == b""


def test_a_secret_in_two_pieces() -> None:
    assert stream(PLAIN, b"my hunt", b"er22.\n") == [b"my ", b"***.\n", b""]
    assert stream(PLAIN, *(b"hunter22"[place : place + 1] for place in range(8))) == [b""] * 7 + [b"***", b""]


def test_only_the_beginning_of_a_secret_is_kept_back() -> None:
    assert stream(PLAIN, b"hunter2") == [b"", b"hunter2"]
    assert stream(PLAIN, b"hunter2", b"1\n") == [b"", b"hunter21\n", b""]
    assert stream(PLAIN, b"to h") == [b"to ", b"h"]
    assert stream(PLAIN, b"to hhu", b"m") == [b"to h", b"hum", b""]
    assert stream(PLAIN, b"hunter21\n") == [b"hunter21\n", b""]


def test_a_longer_secret_may_go_on_behind_a_shorter_one() -> None:
    secrets = Secrets(["abcdef", "defghijkl", "xabcdefy"])
    assert stream(secrets, b"-abcdef", b"ghijkl-") == [b"-***", b"-", b""]
    assert stream(secrets, b"-abcdef", b"ghij") == [b"-***", b"", b"ghij"]
    assert stream(secrets, b"-xabcdef", b"y-") == [b"-", b"***-", b""]
    assert stream(secrets, b"-xabcdef", b"z-") == [b"-", b"x***z-", b""]
    assert stream(secrets, b"-xabcdef") == [b"-", b"x***"]


def test_a_secret_that_is_longer_in_bytes_than_in_characters() -> None:
    secret = "é" * 7
    assert stream(Secrets([secret, "abcdefgh"]), f"-{secret}".encode()[:-1], b"\xa9-") == [b"-", b"***-", b""]


def test_two_that_touch_in_two_pieces_become_one() -> None:
    assert stream(PLAIN, b"-hunter22", b"", b"hunter22", b"-hunter22") == [b"-***", b"", b"", b"-***", b""]


def test_a_secret_that_comes_in_the_middle_of_a_stream() -> None:
    secrets = Secrets()
    masker = Masker(secrets)
    assert masker.feed(b"hunter22 hun") == b"hunter22 hun"
    secrets.add(["hunter22"])
    assert masker.feed(b"hunter22 hun") == b"*** "
    secrets.reveal(["hunter22"])
    assert masker.feed(b"ter22") == b"hunter22"
    assert masker.feed(b"hunter22") == b"hunter22"


@given(some_secrets, some_text, st.lists(st.integers(0, 9), max_size=12), st.data())
def test_a_stream_is_masked_as_its_whole(values: list[str], texts: list[str], sizes: list[int], data: st.DataObject) -> None:
    secrets = Secrets(values)
    whole = "".join(text + data.draw(st.sampled_from([*values, ""])) for text in texts).encode()
    given_out = b"".join(stream(secrets, *in_pieces(whole, sizes)))
    assert given_out == secrets.mask(whole)
    assert not any(value.encode() in given_out for value in values)
    assert secrets.mask_text(whole.decode()) == given_out.decode()


@given(some_secrets, some_text, st.lists(st.integers(0, 9), max_size=12))
def test_only_what_belongs_to_a_secret_is_masked(values: list[str], texts: list[str], sizes: list[int]) -> None:
    whole = "".join(texts)
    belongs = {
        place
        for value in values
        for start in range(len(whole))
        if whole.startswith(value, start)
        for place in range(start, start + len(value))
    }
    shown = "".join("*" if place in belongs else letter for place, letter in enumerate(whole))
    while "**" in shown:
        shown = shown.replace("**", "*")
    assert b"".join(stream(Secrets(values), *in_pieces(whole.encode(), sizes))).decode() == shown.replace("*", "***")


@given(some_secrets, some_text)
def test_little_is_kept_back(values: list[str], texts: list[str]) -> None:
    masker = Masker(Secrets(values))
    for text in texts:
        masker.feed(text.encode())
    assert len(masker.flush()) < max(map(len, values))


@pytest.mark.parametrize("value", ["aaaaaa", "abcabc", "abcdef", "abc" * 400, "a" * 5_000])
def test_a_secret_that_overlaps_itself(value: str) -> None:
    assert stream(Secrets([value]), value.encode() * 50, value.encode()) == [b"***", b"", b""]
