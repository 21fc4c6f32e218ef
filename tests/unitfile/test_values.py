from __future__ import annotations

from contextlib import suppress
from datetime import date, datetime, time
from signal import Signals

import pytest
import tomli
from hypothesis import given
from hypothesis import strategies as st

from runner.unitfile.values import (
    Duration,
    Interval,
    Pattern,
    SignalName,
    Size,
    Special,
    Unusable,
    check_host_port,
    check_path,
    check_socket_path,
    check_url,
    did_you_mean,
    parse,
    quote,
)


@pytest.mark.parametrize(
    ("kind", "written", "value"),
    [
        (Duration, "250ms", 0.25),
        (Duration, "10s", 10),
        (Duration, "5m", 300),
        (Duration, "1h30m", 5400),
        (Duration, "1h1m1s1ms", 3661.001),
        (Duration, "1.5s", 1.5),
        (Duration, 0, 0),
        (Duration, 2.5, 2.5),
        (Duration, "3650h", 3650 * 3600),
        (Interval, "1ms", 0.001),
        (Interval, 1, 1),
        (Size, "64KiB", 65536),
        (Size, "10MB", 10_000_000),
        (Size, "1.5kB", 1500),
        (Size, "1KB", 1000),
        (Size, "2GiB", 2**31),
        (Size, "4096B", 4096),
        (Size, 4096, 4096),
        (SignalName, "SIGTERM", "SIGTERM"),
        (Pattern, "ready on [0-9]+", "ready on [0-9]+"),
    ],
)
def test_what_can_be_used(kind: type[Special], written: object, value: object) -> None:
    parsed = parse(kind, written)
    assert parsed == value
    assert type(parsed) is kind


@pytest.mark.parametrize(
    ("kind", "written", "hint"),
    [
        (Duration, "", "the units are"),
        (Duration, "5 s", "the units are"),
        (Duration, "1m1h", "the units are"),
        (Duration, "-1s", "the units are"),
        (Duration, "10", 'write "10s"'),
        (Duration, -1, "backwards"),
        (Duration, float("nan"), "ten years"),
        (Duration, float("-inf"), "ten years"),
        (Duration, 10**400, "ten years"),
        (Duration, "9" * 400 + "h", "ten years"),
        (Duration, True, ""),
        (Duration, ["1s"], ""),
        (Interval, 0, ""),
        (Interval, "0ms", ""),
        (Interval, "x", "the units are"),
        (Size, "10", "without quotes"),
        (Size, "10 MB", "the units are"),
        (Size, "9" * 400 + "GB", ""),
        (Size, 999, ""),
        (Size, 2**63, ""),
        (Size, 1e6, ""),
        (Size, True, ""),
        (SignalName, "TERM", '"SIGTERM"'),
        (SignalName, "sigterm", '"SIGTERM"'),
        (SignalName, "nonsense!", ""),
        (SignalName, 15, '"SIGTERM"'),
        (SignalName, 99, ""),
        (SignalName, 1.5, ""),
        (Pattern, "", ""),
        (Pattern, 5, ""),
        (Pattern, "(", "unterminated"),
        (Pattern, "a{99999999999999999999}", "too large"),
    ],
)
def test_what_cannot_be_used(kind: type[Special], written: object, hint: str) -> None:
    with pytest.raises(Unusable) as caught:
        parse(kind, written)
    assert hint in caught.value.hint
    assert bool(hint) == bool(caught.value.hint)


@given(st.integers(0, 1000), st.integers(0, 59), st.integers(0, 59), st.integers(0, 999))
def test_a_duration_is_the_sum_of_its_parts(hours: int, minutes: int, seconds: int, milliseconds: int) -> None:
    parsed = Duration.parse(f"{hours}h{minutes}m{seconds}s{milliseconds}ms")
    assert parsed == pytest.approx(hours * 3600 + minutes * 60 + seconds + milliseconds / 1000)


@given(
    st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.none()),
    st.sampled_from([Duration, Interval, Size, SignalName, Pattern]),
)
def test_anything_is_parsed_or_refused(written: object, kind: type[Special]) -> None:
    with suppress(Unusable):
        assert isinstance(parse(kind, written), kind)


@pytest.mark.parametrize("name", Signals.__members__)
def test_every_signal_has_its_name(name: str) -> None:
    assert SignalName.parse(name) == name


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost",
        "https://localhost:8443/",
        "http://127.0.0.1:8080/health?x=1#y",
        "http://[::1]:80/",
        "http://host?x",
        "http://bücher.example/",
    ],
)
def test_urls(url: str) -> None:
    check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost",
        "ftp://x",
        "http://",
        "http:///x",
        "http://x:0/",
        "http://x:70000/",
        "http://x:y/",
        "http://a b/",
        "http://u:p@x/",
        "http://x/\n",
    ],
)
def test_what_is_no_url(url: str) -> None:
    with pytest.raises(Unusable):
        check_url(url)


@pytest.mark.parametrize("address", ["localhost:80", "127.0.0.1:65535", "[::1]:5432"])
def test_addresses(address: str) -> None:
    check_host_port(address)


@pytest.mark.parametrize(
    "address", ["", "localhost", ":80", "localhost:", "localhost:0", "localhost:65536", "::1:80", "a b:80", "x:80\n", "x:٣"]
)
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(Unusable):
        check_host_port(address)


def test_paths() -> None:
    check_path("x")
    check_socket_path("x" * 107)
    for check, path in ((check_path, ""), (check_socket_path, ""), (check_socket_path, "é" * 54)):
        with pytest.raises(Unusable):
            check(path)


def test_did_you_mean() -> None:
    assert did_you_mean("comand", ["command", "script"]) == 'did you mean "command"?'
    assert did_you_mean("zzz", ["command", "script"]) == ""


@pytest.mark.parametrize(
    ("value", "quoted"),
    [
        ("x", '"x"'),
        ('say "x"\n', '"say \\"x\\"\\n"'),
        ("\udcff.toml", '"\ufffd.toml"'),
        (True, "true"),
        (False, "false"),
        (5, "5"),
        (-1.5, "-1.5"),
        (2**64, "0x10000000000000000"),
        ([], "[]"),
        (["a", 1], '["a", 1]'),
        ({}, "{}"),
        ({"a": {"b": 1}}, "{ a = { b = 1 } }"),
        ([[[[1]]]], "[[[[...]]]]"),
        ({"a": [{"b": {}}]}, "{ a = [{ b = { ... } }] }"),
        (date(1979, 5, 27), "1979-05-27"),
        (datetime(1979, 5, 27, 7, 32), "1979-05-27T07:32:00"),
        (time(7, 32), "07:32:00"),
        ("x" * 100, '"' + "x" * 56 + "..."),
        ([1] * 1000, "[" + "1, " * 18 + "1,..."),
    ],
)
def test_quote(value: object, quoted: str) -> None:
    assert quote(value) == quoted


@given(
    st.one_of(
        st.text(max_size=8, alphabet=st.characters(codec="utf-8", exclude_characters="\x7f")),
        st.integers(-(2**63), 2**63 - 1),
        st.booleans(),
    )
)
def test_a_short_value_is_quoted_as_toml_would_have_it(value: object) -> None:
    quoted = quote(value)
    assert len(quoted) == 60 or tomli.loads(f"x = {quoted}")["x"] == value
