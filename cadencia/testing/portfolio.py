"""A made-up Colombian portfolio for demonstrations, tests and benchmarks.

Nobody in it exists: names are drawn from lists of common names, documents and numbers are random, creditors are
invented. The telephone numbers have the form of real ones, so a generated portfolio belongs on a simulated switch or on
a private one, never on a trunk to the public network.
"""

from __future__ import annotations

import csv
import random
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

#: The day on which the file is said to have been exported.
EXPORTED = date(2026, 11, 23)

COLUMNS: tuple[str, ...] = (
    *("id_credito", "tipo_doc", "num_doc", "nombre", "rol", "acreedor", "producto"),
    *("saldo_total", "valor_mora", "dias_mora", "fecha_vencimiento"),
    *("tel1", "tel2", "tel3", "tel4", "tel5", "tipo_tel1", "tipo_tel2", "tipo_tel3", "tipo_tel4", "tipo_tel5"),
    *("email", "ciudad", "canal_autorizado", "fecha_autorizacion", "moneda"),
)


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_GIVEN = _words(
    "María José Juan Luz Carlos Ana Luis Andrés Sofía Camilo Valentina Santiago Daniela Jorge Paola Óscar Mónica Iván "
    "Ángela Héctor Adriana Julián Natalia Fabián Lucía César Beatriz Germán Yolanda Hernán Catalina Raúl Gloria Álvaro "
    "Inés Édgar Marcela Jaime Patricia Rubén Liliana Néstor Sandra Wílmer Yenny Róbinson Leidy Brayan Karen Duván"
)
_FAMILY = _words(
    "Rodríguez Gómez González Martínez López García Hernández Sánchez Ramírez Pérez Díaz Torres Rojas Moreno Vargas "
    "Muñoz Ortiz Castro Jiménez Álvarez Ruiz Quintero Suárez Ríos Peña Castañeda Cañón Acuña Nuñez Patiño Ordóñez "
    "Ibáñez Mejía Cárdenas Ospina Giraldo Restrepo Zuluaga Arboleda Mosquera Córdoba Caicedo Bermúdez Pinzón Avendaño"
)
_CITIES = (
    ("Bogotá", "1", 34),
    ("Medellín", "4", 16),
    ("Cali", "2", 12),
    ("Barranquilla", "5", 9),
    ("Cartagena", "5", 6),
    ("Bucaramanga", "7", 6),
    ("Cúcuta", "7", 4),
    ("Pereira", "6", 4),
    ("Ibagué", "8", 3),
    ("Manizales", "6", 3),
    ("Villavicencio", "8", 2),
    ("Popayán", "2", 1),
)
_CREDITORS = (
    "Banco Andino Ejemplo",
    "Financiera del Valle Demo",
    "Cooperativa Crédito Ficticio",
    "Almacenes La Muestra",
    "Telefonía Prueba",
)
#: product, smallest and typical amount in pesos
_PRODUCTS = (
    ("Tarjeta de crédito", 150_000, 2_600_000),
    ("Libre inversión", 500_000, 7_500_000),
    ("Vehículo", 3_000_000, 24_000_000),
    ("Microcrédito", 200_000, 3_200_000),
    ("Crédito rotativo", 100_000, 1_400_000),
    ("Servicios", 40_000, 180_000),
)
_MOBILE = (*range(300, 306), *range(310, 322), 350)


@dataclass(frozen=True)
class _Person:
    doc_type: str
    number: str
    name: str
    city: str
    phones: tuple[str, ...]
    types: tuple[str, ...]
    channels: str
    authorised: str
    email: str


def make_portfolio(
    path: Path | str,
    persons: int,
    seed: int,
    *,
    encoding: str = "latin-1",
    delimiter: str = ";",
    clean: bool = False,
) -> int:
    """Write a portfolio; the same arguments write the same bytes.

    Args:
        persons: how many persons an import of the file brings.
        seed: another seed, another portfolio.
        encoding, delimiter: of the file; lines end with CR LF, as such files do.
        clean: without quirks: every line good, every person diallable. Otherwise a few percent of old telephone
            forms, missing consent, personal references, co-debtors, numbers and documents that do not exist.

    Returns:
        The number of lines after the header.
    """
    maker = _Maker(random.Random(seed), clean)
    lines = 0
    with Path(path).open("w", encoding=encoding, newline="") as file:
        out = csv.writer(file, delimiter=delimiter, lineterminator="\r\n")
        out.writerow(COLUMNS)
        for number in range(persons):
            for row in maker.rows(number):
                out.writerow(row)
                lines += 1
    return lines


