"""Evidence from end to end: sealed, exported, verified by whoever has the file, erased, ended with its time."""

# ruff: noqa: F811  # fixtures come by import
from __future__ import annotations

import asyncio
import io
import json
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from typer.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parent))
from store_fixtures import (  # noqa: F401
    HOUR,
    NOW,
    Databases,
    Floor,
    Opener,
    databases,
    floor,
    opener,
    person,
    store,
)

from cadencia.cli.app import app
from cadencia.cli.evidence import term_days
from cadencia.compliance.evidence_check import Fault, Trust, What
from cadencia.compliance.evidence_file import EvidenceWriter, verify_lines
from cadencia.compliance.signing import Key
from cadencia.config.profiles import builtin
from cadencia.domain.codes import Denial, Outcome
from cadencia.domain.dialing import ContactFacts, Next
from cadencia.domain.law import Deny, Verdict
from cadencia.errors import ConfigError, Refused
from cadencia.store.evidence_export import StoreReport, export_days, export_person, verify_store
from cadencia.store.evidence_port import Seal
from cadencia.store.keys import PRIVATE, PUBLIC, load, load_or_make, rotate, trusted
from cadencia.store.port import Store
from cadencia.store.postgres import PostgresStore

TODAY = date(2026, 11, 24)
DAY = timedelta(days=1)
KEY = Key.new()
TRUST = Trust(frozenset({KEY.public}))


async def days(floor: Floor, n: int = 3, signer: Key = KEY) -> int:
    """Some days with a denial and calls; the person who was called on each of them."""
    await floor.load(person(1, days=300))
    someone = await floor.store.find_person("CC 10000001")
    assert someone is not None

    def judge(facts: ContactFacts) -> Verdict:
        return Deny(Denial.FREQUENCY, NOW)

    for k in range(n):
        at = NOW + k * DAY
        await floor.load(*(person(10 * k + j + 2) for j in range(3)), at=at)
        for _ in range(3):
            lease = await floor.dialled(at=at)
            await floor.settle(lease, Outcome.NO_ANSWER, ended_at=at, next=Next(NOW + (k + 1) * DAY - HOUR))
        await floor.claim(1, at=at, judge=judge)
        await seal(floor, k, signer)
    return someone


async def seal(floor: Floor, k: int, signer: Key = KEY) -> None:
    while (await floor.store.seal(Seal("main", TODAY + k * DAY, NOW + k * DAY, floor.token, signer, limit=5))).more:
        pass


async def exported(store: Store, someone: int | None = None, signer: Key = KEY) -> list[bytes]:
    out = io.BytesIO()
    writer = EvidenceWriter(out.write, signer)
    if someone is not None:
        await export_person(store, writer, someone, "ana", NOW)
    else:
        await export_days(store, writer, TODAY, TODAY + 9 * DAY, "ana", NOW)
    return out.getvalue().splitlines(keepends=True)


async def verified(store: Store, trust: Trust = TRUST) -> tuple[list[Fault], StoreReport]:
    report = StoreReport()
    return [fault async for fault in verify_store(store, trust, report)], report


# -- exports ----------------------------------------------------------------------------------------------------------
async def test_days_leave_as_a_file_that_verifies_alone(floor: Floor) -> None:
    await days(floor)
    lines = await exported(floor.store)
    faults, report = verify_lines(lines, TRUST)
    assert faults == [] and report.trusted is True
    assert (report.what, report.chains, report.first_day, report.last_day) == (
        "chains",
        3,
        "2026-11-24",
        "2026-11-26",
    )
    assert report.rows == sum(c.rows for c in await floor.store.chains()) > 20
    found, told = await verified(floor.store)
    assert found == [] and (told.chains, told.rows) == (3, report.rows)
    whole = b"".join(lines)
    assert b"A\xc3\xb1ez" not in whole and b"1000000" not in whole and b"+57" not in whole
    (read,) = await floor.store.events(kinds=["file.read"])
    assert read.body == {"by": "ana", "what": "chains", "from": "2026-11-24", "to": "2026-12-03"}


async def test_a_person_leaves_as_rows_that_are_proved_and_words_to_read(floor: Floor) -> None:
    someone = await days(floor)
    lines = await exported(floor.store, someone)
    faults, report = verify_lines(lines, TRUST)
    assert faults == []
    rows = await floor.store.person_rows(someone)
    assert (report.what, report.proofs) == ("person", len(rows)) and len(rows) >= 3
    told = [json.loads(line) for line in lines]
    timeline = [line for line in told if line["is"] == "timeline"]
    assert len(timeline) == len(rows) and all(line["es"] and line["en"] and line["at"] for line in timeline)
    (dossier,) = (line["dossier"] for line in told if line["is"] == "dossier")
    assert dossier["name"] == "Añez Peña 1"
    assert not any(b"10000002" in line for line in lines)
    (read,) = await floor.store.events(kinds=["file.read"])
    assert read.body == {"person_id": someone, "by": "ana", "what": "evidence"}
    with pytest.raises(Refused):
        await exported(floor.store, 99_999)


