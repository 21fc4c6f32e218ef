from __future__ import annotations

from contextlib import suppress
from datetime import date, datetime, time
from signal import Signals

import pytest
import tomli
from hypothesis import given
from hypothesis import strategies as st

from runner.core.unit import UNLIMITED
from runner.unitfile.values import (
    AccountName,
    CountLimit,
    Duration,
    Interval,
    Limit,
    Pattern,
    ShortTimeLimit,
    SignalName,
    Size,
    SizeLimit,
    Special,
    TimeLimit,
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
        (AccountName, "www-data", "www-data"),
        (AccountName, "_apt", "_apt"),
        (AccountName, "0", "0"),
        (AccountName, "4294967294", "4294967294"),
        (AccountName, "1a", "1a"),
        (AccountName, "\u0661", "\u0661"),
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
        (AccountName, "", ""),
        (AccountName, "a b", ""),
        (AccountName, "-u", ""),
        (AccountName, "007", ""),
        (AccountName, "4294967295", "the highest number is 4294967294"),
        (AccountName, "99999999999", ""),
        (AccountName, 1000, 'write it in quotes: "1000"'),
        (AccountName, True, ""),
        (CountLimit, "10", "write 10 without quotes"),
        (CountLimit, "10kB", ""),
        (CountLimit, -1, ""),
        (CountLimit, 2**63, ""),
        (CountLimit, True, ""),
        (CountLimit, {}, '"soft" and "hard"'),
        (CountLimit, {"sotf": 1}, 'did you mean "soft"?'),
        (CountLimit, {"zzzzzz": 1}, '"soft" and "hard"'),
        (CountLimit, {"soft": "1"}, "write 1 without quotes"),
        (SizeLimit, "10", "without quotes"),
        (SizeLimit, -5, ""),
        (SizeLimit, 1.5, ""),
        (TimeLimit, 0, ""),
        (TimeLimit, "1500ms", ""),
        (TimeLimit, "x", "the units are"),
        (ShortTimeLimit, 1e-7, ""),
    ],
)
def test_what_cannot_be_used(kind: type[Special], written: object, hint: str) -> None:
    with pytest.raises(Unusable) as caught:
        parse(kind, written)
    assert hint in caught.value.hint
    assert bool(hint) == bool(caught.value.hint)


@pytest.mark.parametrize(
    ("kind", "written", "limits"),
    [
        (CountLimit, 0, (0, 0)),
        (CountLimit, "unlimited", (UNLIMITED, UNLIMITED)),
        (CountLimit, {"soft": 1}, (1, None)),
        (CountLimit, {"hard": "unlimited"}, (None, UNLIMITED)),
        (CountLimit, {"hard": 3, "soft": 2}, (2, 3)),
        (SizeLimit, 0, (0, 0)),
        (SizeLimit, "8MiB", (2**23, 2**23)),
        (SizeLimit, {"soft": "1kB", "hard": "1MB"}, (1000, 1_000_000)),
        (TimeLimit, 90, (90, 90)),
        (TimeLimit, "1h", (3600, 3600)),
        (ShortTimeLimit, 1.1, (1_100_000, 1_100_000)),
        (ShortTimeLimit, "200ms", (200_000, 200_000)),
    ],
)
def test_limits(kind: type[Limit], written: object, limits: tuple[int | None, int | None]) -> None:
    limit = parse(kind, written)
    assert isinstance(limit, kind)
    assert (limit.soft, limit.hard) == limits


def test_a_limit_without_a_measure_measures_nothing() -> None:
    with pytest.raises(NotImplementedError):
        Limit.measure(1)


@given(st.integers(0, 1000), st.integers(0, 59), st.integers(0, 59), st.integers(0, 999))
def test_a_duration_is_the_sum_of_its_parts(hours: int, minutes: int, seconds: int, milliseconds: int) -> None:
    parsed = Duration.parse(f"{hours}h{minutes}m{seconds}s{milliseconds}ms")
    assert parsed == pytest.approx(hours * 3600 + minutes * 60 + seconds + milliseconds / 1000)


@given(
    st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.none(), st.dictionaries(st.text(), st.integers())),
    st.sampled_from([Duration, Interval, Size, SignalName, Pattern, AccountName, CountLimit, SizeLimit, ShortTimeLimit]),
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
