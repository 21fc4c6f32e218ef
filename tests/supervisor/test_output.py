from __future__ import annotations

import fcntl
import os
import threading
import tracemalloc
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.core.mask import Masker, Secrets
from runner.supervisor.output import CHUNK, CHUNKS_A_READ, LISTENED_LINE, TAIL_LINES, TAIL_WIDTH, LogFile, Output, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PIECES = st.sampled_from(
    [b"a", b"word ", b"\n", b"\n\n", b"\r", b"\r\n", b"\xff", "é".encode(), b"\x1b[31m", b"x" * 1_500, b"y" * 5_000]
)
TEXTS = st.lists(PIECES, max_size=60).map(b"".join)


@contextmanager
def piped(log: LogFile, on_line: Callable[[bytes], None] | None = None) -> Iterator[tuple[Output, int]]:
    reader, writer = os.pipe()
    output = Output(reader, log, on_line)
    try:
        yield output, writer
    finally:
        output.close()
        os.close(writer)


def read_chunks(chunks: list[bytes], log: LogFile, on_line: Callable[[bytes], None] | None = None) -> Output:
    """Feed chunks through a real pipe, each read on its own, to the end."""
    reader, writer = os.pipe()
    output = Output(reader, log, on_line)
    for chunk in chunks:
        for start in range(0, len(chunk), CHUNK):
            os.write(writer, chunk[start : start + CHUNK])
            assert output.read()
    os.close(writer)
    assert not output.read()
    output.close()
    return output


def masked(chunks: list[bytes], log: LogFile, *secrets: str) -> list[bytes]:
    """Feed chunks through a real pipe, masked; the lines that are told."""
    told: list[bytes] = []
    reader, writer = os.pipe()
    output = Output(reader, log, told.append, Masker(Secrets(secrets)))
    for chunk in chunks:
        os.write(writer, chunk)
        assert output.read()
    os.close(writer)
    assert not output.read()
    output.close()
    assert [line.decode() for line in told] == output.tail()
    return told


def cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({place for place in places if place < len(data)} | {0, len(data)})
    return [data[start:end] for start, end in pairwise(ends)]


def null_log() -> LogFile:
    return LogFile(os.devnull, 1_000, 0)


def files_of(log: LogFile) -> list[Path]:
    """Oldest first."""
    return [path for number in range(log.keep, 0, -1) if (path := Path(f"{log.path}.{number}")).exists()] + [Path(log.path)]


def open_descriptors() -> set[str]:
    return {entry.name for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink()}