async def test_somebody_of_whom_nothing_is_sealed_has_an_empty_file(floor: Floor) -> None:
    await floor.load(person(1))
    someone = await floor.store.find_person("CC 10000001")
    assert someone is not None
    faults, report = verify_lines(await exported(floor.store, someone), TRUST)
    assert faults == [] and report.proofs == 0
    with pytest.raises(Refused):
        await exported(floor.store)


async def test_any_byte_of_a_persons_file_matters(floor: Floor) -> None:
    someone = await days(floor, 1)
    lines = await exported(floor.store, someone)
    for n, line in enumerate(lines):
        for at in range(0, len(line), 7):
            changed = bytearray(line)
            changed[at] ^= 4
            assert verify_lines([*lines[:n], bytes(changed), *lines[n + 1 :]], Trust())[0], (n, at)


async def test_roots_name_their_key_and_old_ones_stay_good(floor: Floor) -> None:
    await days(floor, 2)
    new = Key.new()
    await seal(floor, 2, new)
    await seal(floor, 3, new)
    assert {f.what for f in (await verified(floor.store))[0]} == {What.KEY}
    both = Trust(frozenset({KEY.public, new.public}))
    assert (await verified(floor.store, both))[0] == []
    lines = await exported(floor.store, signer=new)
    assert verify_lines(lines, both)[0] == []
    assert {f.what for f in verify_lines(lines, TRUST)[0]} == {What.KEY}


async def test_an_erasure_alters_no_file_and_no_chain(floor: Floor) -> None:
    someone = await days(floor)
    before = await exported(floor.store)
    await seal(floor, 2)
    await floor.store.erase(someone, "ana", "PQR 1", NOW)
    assert verify_lines(before, TRUST)[0] == []
    await seal(floor, 2)
    after = await exported(floor.store)
    assert verify_lines(after, TRUST)[0] == [] and (await verified(floor.store))[0] == []
    rows = [line for line in before if line.startswith(b'{"body"')]
    assert [line for line in after if line.startswith(b'{"body"')][: len(rows)] == rows
    dossier = [json.loads(line) for line in await exported(floor.store, someone)][-2]["dossier"]
    assert dossier["name"] == "" and "1000000" not in json.dumps(dossier)


# -- keys -------------------------------------------------------------------------------------------------------------
def test_a_key_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with pytest.raises(ConfigError):
        load(folder)
    one = load_or_make(folder)
    assert load_or_make(folder).public == load(folder).public == one.public
    assert (folder / PRIVATE).stat().st_mode & 0o777 == 0o600
    assert trusted(folder / PUBLIC) == {one.public}
    two = rotate(folder)
    assert two.public != one.public and load(folder).public == two.public
    assert (folder / PRIVATE).stat().st_mode & 0o777 == 0o600
    assert trusted(folder / PUBLIC) == {one.public, two.public}
    assert sorted(p.name for p in folder.iterdir()) == [PRIVATE, PUBLIC]
    for wrong in ("", "xyz", "ab"):
        (folder / PUBLIC).write_text(wrong)
        with pytest.raises(ConfigError):
            trusted(folder / PUBLIC)
    (folder / PRIVATE).write_text("no key")
    with pytest.raises(ConfigError):
        load(folder)


