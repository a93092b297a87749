"""Reading a creditor's file: bytes to lines, lines to named fields. What the fields mean is `importer`'s affair.

The encoding, the separator and the header are found out, never assumed; what cannot be found out is an error that says
what to do. A line is a record: a quoted field may hold separators, but no line break.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cadencia.config.system import reason
from cadencia.errors import PortfolioError, Words
from cadencia.portfolio.cities import plain

PHONES = tuple(f"tel{n}" for n in range(1, 6))

#: Columns without which a file cannot be used.
REQUIRED: tuple[str, ...] = (
    "id_credito",
    "tipo_doc",
    "num_doc",
    "nombre",
    "rol",
    "saldo_total",
    "valor_mora",
    "dias_mora",
    "tel1",
    "canal_autorizado",
    "fecha_autorizacion",
)

#: Columns that may be there. `email` and the tipo_tel columns are accepted and not kept.
OPTIONAL: tuple[str, ...] = (
    "acreedor",
    "producto",
    "fecha_vencimiento",
    *PHONES[1:],
    *(f"tipo_{name}" for name in PHONES),
    "email",
    "ciudad",
    "moneda",
    "idioma",
    "zona_horaria",
    "zonas_horarias",
    "fecha_contrato",
)


@dataclass(frozen=True)
class Layout:
    """The columns of a kind of file: those without which it cannot be used, and those that may be there."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self.required, *self.optional)


DEBTORS = Layout(REQUIRED, OPTIONAL)

_DELIMITERS = ";,|\t"
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
# UTF-8 that was taken for Windows-1252: Ã followed by what a continuation byte looks like.
_MOJIBAKE = re.compile("Ã[\u0080-¿]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f]")


@dataclass(frozen=True)
class Row:
    """One line of the file.

    Attributes:
        fields: column -> value, stripped; empty if `fault` is set.
        fault: why the line cannot be taken apart, a key of `reasons.REASONS`; empty if it can.
        raw: the line as it stands.
    """

    line: int
    fields: Mapping[str, str]
    fault: str
    raw: str


@dataclass(frozen=True)
class Table:
    """A file that can be read: its format, and its rows one by one.

    Attributes:
        encoding, delimiter: as they were found.
        columns: the file's columns by our names; an empty name is a column that is left out.
        quoted_lines: whole lines stand in quotes, which are taken off.
    """

    encoding: str
    delimiter: str
    columns: tuple[str, ...]
    quoted_lines: bool
    _lines: tuple[str, ...]
    _header_line: int

    def rows(self) -> Iterator[Row]:
        """All lines after the header that are not blank."""
        for number, line in enumerate(self._lines[self._header_line :], self._header_line + 1):
            if line.strip(self.delimiter + ' "'):
                yield self._row(number, line)

    def _row(self, number: int, line: str) -> Row:
        values = _split(_unquoted(line) if self.quoted_lines else line, self.delimiter)
        if values is None:
            return Row(number, {}, "line-quotes", line)
        while len(values) > len(self.columns) and not values[-1].strip():
            values.pop()  # separators at the end of a line
        if len(values) != len(self.columns):
            return Row(number, {}, "line-columns", line)
        fields = {c: v.strip() for c, v in zip(self.columns, values, strict=True) if c}
        return Row(number, fields, "", line)


def read_table(path: Path, mapping: Mapping[str, str] | None = None, layout: Layout = DEBTORS) -> Table:
    """Open a file of a layout.

    Args:
        path: the file.
        mapping: the file's column -> our column, or "-" to leave it out; for layouts with other names.

    Raises:
        PortfolioError: the file cannot be read at all.
    """
    text, encoding = decode_file(path)
    lines = tuple(text.split("\n"))
    lines = tuple(line.removesuffix("\r") for line in lines)
    first = next((n for n, line in enumerate(lines) if line.strip()), None)
    if first is None:
        raise PortfolioError(Words(f"{path.name} is empty.", f"{path.name} está vacío."), EXPORT_AGAIN)
    header = lines[first]
    delimiter, quoted = _delimiter(header, path, layout)
    names = _split(_unquoted(header) if quoted else header, delimiter) or []
    while names and not names[-1].strip():
        names.pop()
    return Table(encoding, delimiter, _columns(names, mapping or {}, path, layout), quoted, lines, first + 1)