class TestLogFile:
    def test_nothing_touches_the_disk_before_there_is_data(self, tmp_path: Path) -> None:
        log = LogFile(str(tmp_path / "logs" / "editor" / "server.log"), 100, 2)
        log.write(b"")
        log.close()
        assert not list(tmp_path.iterdir())
        log.write(b"hello\n")
        log.close()
        assert (tmp_path / "logs" / "editor" / "server.log").read_bytes() == b"hello\n"
        assert (log.lost, log.error) == (0, "")

    def test_a_later_invocation_appends(self, tmp_path: Path) -> None:
        for text in (b"first\n", b"second\n"):
            log = LogFile(str(tmp_path / "x.log"), 100, 2)
            log.write(text)
            log.close()
        assert (tmp_path / "x.log").read_bytes() == b"first\nsecond\n"

    def test_only_its_owner_may_read_it(self, tmp_path: Path) -> None:
        log = LogFile(str(tmp_path / "x.log"), 100, 2)
        log.write(b"secret")
        log.close()
        assert (tmp_path / "x.log").stat().st_mode & 0o777 == 0o600

    def test_rotates_between_lines(self, tmp_path: Path) -> None:
        log = LogFile(str(tmp_path / "x.log"), 10, 2)
        for number in range(8):
            log.write(b"line %d\n" % number)
        log.close()
        assert [path.read_bytes() for path in files_of(log)] == [b"line 5\n", b"line 6\n", b"line 7\n"]

    def test_a_chunk_is_parted_between_lines(self, tmp_path: Path) -> None:
        log = LogFile(str(tmp_path / "x.log"), 10, 5)
        log.write(b"aaa\nbbb\nccc\nddd\n")
        log.close()
        assert [path.read_bytes() for path in files_of(log)] == [b"aaa\nbbb\n", b"ccc\nddd\n"]

    def test_without_rotated_files_it_begins_anew(self, tmp_path: Path) -> None:
        log = LogFile(str(tmp_path / "x.log"), 10, 0)
        log.write(b"line 1\n")
        log.write(b"line 2\n")
        log.close()
        assert [path.name for path in tmp_path.iterdir()] == ["x.log"]
        assert (tmp_path / "x.log").read_bytes() == b"line 2\n"

    @given(chunks=st.lists(TEXTS, max_size=12), max_size=st.integers(500, 9_000), keep=st.integers(0, 3))
    def test_keeps_the_end_of_what_was_written_within_its_size(self, chunks: list[bytes], max_size: int, keep: int) -> None:
        with TemporaryDirectory() as directory:
            log = LogFile(f"{directory}/x.log", max_size, keep)
            for chunk in chunks:
                log.write(chunk)
            log.close()
            files = [path.read_bytes() for path in files_of(log) if path.exists()]
        written, kept = b"".join(chunks), b"".join(files)
        assert written.endswith(kept)
        assert all(0 < len(data) <= log.max_size for data in files)
        assert len(kept) == len(written) or len(files) == keep + 1
        assert log.lost == 0

    def test_a_size_of_nothing_still_ends(self, tmp_path: Path) -> None:
        log = LogFile(str(tmp_path / "x.log"), 0, 1)
        log.write(b"abc")
        log.close()
        assert [path.read_bytes() for path in files_of(log)] == [b"b", b"c"]

    def test_a_file_that_somebody_deleted_or_renamed_is_begun_anew(self, tmp_path: Path) -> None:
        log = LogFile(str(tmp_path / "logs" / "x.log"), 100, 2)
        log.write(b"one\n")
        (tmp_path / "logs" / "x.log").unlink()
        (tmp_path / "logs").rmdir()
        log.write(b"two\n")
        assert (tmp_path / "logs" / "x.log").read_bytes() == b"two\n"
        (tmp_path / "logs" / "x.log").rename(tmp_path / "elsewhere")
        (tmp_path / "logs" / "x.log").write_bytes(b"of another\n")
        log.write(b"three\n")
        log.close()
        assert (tmp_path / "logs" / "x.log").read_bytes() == b"of another\nthree\n"
        assert log.lost == 0

    def test_two_that_write_to_one_file_rotate_it_once(self, tmp_path: Path) -> None:
        one, two = (LogFile(str(tmp_path / "x.log"), 10, 3) for _ in range(2))
        for number in range(2):
            one.write(b"one %d\n" % number)
            two.write(b"two %d\n" % number)
        one.close()
        two.close()
        assert b"".join(path.read_bytes() for path in files_of(one)) == b"one 0\ntwo 0\none 1\ntwo 1\n"
        assert len(files_of(one)) == 4

    def test_a_device_is_never_rotated(self) -> None:
        log = null_log()
        log.write(b"x" * 5_000)
        log.close()
        assert not Path(os.devnull).is_file()
        assert (log.lost, log.error) == (0, "")

    def test_a_full_disk_loses_bytes_and_says_so_once_each_time(self, tmp_path: Path) -> None:
        full = Path("/dev/full")
        if not full.exists():
            pytest.skip("needs /dev/full")
        said: list[str] = []
        log = LogFile(str(tmp_path / "x.log"), 100, 2, said.append)
        path = Path(log.path)
        for _ in range(2):
            path.symlink_to(full)
            log.write(b"lost\n")
            log.write(b"lost\n")
            path.unlink()
            log.write(b"kept\n")
            assert log.error == ""
            path.unlink()
        log.close()
        assert log.lost == 20
        assert said == [f"cannot write the log {log.path!r}: No space left on device"] * 2

    @pytest.mark.parametrize("broken", ["a file in place of the directory", "a directory in place of the file", "a null byte"])
    def test_an_unusable_path_loses_bytes_and_recovers(self, tmp_path: Path, broken: str) -> None:
        path = tmp_path / "logs" / "x.log"
        log = LogFile(str(path), 100, 2)
        if broken == "a file in place of the directory":
            path.parent.write_bytes(b"")
        elif broken == "a directory in place of the file":
            path.mkdir(parents=True)
        else:
            log.path = "\0"
        log.write(b"lost\n")
        assert log.lost == 5
        assert log.error.startswith(f"cannot write the log {log.path!r}: ")
        if path.parent.is_file():
            path.parent.unlink()
        elif path.is_dir():
            path.rmdir()
        log.path = str(path)
        log.write(b"kept\n")
        log.close()
        assert path.read_bytes() == b"kept\n"
        assert (log.lost, log.error) == (5, "")

    def test_a_fifo_that_nobody_reads_does_not_block(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "x.log")
        log = LogFile(str(tmp_path / "x.log"), 100, 2)
        log.write(b"lost\n")
        assert log.lost == 5

    def test_when_rotation_fails_the_size_is_kept(self, tmp_path: Path) -> None:
        log = LogFile(str(tmp_path / "x.log"), 10, 1)
        log.write(b"line 1\n")
        (tmp_path / "x.log.1").mkdir()
        log.write(b"line 2\n")
        log.close()
        assert (tmp_path / "x.log").read_bytes() == b"line 1\n"
        assert log.lost == 7