# -- the command line -------------------------------------------------------------------------------------------------
@pytest.fixture
def site(databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A database with three days in it, and a data folder with the key that signed them."""
    monkeypatch.setenv("CADENCIA_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.chdir(tmp_path)
    url = asyncio.run(databases.fresh())
    monkeypatch.setenv("CADENCIA__DATABASE__URL", url)

    async def fill() -> None:
        store = await PostgresStore.open(url, upgrade=False)
        floor = Floor(store)
        await floor.open()
        await days(floor, 3, load_or_make(tmp_path / "data"))
        await store.close()

    asyncio.run(fill())
    yield url


def cadencia(*args: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["evidence", *args])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.output


def told(*args: str) -> dict[str, Any]:
    code, output = cadencia(*args, "--json")
    found: dict[str, Any] = json.loads(output) | {"exit": code}
    return found


@pytest.mark.postgres
def test_the_verbs_export_and_verify(site: str, tmp_path: Path) -> None:
    assert told("verify")["ok"] is True
    found = told("verify")
    assert (found["exit"], found["chains"], found["trusted"]) == (0, 3, True) and found["attempts"] == 9
    code, output = cadencia("export", "CC 10000001", "-o", "one.jsonl", "--by", "ana")
    assert code == 0 and "one.jsonl" in output
    assert (tmp_path / "one.jsonl").stat().st_mode & 0o777 == 0o600
    with pytest.raises(ConfigError, match="already"):
        cadencia("export", "CC 10000001", "-o", "one.jsonl")
    assert cadencia("export", "CC 10000001", "-o", "one.jsonl", "--overwrite")[0] == 0
    assert cadencia("export", "--from", "2026-11-24", "--to", "2026-11-26", "-o", "all.jsonl")[0] == 0
    for name in ("one.jsonl", "all.jsonl"):
        code, output = cadencia("verify", name)
        assert code == 0 and "nobody said" in output
        code, output = cadencia("verify", name, "--keys", "data/evidence.pub")
        assert code == 0 and "Intact" in output and "trusted" in output
    text = (tmp_path / "all.jsonl").read_bytes()
    at = text.index(b"attempt.settled")
    (tmp_path / "all.jsonl").write_bytes(text[:at] + b"A" + text[at + 1 :])
    found = told("verify", "all.jsonl")
    (fault,) = found["faults"]
    assert found["exit"] == 1 and fault["what"] == "body"
    assert (fault["day"], fault["engine"], fault["number"]) == ("2026-11-24", "main", 1)
    code, output = cadencia("verify", "all.jsonl")
    assert code == 1 and f"row {fault['position']}" in output and f"line {fault['line']}" in output
    assert cadencia("key")[1].startswith(load(tmp_path / "data").public.hex())


@pytest.mark.postgres
def test_verify_needs_no_database_and_no_settings(site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cadencia("export", "--day", "2026-11-25", "-o", "day.jsonl")[0] == 0
    monkeypatch.setenv("CADENCIA__DATABASE__URL", "postgresql://nobody@127.0.0.1:1/none")
    monkeypatch.setenv("CADENCIA_DATA", "/proc/nowhere")
    assert cadencia("verify", "day.jsonl")[0] == 0
    Path("other.pub").write_text(Key.new().public.hex())
    found = told("verify", "day.jsonl", "--keys", "other.pub")
    assert found["exit"] == 1 and found["trusted"] is False and {f["what"] for f in found["faults"]} == {"key"}


@pytest.mark.postgres
def test_wrong_usage_and_unknown_persons_are_told(site: str) -> None:
    for args in (("export",), ("export", "1", "--day", "2026-11-24"), ("export", "--from", "2026-11-24")):
        with pytest.raises(ConfigError):
            cadencia(*args)
    with pytest.raises(ConfigError, match="no date"):
        cadencia("export", "--day", "yesterday")
    with pytest.raises(Refused, match="no such person") as unknown:
        cadencia("export", "CC 99")
    assert "99" not in str(unknown.value)
    with pytest.raises(ConfigError):
        cadencia("hold", "CC 10000001")
    assert cadencia("erase", "CC 10000001")[0] == 2


@pytest.mark.postgres
def test_a_hold_refuses_an_erasure_until_it_is_lifted(site: str) -> None:
    assert cadencia("hold", "CC 10000001", "--reason", "Juzgado 12")[0] == 0
    with pytest.raises(Refused, match="hold"):
        cadencia("erase", "CC 10000001", "--reason", "PQR 1")
    assert told("hold", "CC 10000001", "--lift")["held"] is False
    # Holding and lifting are evidence themselves, and no engine seals here.
    with pytest.raises(Refused, match="not in evidence"):
        cadencia("erase", "CC 10000001", "--reason", "PQR 1")
    assert told("erase", "CC 10000004", "--reason", "PQR 1") == {"erased": True, "exit": 0}
    with pytest.raises(Refused, match="no such person"):
        cadencia("export", "CC 10000004")
    assert cadencia("verify")[0] == 0


@pytest.mark.postgres
def test_what_is_past_its_term_goes_only_when_told_to(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Refused, match="no term"):
        cadencia("retain")  # the campaign's profile is co-ley2300
    with pytest.raises(ConfigError, match="no profile"):
        cadencia("retain", "--profile", "zz")
    monkeypatch.setattr("cadencia.cli.evidence.SystemClock.now", lambda self: NOW + 1098 * DAY)
    found = told("retain", "--profile", "us-regf")
    assert (found["term_days"], found["applied"], len(found["chains"])) == (1096, False, 2)
    assert told("verify")["dropped"] == 0
    assert told("retain", "--profile", "us-regf", "--days", "1097")["chains"][0]["day"] == "2026-11-24"
    assert len(told("retain", "--profile", "us-regf", "--days", "1")["chains"]) == 2  # the law's term is not shortened
    found = told("retain", "--profile", "us-regf", "--apply")
    assert len(found["chains"]) == 2 and found["rows"] > 10
    after = told("verify")
    assert (after["ok"], after["chains"], after["dropped"]) == (True, 3, 2)


def test_the_term_is_the_longest_of_the_profiles() -> None:
    known = builtin()
    assert term_days([known["co-ley2300"]]) == 0
    assert term_days([known["co-ley2300"], known["us-regf"]]) == 1096
    assert term_days(list(known.values())) >= 1096


@pytest.mark.postgres
def test_a_database_that_was_altered_is_found_out(site: str) -> None:
    async def alter() -> None:
        engine = create_async_engine(site)
        async with engine.begin() as connection:
            await connection.execute(text("ALTER TABLE evidence DISABLE TRIGGER ALL"))
            wrong = "UPDATE evidence SET body = replace(body, 'allow', 'alloW') WHERE chain_id = 2 AND position = 4"
            done = await connection.execute(text(wrong))
            assert done.rowcount == 1
        await engine.dispose()

    asyncio.run(alter())
    found = told("verify")
    assert found["exit"] == 1
    assert {(f["what"], f["number"], f["position"]) for f in found["faults"]} == {("body", 2, 4)}
