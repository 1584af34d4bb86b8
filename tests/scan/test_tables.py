"""Tables of strangers: read in constant memory, every oddity told with its row, nothing lost in silence."""

from __future__ import annotations

import csv
import gzip
import io
import os
import time
import tracemalloc
from typing import TYPE_CHECKING, BinaryIO, cast

import msgspec
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongqiu.record.faults import Fault, Malformed, Missing
from tongqiu.scan.streams import Lines, Piece
from tongqiu.scan.tables import Limits, Table, open_table

if TYPE_CHECKING:
    from pathlib import Path


def _read(data: bytes, *, limits: Limits | None = None, form: str = "auto", encoding: str = "auto") -> Table:
    return open_table(io.BytesIO(data), limits=limits or Limits(), format=form, encoding=encoding, name="t")


def _rows(data: bytes, **options: str) -> list[list[str]]:
    return list(_read(data, form=options.get("form", "auto"), encoding=options.get("encoding", "auto")).rows)


def _problems(table: Table) -> dict[str, list[tuple[int, int]]]:
    return {item.code: [(place.row, place.line) for place in item.places] for item in table.problems.all()}


def _code(data: bytes, *, limits: Limits | None = None, form: str = "auto", encoding: str = "auto") -> str:
    with pytest.raises(Fault) as caught:
        list(_read(data, limits=limits, form=form, encoding=encoding).rows)
    assert caught.value.what.zh != caught.value.what.en
    return caught.value.code


class _Endless(io.RawIOBase):
    """A stream of ``size`` bytes that exist only while they are read."""

    def __init__(self, head: bytes, size: int) -> None:
        super().__init__()
        self.head = head
        self.left = size
        self.given = 0

    def read(self, size: int = -1) -> bytes:
        assert size > 0
        piece = self.head or b"x" * min(size, self.left)
        self.head = b""
        self.left -= len(piece)
        self.given += len(piece)
        return piece


def test_rfc_4180_examples() -> None:
    text = b'aaa,bbb,ccc\r\n"b ""q""","x\r\ny",\r\n1,2,3'
    assert _rows(text) == [['b "q"', "x\r\ny", ""], ["1", "2", "3"]]


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_the_delimiter_is_found(delimiter: str) -> None:
    lines = ['"name,x;y"' + delimiter + "n", '"a|b, c"' + delimiter + "1", "z" + delimiter + "2"]
    table = _read("\n".join(lines).encode())
    assert table.columns == ["name,x;y", "n"]
    assert list(table.rows) == [["a|b, c", "1"], ["z", "2"]]


def test_a_table_of_one_column_keeps_its_empty_rows() -> None:
    assert _rows(b"text\none\n\ntwo\n") == [["one"], [""], ["two"]]


def test_blank_lines_between_rows_are_no_rows() -> None:
    table = _read(b"\n\na,b\n\n1,2\n\n")
    assert (table.columns, list(table.rows), table.problems.all()) == (["a", "b"], [["1", "2"]], ())


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        ("a,b\n中文,é\n".encode(), "auto"),
        (b"\xef\xbb\xbf" + "a,b\n中文,é\n".encode(), "auto"),
        ("\ufeffa,b\n中文,é\n".encode("utf-16-le"), "auto"),
        ("\ufeffa,b\n中文,é\n".encode("utf-16-be"), "auto"),
        ("a,b\n中文,é\n".encode("gb18030"), "gb18030"),
        (gzip.compress("a,b\n中文,é\n".encode(), mtime=0), "auto"),
        (gzip.compress(b"a,b\n", mtime=0) + gzip.compress("中文,é\n".encode(), mtime=0), "auto"),
    ],
)
def test_encodings_and_gzip(data: bytes, encoding: str) -> None:
    table = _read(data, encoding=encoding)
    assert (table.columns, list(table.rows), table.problems.all()) == (["a", "b"], [["中文", "é"]], ())


def test_what_is_wrong_in_a_row_is_told_with_row_and_line_and_the_rest_is_read() -> None:
    table = _read(b'a,b\n1,"x\ny"\n2\n3,"q"k\n\xff,4\n5,\x006\n7,8,9\n10,11\n')
    assert list(table.rows) == [["1", "x\ny"], ["3", "qk"], ["\ufffd", "4"], ["5", "\ufffd6"], ["10", "11"]]
    assert _problems(table) == {
        "table.ragged": [(2, 4), (6, 8)],
        "table.quote": [(3, 5)],
        "table.bytes": [(4, 6)],
        "table.nul": [(5, 7)],
    }
    assert table.problems.lost == 2
    ragged = next(item for item in table.problems.all() if item.code == "table.ragged")
    assert "row 2, line 4" in ragged.what.en
    assert "数据第 2 行（文件第 4 行）" in ragged.what.zh


def test_places_are_bounded_and_counts_are_not() -> None:
    table = _read(b"a,b\n" + b"1\n" * 500, limits=Limits(places=3))
    assert list(table.rows) == []
    (problem,) = table.problems.all()
    assert (problem.count, len(problem.places)) == (500, 3)


