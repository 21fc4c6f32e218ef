from __future__ import annotations

import msgspec
import pytest

from runner.unitfile.table import Table, says


def test_a_key_says_what_it_means() -> None:
    assert says("The name.").description == "The name."


def test_a_table_has_the_keys_that_it_has_and_no_other() -> None:
    class Example(Table):
        two_words: int = 1

    assert msgspec.convert({"two-words": 2}, Example).two_words == 2
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"two_words": 2}, Example)
