"""Reading files: encodings, separators, headers, lines that break, files that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from cadencia.errors import PortfolioError
from cadencia.portfolio.reader import REQUIRED, read_table

HEADER = list(REQUIRED)
VALUES = ["1", "CC", "10203040", "José Peña", "titular", "1.000", "500", "30", "3001234567", "voz", "01/02/2025"]


def text(delimiter: str = ";", newline: str = "\r\n", header: list[str] = HEADER, rows: int = 2) -> str:
    return newline.join([delimiter.join(header), *[delimiter.join(VALUES)] * rows]) + newline


def put(tmp_path: Path, content: str | bytes, encoding: str = "utf-8") -> Path:
    path = tmp_path / "cartera.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "latin-1", "utf-16"])
@pytest.mark.parametrize("delimiter", [";", ",", "|", "\t"])
def test_formats_are_found_out(tmp_path: Path, encoding: str, delimiter: str) -> None:
    table = read_table(put(tmp_path, text(delimiter), encoding))
    assert table.delimiter == delimiter
    rows = list(table.rows())
    assert [r.line for r in rows] == [2, 3]
    assert rows[0].fields["nombre"] == "José Peña"
    assert rows[0].fault == ""


def test_what_only_latin_1_can_hold(tmp_path: Path) -> None:
    table = read_table(put(tmp_path, text().encode("latin-1").replace(b"voz", b"v\x81z")))
    assert table.encoding == "latin-1"


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_blank_lines_and_a_missing_last_newline(tmp_path: Path, newline: str) -> None:
    content = newline + text(newline=newline).rstrip() + newline + ";;;;" + newline + newline + ";".join(VALUES)
    assert [r.line for r in read_table(put(tmp_path, content)).rows()] == [3, 4, 7]


def test_separators_at_the_end_of_lines_are_no_columns(tmp_path: Path) -> None:
    content = text().replace("\r\n", ";;\r\n")
    assert all(not r.fault for r in read_table(put(tmp_path, content)).rows())


def test_names_are_compared_without_case_and_accents(tmp_path: Path) -> None:
    header = [h.upper().replace("CREDITO", "Crédito").replace("_", " ") for h in HEADER]
    assert read_table(put(tmp_path, text(header=header))).columns == REQUIRED


def test_quoted_fields(tmp_path: Path) -> None:
    content = text().replace("José Peña", '"Peña; ""Pepe"" José"')
    assert next(iter(read_table(put(tmp_path, content)).rows())).fields["nombre"] == 'Peña; "Pepe" José'


def test_whole_lines_in_quotes(tmp_path: Path) -> None:
    content = "\r\n".join(f'"{line}"' for line in text().split("\r\n") if line)
    table = read_table(put(tmp_path, content))
    assert table.quoted_lines
    assert next(iter(table.rows())).fields["nombre"] == "José Peña"


def test_a_broken_line_does_not_swallow_the_next(tmp_path: Path) -> None:
    content = text(rows=3).replace("José Peña", '"José Peña', 1).replace(";30;", ";", 2).replace(";", ";30;", 0)
    faults = [r.fault for r in read_table(put(tmp_path, content)).rows()]
    assert faults == ["line-quotes", "line-columns", ""]


def test_a_mapping_renames_and_leaves_out(tmp_path: Path) -> None:
    header = ["No. Obligación" if h == "id_credito" else h for h in HEADER] + ["Asesor"]
    path = put(tmp_path, text(header=header).replace("01/02/2025", "01/02/2025;x"))
    table = read_table(path, {"no. obligacion": "id_credito", "Asesor": "-"})
    assert next(iter(table.rows())).fields["id_credito"] == "1"
    assert "" not in next(iter(table.rows())).fields


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "empty"),
        (b"\r\n\r\n", "empty"),
        (b"PK\x03\x04rest", "spreadsheet"),
        (b"\xd0\xcf\x11\xe0rest", "spreadsheet"),
        (bytes(range(256)), "not a text"),
        (text().encode("utf-16")[2:], "not a text"),
        (b"\xef\xbb\xbf" + text().encode("latin-1"), "says that it is"),
        (text().encode() + "Ñ".encode("latin-1"), "partly in UTF-8"),
        (";".join(VALUES).encode(), "no header"),
        (b"hola", "no header"),
    ],
)
def test_unreadable_files(tmp_path: Path, content: bytes, told: str) -> None:
    with pytest.raises(PortfolioError, match=told) as refused:
        read_table(put(tmp_path, content))
    assert refused.value.hint
    assert refused.value.exit_code == 2


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PortfolioError, match="cannot be read"):
        read_table(tmp_path / "nothing.csv")


def test_columns_that_do_not_fit_are_named(tmp_path: Path) -> None:
    header = ["zodiaco" if h == "rol" else h for h in HEADER] + ["nombre"]
    with pytest.raises(PortfolioError) as refused:
        read_table(put(tmp_path, text(header=header)))
    assert "missing: rol" in refused.value.message
    assert "unknown: zodiaco" in refused.value.message
    assert "named twice: nombre" in refused.value.message
    assert "mapping" in refused.value.hint


def test_a_mapping_to_nowhere(tmp_path: Path) -> None:
    with pytest.raises(PortfolioError, match="signo"):
        read_table(put(tmp_path, text()), {"rol": "signo"})