class _Maker:
    def __init__(self, rng: random.Random, clean: bool) -> None:
        self._rng = rng
        self._clean = clean
        self._last: _Person | None = None
        self._cities = [(name, area) for name, area, _ in _CITIES]
        self._weights = [weight for _, _, weight in _CITIES]
        self._numbers: set[str] = set()

    def rows(self, number: int) -> list[list[str]]:
        """The lines of one person, and the quirks that come with them."""
        rng = self._rng
        person = self._person(number)
        debts = rng.choices((1, 2, 3), weights=(78, 17, 5))[0]
        rows = [self._row(f"{number + 1:07d}-{n + 1}", person, "titular") for n in range(debts)]
        if not self._clean:
            rows += self._company(rows[0], person)
        self._last = person
        return rows

    def _company(self, row: list[str], person: _Person) -> list[list[str]]:
        """Others on the same obligation: a co-debtor who is a debtor too, a reference, a line with a bad document."""
        rng = self._rng
        found: list[list[str]] = []
        if self._last is not None and rng.random() < 0.03:
            found.append(self._same_debt(row, self._last, "codeudor"))
        if rng.random() < 0.02:
            found.append(self._same_debt(row, self._stranger(), "referencia"))
        if rng.random() < 0.01:
            bad = self._same_debt(row, self._stranger(), "codeudor")
            bad[2] = "1,02345E+09"
            found.append(bad)
        return found

    def _chance(self, share: float) -> bool:
        return self._rng.random() < share and not self._clean

    # -- persons ------------------------------------------------------------------------------------------------------
    def _person(self, number: int) -> _Person:
        rng = self._rng
        city, area = rng.choices(self._cities, self._weights)[0]
        given = rng.sample(_GIVEN, rng.choice((1, 2)))
        name = " ".join((*given, *rng.sample(_FAMILY, 2)))
        phones = tuple(self._phone(city, area) for _ in range(rng.choices((1, 2, 3), weights=(55, 32, 13))[0]))
        if self._chance(0.02):
            phones = (*phones[:-1], rng.choice(("0000000000", "6031234567", "3990000000", "018000123456")))
        authorised = not self._chance(0.03)
        consent = date(2023, 10, 10) + timedelta(days=rng.randrange(1000))
        return _Person(
            doc_type="CE" if rng.random() < 0.02 else "CC",
            number=self._document(),
            name=name,
            city=city,
            phones=phones,
            types=tuple("fijo" if p.startswith("60") else "movil" for p in phones),
            channels=rng.choice(("voz,sms,email", "voz", "llamada/sms", "todos")) if authorised else "email",
            authorised=consent.strftime("%d/%m/%Y"),
            email=f"persona{number + 1}@ejemplo.invalid",
        )

    def _stranger(self) -> _Person:
        return self._person(self._rng.randrange(10**7, 10**8))

    def _document(self) -> str:
        """A cédula nobody else in the file has: the older ones have eight digits, the newer ones ten."""
        rng = self._rng
        while True:
            old = rng.random() < 0.45
            number = str(rng.randrange(10_000_000, 99_999_999) if old else rng.randrange(1_000_000_000, 1_199_999_999))
            if number not in self._numbers:
                self._numbers.add(number)
                return number

    def _phone(self, city: str, area: str) -> str:
        rng = self._rng
        if rng.random() < 0.85:
            number = f"{rng.choice(_MOBILE)}{rng.randrange(10**7):07d}"
            return rng.choice(("57", "+57 ", "0")) + number if self._chance(0.04) else number
        local = f"{rng.randrange(2, 9)}{rng.randrange(10**6):06d}"
        if self._chance(0.25):
            return rng.choice((f"03{area}{local}", local, f"({area}) {local[:3]} {local[3:]}", f"57{area}{local}"))
        return f"60{area}{local}"

    # -- debts --------------------------------------------------------------------------------------------------------
    def _row(self, number: str, person: _Person, role: str) -> list[str]:
        rng = self._rng
        product, least, typical = rng.choice(_PRODUCTS)
        balance = max(least, round(typical * rng.lognormvariate(0, 0.8) / 100) * 100)
        days = min(720, 1 + int(rng.expovariate(1 / 110)))
        overdue = max(1000, round(balance * min(1.0, days / 720 + rng.random() * 0.2) / 100) * 100)
        due = EXPORTED - timedelta(days=days)
        return [
            *(number, person.doc_type, person.number, person.name, role, rng.choice(_CREDITORS), product),
            *(self._pesos(balance), self._pesos(overdue), str(days), due.strftime("%d/%m/%Y")),
            *_contacts(person),
            "COP",
        ]

    def _same_debt(self, row: list[str], person: _Person, role: str) -> list[str]:
        return [
            *(row[0], person.doc_type, person.number, person.name, role, *row[5:11]),
            *_contacts(person),
            "COP",
        ]

    def _pesos(self, amount: int) -> str:
        """Some systems write plain pesos, some write dots and centavos."""
        return str(amount) if self._rng.random() < 0.5 else f"{amount:,}".replace(",", ".") + ",00"


def _contacts(person: _Person) -> list[str]:
    blank = [""] * (5 - len(person.phones))
    return [
        *person.phones,
        *blank,
        *person.types,
        *blank,
        person.email,
        person.city,
        person.channels,
        person.authorised,
    ]