class TestPrintable:
    @pytest.mark.parametrize(
        ("line", "text"),
        [
            (b"plain text", "plain text"),
            (b"tab\there", "tab\there"),
            (b"\x1b[1;31mred\x1b[0m", "red"),
            (b"\x1b[?25lhidden cursor\x1b[?25h", "hidden cursor"),
            (b"\x1b]0;a title\x07text", "text"),
            (b"\x1b]8;;http://localhost/\x1b\\link\x1b]8;;\x1b\\", "link"),
            (b"\x1bPq#0;2;0;0;0\x1b\\after a picture", "after a picture"),
            (b"\x1b(Bcharset \x1b7saved \x1bcreset", "charset saved reset"),
            (b"cut off \x1b[31", "cut off "),
            (b"cut off \x1b", "cut off "),
            (b"cut off \x1b]0;tit", "cut off "),
            (b"bell\x07 backspace\x08 null\0 delete\x7f", "bell backspace null delete"),
            ("eight bits \x9b31mred \x9d0;title\x9c\x85".encode(), "eight bits red "),
            (b"no utf-8: \xff\xfe", "no utf-8: \ufffd\ufffd"),
            ("é ☃ 🙂".encode(), "é ☃ 🙂"),
            (b"\x1b]0;\x1b[31mnested", "nested"),
        ],
    )
    def test_what_remains(self, line: bytes, text: str) -> None:
        assert printable(line) == text

    @given(st.binary(max_size=200) | st.text(alphabet="\x1b[]P\\\x07\x9b\x9c;0m a\r", max_size=40).map(str.encode))
    def test_nothing_that_remains_controls_a_terminal(self, line: bytes) -> None:
        assert all(character == "\t" or " " <= character < "\x7f" or character > "\x9f" for character in printable(line))