def decode_file(path: Path) -> tuple[str, str]:
    """A file's text and its encoding, found out and never assumed. Raises PortfolioError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        why = reason(error)
        raise PortfolioError(
            Words(f"{path} cannot be read: {why}.", f"No se puede leer {path}: {why.es}."),
            Words("Look at the path and its rights.", "Revise la ruta y sus permisos."),
        ) from None
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise PortfolioError(
            Words(f"{path.name} is a spreadsheet, not a CSV file.", f"{path.name} es una hoja de cálculo, no un CSV."),
            Words("Save it as CSV (UTF-8) and try again.", "Guárdelo como CSV (UTF-8) e intente de nuevo."),
        )
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return _strict(data, encoding, path), encoding
    if b"\x00" in data or len(_CONTROL.findall(data[:4096].decode("latin-1"))) > 4:
        raise PortfolioError(
            Words(f"{path.name} is not a text file.", f"{path.name} no es un archivo de texto."),
            Words("Export the portfolio as CSV.", "Exporte la cartera como CSV."),
        )
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return _western(data, path)


def _western(data: bytes, path: Path) -> tuple[str, str]:
    try:
        text, encoding = data.decode("cp1252"), "cp1252"
    except UnicodeDecodeError:
        text, encoding = data.decode("latin-1"), "latin-1"
    if _MOJIBAKE.search(text):
        raise PortfolioError(
            Words(
                f"{path.name} is written partly in UTF-8 and partly in another encoding.",
                f"{path.name} está escrito en parte en UTF-8 y en parte en otra codificación.",
            ),
            _SAVE_AGAIN,
        )
    return text, encoding


def _strict(data: bytes, encoding: str, path: Path) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        raise PortfolioError(
            Words(
                f"{path.name} says that it is {encoding.upper()} and is not.",
                f"{path.name} dice que es {encoding.upper()} y no lo es.",
            ),
            _SAVE_AGAIN,
        ) from None


def _delimiter(header: str, path: Path, layout: Layout) -> tuple[str, bool]:
    """The separator that makes most known columns of the header, and whether whole lines stand in quotes."""
    best = max(((_familiar(header, d, layout), d, False) for d in _DELIMITERS), key=lambda found: found[0])
    if header.startswith('"') and header.endswith('"'):
        inner = _unquoted(header)
        best = max(best, *((_familiar(inner, d, layout), d, True) for d in _DELIMITERS), key=lambda found: found[0])
    if best[0] == 0:
        raise PortfolioError(
            Words(
                f"{path.name} has no header: its first line names no column that is known.",
                f"{path.name} no tiene encabezado: su primera línea no nombra ninguna columna conocida.",
            ),
            Words(
                f"The first line must name the columns: {';'.join(layout.required)}.",
                f"La primera línea debe nombrar las columnas: {';'.join(layout.required)}.",
            ),
        )
    return best[1], best[2]


def _familiar(header: str, delimiter: str, layout: Layout) -> int:
    names = _split(header, delimiter) or []
    return sum(_name(n) in layout.columns for n in names) if len(names) > 1 else 0


def _columns(names: list[str], mapping: Mapping[str, str], path: Path, layout: Layout) -> tuple[str, ...]:
    given = {_name(theirs): "" if ours == "-" else ours for theirs, ours in mapping.items()}
    wrong = sorted(ours for ours in given.values() if ours and ours not in layout.columns)
    if wrong:
        listed = ", ".join(wrong)
        raise PortfolioError(
            Words(
                f"The mapping names columns that do not exist: {listed}.",
                f"La correspondencia nombra columnas que no existen: {listed}.",
            ),
            Words(f"The columns are: {', '.join(layout.columns)}.", f"Las columnas son: {', '.join(layout.columns)}."),
        )
    columns = tuple(given.get(_name(n), _name(n)) for n in names)
    unknown = [n.strip() for n, c in zip(names, columns, strict=True) if c and c not in layout.columns]
    missing = [c for c in layout.required if c not in columns]
    double = sorted({c for c in columns if c and columns.count(c) > 1})
    found = (
        ("missing", "faltan", missing),
        ("unknown", "desconocidas", unknown),
        ("named twice", "repetidas", double),
    )
    en = "; ".join(f"{what}: {', '.join(names)}" for what, _, names in found if names)
    es = "; ".join(f"{what}: {', '.join(names)}" for _, what, names in found if names)
    if en:
        raise PortfolioError(
            Words(f"The columns of {path.name} do not fit ({en}).", f"Las columnas de {path.name} no sirven ({es})."),
            _HINT_MAP,
        )
    return columns


EXPORT_AGAIN = Words("Export the portfolio again.", "Exporte la cartera de nuevo.")
_SAVE_AGAIN = Words("Save it again as UTF-8.", "Guárdelo de nuevo como UTF-8.")
_HINT_MAP = Words(
    'Give a mapping (--map): their column = our column, or their column = "-" to leave it out.',
    'Dé una correspondencia (--map): columna del archivo = columna nuestra, o "-" para dejarla fuera.',
)


def _name(header: str) -> str:
    return plain(header).replace(" ", "_").replace("-", "_")


def _split(line: str, delimiter: str) -> list[str] | None:
    """The fields of a line; None if a quote is not closed."""
    if '"' not in line:
        return line.split(delimiter)
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True))
    except csv.Error:
        return None


def _unquoted(line: str) -> str:
    if len(line) >= 2 and line.startswith('"') and line.endswith('"'):
        return line[1:-1].replace('""', '"')
    return line