def test_names_of_columns_are_made_distinct() -> None:
    table = _read(b"a,a,,a (2), b \n")
    assert table.columns == ["a", "a (3)", "column 3", "a (2)", "b"]
    assert {item.code for item in table.problems.all()} == {"table.header-twice", "table.header-empty"}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "table.empty"),
        (b"\n \n\r\n", "table.empty"),
        (b"\xef\xbb\xbf", "table.empty"),
        (gzip.compress(b"", mtime=0), "table.empty"),
        (b"\x1f\x8b\x08\x00", "table.gzip"),
        (b"\x00\x01" * 100, "table.binary"),
        (b"PK\x03\x04" + b"\x00" * 50, "table.packed"),
        (b"\x28\xb5\x2f\xfd" + b"\x00" * 50, "table.zstd"),
        (b"a,b\r1,2\r", "table.newline"),
        (b'a,b\n1,2\n3,"x\n4,5\n', "table.quote-open"),
    ],
)
def test_unreadable_tables_are_refused_by_name(data: bytes, code: str) -> None:
    assert _code(data) == code


def test_more_refusals() -> None:
    assert _code(b'[{"a":1}]', form="jsonl") == "table.json-array"
    assert _code(b"a\n", form="xlsx") == "table.format"
    assert _code(b"a\n", encoding="latin-1") == "table.encoding-unknown"
    assert _code(b"a,b,c\n", limits=Limits(columns=2)) == "table.columns"
    assert _code(b'{"a":1,"b":2,"c":3}', limits=Limits(columns=2)) == "table.columns"
    assert _code(b'a,b\n"' + b"x\n" * 700_000, limits=Limits(line=1 << 20)) == "table.quote-open"


def test_a_line_of_five_gigabytes_is_refused_quickly_and_in_little_memory() -> None:
    for head in (b"a,b\n1,", b'a,b\n1,"', b'{"a":"'):
        stream = _Endless(head, 5 << 30)
        tracemalloc.start()
        began = time.process_time()
        with pytest.raises(Malformed) as caught:
            list(open_table(cast("BinaryIO", stream), name="big", limits=Limits(line=4 << 20)).rows)
        spent, peak = time.process_time() - began, tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert caught.value.code == "table.line"
        assert stream.given < 6 << 20
        assert spent < 2
        assert peak < 40 << 20


def test_a_sparse_file_of_five_gigabytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sparse.csv"
    with path.open("wb") as stream:
        stream.write(b"a,b\n" + b"1,2\n" * 2000 + b"3,")
        stream.truncate(5 << 30)
    with pytest.raises(Malformed) as caught, open_table(path) as table:
        list(table.rows)
    assert caught.value.code == "table.line"
    assert "2002" in caught.value.what.en


def test_a_gzip_bomb_is_refused() -> None:
    bomb = gzip.compress(b"a,b\n" + (b"1," + b"x" * 4000 + b"\n") * 20_000)
    assert len(bomb) < 1 << 20
    assert _code(bomb) == "table.bomb"
    assert _code(gzip.compress(b"a\n" * 1000), limits=Limits(unpacked=1000)) == "table.bomb"


def test_a_broken_gzip_gives_what_came_before() -> None:
    lines = b"".join(b"%d,%d\n" % (number, number * number) for number in range(20_000))
    packed = gzip.compress(b"a,b\n" + lines)
    cut = _read(packed[:-1000])
    kept = list(cut.rows)
    assert 0 < len(kept) < 20_000
    assert [item.code for item in cut.problems.all()] in (["table.truncated"], ["table.ragged", "table.truncated"])
    flipped = bytearray(packed)
    flipped[-6] ^= 1  # the checksum
    table = _read(bytes(flipped))
    list(table.rows)
    assert "table.corrupt" in _problems(table)
    assert table.problems.lost


def test_json_lines_gather_their_columns_as_they_come() -> None:
    table = _read(b'{"a":1,"b":null}\n\nnot json\n{"c":[1,{"d":true}],"a":"x"}\n[1]\n{"b":false,"a":1.5}')
    assert list(table.rows) == [["1", ""], ["x", "", '[1,{"d":true}]'], ["1.5", "false", ""]]
    assert table.columns == ["a", "b", "c"]
    assert _problems(table) == {"table.json": [(2, 3), (4, 5)]}
    assert [row for batch in _read(b'{"a":1}\nx\n{"a":2}').batches() for row in batch.numbers] == [1, 3]


def test_numbers_of_any_size_and_keys_of_any_name() -> None:
    table = _read(
        b'{"":1,"column 1":2}\n{"a":' + b"9" * 5000 + b'}\n{"a":1e999}\n{"a":1' + b"0" * 60 + b"}", form="jsonl"
    )
    assert [row[-1] for row in table.rows] == ["2", "1" + "0" * 60]
    assert table.columns == ["column 1", "column 1 (2)", "a"]
    assert table.problems.lost == 2