class TestTail:
    @pytest.mark.parametrize(
        ("data", "lines"),
        [
            (b"", []),
            (b"one\ntwo\n", ["one", "two"]),
            (b"one\ntwo", ["one", "two"]),
            (b"dos\r\nlines\r\n", ["dos", "lines"]),
            (b"10%\r50%\r100%\ndone\n", ["100%", "done"]),
            (b"10%\r50%\r", ["50%"]),
            (b"10%\r50%\r\n", ["50%"]),
            (b"one\n\nthree\n", ["one", "", "three"]),
            (b"bad \xff\x1b[31m\n", ["bad \ufffd"]),
            (b"".join(b"%d\n" % number for number in range(100)), [str(number) for number in range(80, 100)]),
            (b"".join(b"%d\n" % number for number in range(100)) + b"x", [*(str(number) for number in range(81, 100)), "x"]),
            (b"a" * 5_000 + b"\nb", ["a" * TAIL_WIDTH, "b"]),
            ("🙂".encode() * 1_500, ["🙂" * TAIL_WIDTH]),
        ],
    )
    def test_last_lines(self, data: bytes, lines: list[str]) -> None:
        assert read_chunks([data], null_log()).tail() == lines

    def test_fewer_lines_where_fewer_are_asked_for(self) -> None:
        output = read_chunks([b"one\ntwo\nthree\n"], null_log())
        assert output.tail(2) == ["two", "three"]
        assert output.tail(0) == []
        assert output.tail(-1) == []

    @given(data=TEXTS, places=st.lists(st.integers(0, 20_000), max_size=12))
    def test_any_chunks_give_the_same_tail_and_the_same_lines(self, data: bytes, places: list[int]) -> None:
        whole: list[bytes] = []
        parted: list[bytes] = []
        one = read_chunks([data], null_log(), whole.append)
        other = read_chunks(cut(data, places), null_log(), parted.append)
        assert other.tail() == one.tail()
        assert parted == whole
        lines = data.split(b"\n")
        expected = [line.removesuffix(b"\r") for line in (lines if lines[-1] else lines[:-1])]
        assert whole == expected
        assert len(one.tail()) == min(len(expected), TAIL_LINES)