def test_json_bombs_and_bad_bytes_are_row_level() -> None:
    table = _read(b'{"a":' + b"[" * 100_000 + b'\n{"a":"\xff"}\n{"a":"\\ud800"}\n{"a":"ok"}\n')
    rows = list(table.rows)
    assert rows[-1] == ["ok"]
    assert len(rows) + table.problems.lost == 4
    assert "table.bytes" in _problems(table)


def test_a_file_is_closed_and_progress_is_in_bytes(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"a,b\n" + b"1,2\n" * 300_000)
    with open_table(path) as table:
        seen = [table.read for _ in table.batches()]
    assert seen == sorted(seen)
    assert len(set(seen)) > 3
    assert table.read == table.size == path.stat().st_size


def test_a_table_must_be_an_ordinary_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "."):
        with pytest.raises(Malformed) as caught:
            open_table(tmp_path / name)
        assert caught.value.code == "path.special"
    with pytest.raises(Missing):
        open_table(tmp_path / "absent.csv")


@pytest.mark.system
def test_memory_does_not_grow_with_the_table() -> None:
    class Rows(io.RawIOBase):
        def __init__(self, size: int) -> None:
            super().__init__()
            self.left = size

        def read(self, size: int = -1) -> bytes:
            size = min(size, self.left) // 8 * 8
            self.left -= size
            return b"ab,1234\n" * (size // 8)

    peaks = []
    for size in (1 << 20, 5 << 20):
        tracemalloc.start()
        assert sum(1 for _ in open_table(cast("BinaryIO", Rows(size))).rows) == size // 8 - 1
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.2


def test_parquet_is_read_when_the_extra_is_there_and_lies_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    frame = pl.DataFrame({"a": [1, None, 3], "b": ["x", "", "中"], "c": [[1], [], None], "d": [True, False, None]})
    frame.write_parquet(path)
    with open_table(path) as table:
        assert table.columns == ["a", "b", "c", "d"]
        assert list(table.rows) == [["1", "x", "[1]", "true"], ["", "", "[]", "false"], ["3", "中", "", ""]]
        assert table.read == table.size
    data = bytearray(path.read_bytes())
    data[4:40] = b"\xff" * 36
    path.write_bytes(bytes(data))
    with pytest.raises(Malformed) as caught, open_table(path) as table:
        list(table.rows)
    assert caught.value.code == "table.parquet"


_FIELD = st.text(st.sampled_from('ab,;"\n\r\t é中\u2028\x0b'), max_size=6)


@given(
    st.integers(2, 4).flatmap(lambda width: st.lists(st.lists(_FIELD, min_size=width, max_size=width), max_size=8)),
    st.integers(1, 40),
)
def test_what_the_standard_writer_writes_is_read_back(rows: list[list[str]], step: int) -> None:
    width = len(rows[0]) if rows else 2
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerows([[f"c{index}" for index in range(width)], *rows])
    table = open_table(cast("BinaryIO", _Steps(out.getvalue().encode(), step)))
    assert list(table.rows) == rows
    assert table.problems.all() == ()


class _Steps(io.RawIOBase):
    """Bytes that come a few at a time, so that every boundary is met."""

    def __init__(self, data: bytes, step: int) -> None:
        super().__init__()
        self.data = data
        self.step = step

    def read(self, size: int = -1) -> bytes:
        del size
        piece, self.data = self.data[: self.step], self.data[self.step :]
        return piece


@given(st.text(st.sampled_from('a1,"\n\r\0;'), max_size=60), st.integers(1, 20))
def test_the_answer_does_not_depend_on_how_the_bytes_arrive(text: str, step: int) -> None:
    def outcome(stream: BinaryIO) -> object:
        try:
            table = open_table(stream)
            rows = list(table.rows)
        except Malformed as fault:
            return fault.code
        return rows, table.columns, _problems(table)

    data = b"h,i\n" + text.encode()
    assert outcome(cast("BinaryIO", _Steps(data, step))) == outcome(io.BytesIO(data))


@given(st.binary(max_size=200))
def test_no_bytes_crash_the_reader(data: bytes) -> None:
    for form in ("csv", "jsonl"):
        try:
            list(_read(data, form=form).rows)
        except Fault as fault:
            assert fault.code.startswith("table.")  # noqa: PT017 - any table fault will do


@given(st.lists(st.dictionaries(st.text(max_size=3), st.none() | st.text(max_size=5), max_size=3), min_size=1))
def test_json_objects_come_back(objects: list[dict[str, str | None]]) -> None:
    data = b"\n".join(msgspec.json.encode(item) for item in objects)
    table = _read(data, form="jsonl")
    rows = list(table.rows)
    assert len(rows) == len(objects)
    keys = list(dict.fromkeys(key for item in objects for key in item))
    for row, item in zip(rows, objects, strict=True):
        for index, key in enumerate(keys):
            assert (row[index] if index < len(row) else "") == (item.get(key) or "")


def test_pieces_number_their_lines() -> None:
    lines = Lines(io.BytesIO(b"a\n" * 200_000), where="", limits=Limits())
    pieces: list[Piece] = list(lines.pieces())
    assert len(pieces) > 1
    assert [piece.line for piece in pieces][1] == 1 + pieces[0].text.count("\n")