class TestRead:
    def test_what_is_read_is_in_the_log(self, tmp_path: Path) -> None:
        log = LogFile(str(tmp_path / "x.log"), 1_000, 1)
        with piped(log) as (output, writer):
            assert output.read()
            assert not list(tmp_path.iterdir())
            os.write(writer, b"hello\xff\x1b[0m")
            assert output.read()
            assert (tmp_path / "x.log").read_bytes() == b"hello\xff\x1b[0m"
            assert output.fileno() == output.fd

    def test_the_end_is_told_again_and_again(self) -> None:
        reader, writer = os.pipe()
        output = Output(reader, null_log())
        os.write(writer, b"x")
        os.close(writer)
        assert [output.read(), output.read()] == [False, False]
        output.close()
        output.close()
        assert not output.read()
        assert output.tail() == ["x"]

    def test_one_call_takes_only_its_share(self, tmp_path: Path) -> None:
        log = LogFile(str(tmp_path / "x.log"), 10_000_000, 1)
        share = CHUNK * CHUNKS_A_READ
        with piped(log) as (output, writer):
            if fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 2 * share) < 2 * share:
                pytest.skip("needs a large pipe")
            assert os.write(writer, b"x" * 2 * share) == 2 * share
            assert output.read()
            assert (tmp_path / "x.log").stat().st_size == share

    def test_close_leaves_no_descriptor(self, tmp_path: Path) -> None:
        before = open_descriptors()
        with piped(LogFile(str(tmp_path / "x.log"), 1_000, 1)) as (output, writer):
            os.write(writer, b"x")
            output.read()
        assert open_descriptors() == before

    def test_a_line_of_100_mb_needs_little_memory(self, tmp_path: Path) -> None:
        """Half of it before somebody listens, half of it while somebody does."""
        size, lines = 100_000_000, list[bytes]()
        log = LogFile(str(tmp_path / "x.log"), 1_000_000, 2)
        with piped(log) as (output, writer):
            block = b"x" * CHUNK
            tracemalloc.start()
            try:
                for number in range(size // CHUNK):
                    if number == size // CHUNK // 2:
                        output.on_line = lines.append
                    os.write(writer, block)
                    assert output.read()
                os.write(writer, b"\nend\n")
                assert output.read()
                _, peak = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
            assert peak < 10 * CHUNK
            assert lines == [b"x" * LISTENED_LINE, b"end"]
            assert output.tail() == ["x" * TAIL_WIDTH, "end"]
        assert log.lost == 0
        assert sum(path.stat().st_size for path in files_of(log)) <= 3_000_000

    def test_a_process_that_writes_much_is_read_to_its_end(self, tmp_path: Path) -> None:
        log = LogFile(str(tmp_path / "x.log"), 1_000_000, 1)
        reader, writer = os.pipe()
        output = Output(reader, log)
        text = b"".join(b"line %d\n" % number for number in range(200_000))

        def write() -> None:
            with os.fdopen(writer, "wb") as file:
                file.write(text)

        thread = threading.Thread(target=write)
        thread.start()
        os.set_blocking(reader, True)
        while output.read():
            pass
        thread.join()
        output.close()
        kept = b"".join(path.read_bytes() for path in files_of(log))
        assert text.endswith(kept)
        assert len(kept) > log.max_size
        assert output.tail(1) == ["line 199999"]


class TestListener:
    def test_gets_the_lines_from_now_on_until_it_goes(self) -> None:
        heard: list[bytes] = []
        with piped(null_log()) as (output, writer):

            def hear(line: bytes) -> None:
                heard.append(line)
                if line == b"ready":
                    output.on_line = None

            def say(data: bytes) -> None:
                os.write(writer, data)
                assert output.read()

            say(b"before\n")
            output.on_line = hear
            say(b"one\r\nbegun, ")
            assert heard == [b"one"]
            say(b"ended\nready\nafter\nand a rest")
            assert heard == [b"one", b"begun, ended", b"ready"]
            say(b"unheard")
            output.on_line = hear
            say(b" part\nlast")
            assert heard[3:] == [b" part"]
            assert output.tail()[-2:] == ["and a restunheard part", "last"]

    def test_what_it_did_not_hear_does_not_come_later(self) -> None:
        heard: list[bytes] = []
        with piped(null_log(), heard.append) as (output, writer):
            os.write(writer, b"begun")
            output.read()
            output.on_line = None
            os.write(writer, b" and ended\n")
            output.read()
            output.on_line = heard.append
            os.write(writer, b"new\n")
            output.read()
        assert heard == [b"new"]

    @pytest.mark.parametrize("by", ["end", "close"])
    def test_gets_an_unfinished_line_at_the_end_once(self, by: str) -> None:
        heard: list[bytes] = []
        reader, writer = os.pipe()
        output = Output(reader, null_log(), heard.append)
        os.write(writer, b"one\ntwo")
        assert output.read()
        os.close(writer)
        assert by == "close" or not output.read()
        output.close()
        assert heard == [b"one", b"two"]

    @settings(max_examples=20)
    @given(places=st.lists(st.integers(0, 3 * LISTENED_LINE), max_size=8))
    def test_gets_a_long_line_cut(self, places: list[int]) -> None:
        heard: list[bytes] = []
        data = b"x" * (2 * LISTENED_LINE) + b"\nshort\n"
        read_chunks(cut(data, places), null_log(), heard.append)
        assert heard == [b"x" * LISTENED_LINE, b"short"]


class TestMasking:
    def test_what_is_kept_and_told_is_masked(self, tmp_path: Path) -> None:
        log = LogFile(str(tmp_path / "log"), 1_000, 0)
        assert masked([b"my hunt", b"er22\nhun", b"ter\nhunter2"], log, "hunter22") == [b"my ***", b"hunter", b"hunter2"]
        assert (tmp_path / "log").read_bytes() == b"my ***\nhunter\nhunter2"

    def test_a_secret_at_the_edge_of_a_read(self, tmp_path: Path) -> None:
        log = LogFile(str(tmp_path / "log"), 1_000_000, 0)
        reader, writer = os.pipe()
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 1 << 20)
        output = Output(reader, log, None, Masker(Secrets(["hunter22"])))
        before = b"x" * (CHUNK - 4)
        os.write(writer, before + b"hunter22" + before)
        assert output.read()
        os.close(writer)
        output.close()
        assert (tmp_path / "log").read_bytes() == before + b"***" + before

    def test_what_was_kept_back_is_given_out_when_the_pipe_is_closed(self, tmp_path: Path) -> None:
        log = LogFile(str(tmp_path / "log"), 1_000, 0)
        reader, writer = os.pipe()
        output = Output(reader, log, None, Masker(Secrets(["hunter22"])))
        os.write(writer, b"hunter2")
        assert output.read()
        assert output.tail() == []
        assert not (tmp_path / "log").exists()
        output.close()
        os.close(writer)
        assert output.tail() == ["hunter2"]
        assert (tmp_path / "log").read_bytes() == b"hunter2"
