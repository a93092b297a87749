"""What people meet when something is wrong: one clear message with the way out, and nothing half-done.

The real program runs as a process of its own; the disks that are full are real ones.
"""

from __future__ import annotations

import asyncio
import contextlib
import csv
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Collection, Iterator
from pathlib import Path

import asyncpg
import pytest

from cadencia.clock import SystemClock
from cadencia.pacing.worlds import World
from cadencia.portfolio.reader import REQUIRED
from cadencia.store.embedded import EmbeddedPostgres
from cadencia.telephony.simulator import SimulatedSwitch, SwitchServer, WorldPopulation
from cadencia.telephony.simulator.server import LEAST_RIGHTS
from cadencia.testing.portfolio import make_portfolio

ENGLISH, SPANISH = "C.UTF-8", "es_CO.UTF-8"
WAY_OUT = {ENGLISH: "What to do: ", SPANISH: "Qué hacer: "}
ROOT = os.geteuid() == 0

GOOD_ROW = "CR-1;CC;10000001;Ana Añez;titular;1.000.000;200.000;30;3001234567;voz;01/02/2025"
RIGHT = "right-right-right"
NO_DATABASE = "postgresql://ana:hunter2@127.0.0.1:1/cadencia"


#: What any start of the engine writes, before it dials.
_OF_EVERY_START = {"events", "leadership", "evidence", "evidence_chains", "legal_profiles"}


class Place:
    """A data folder of its own, and the program on it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.data = folder, folder / "data"
        self.data.mkdir(mode=0o711)
        self.database = EmbeddedPostgres(self.data / "postgres")

    def env(self, lang: str = ENGLISH, more: dict[str, str] | None = None) -> dict[str, str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("CADENCIA_", "LC_"))}
        return clean | {"CADENCIA_DATA": str(self.data), "LANG": lang, "COLUMNS": "200"} | (more or {})

    def run(self, *args: str | Path, lang: str = ENGLISH, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command(*args), env=self.env(lang, more), capture_output=True, text=True, timeout=60, check=False
        )

    def refused(
        self, code: int, words: Collection[str], *args: str | Path, lang: str = ENGLISH, **more: str
    ) -> subprocess.CompletedProcess[str]:
        return told(self.run(*args, lang=lang, **more), code, words, lang)

    def untouched(self) -> bool:
        """Nothing was made in the data folder; the demo's empty folder does not count."""
        return [p for p in self.data.rglob("*") if p != self.data / "demo"] == []

    def rows(self, database: str = "cadencia") -> dict[str, int]:
        """How many rows each table holds; the log, its seal, the leadership and the shipped laws tell only that
        somebody tried."""

        async def count() -> dict[str, int]:
            connection = await asyncpg.connect(self.database.url(database).replace("+asyncpg", ""))
            try:
                tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
                names = {r["tablename"] for r in tables} - _OF_EVERY_START
                return {name: await connection.fetchval(f'SELECT count(*) FROM "{name}"') for name in names}
            finally:
                await connection.close()

        return asyncio.run(count())

    def psql(self, statement: str, database: str = "cadencia") -> None:
        self.database.tool("psql", "-q", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", statement)


def command(*args: str | Path) -> list[str]:
    return [sys.executable, "-m", "cadencia", *map(str, args)]


def told(
    done: subprocess.CompletedProcess[str], code: int, words: Collection[str], lang: str = ENGLISH
) -> subprocess.CompletedProcess[str]:
    """Exactly one message, with the way out, in that language, and with these words."""
    said = done.stdout + done.stderr
    assert done.returncode == code, said
    assert "Traceback" not in said
    assert len(re.findall(r"^Error: ", done.stderr, re.MULTILINE)) == 1, said
    assert len(re.findall(rf"^{WAY_OUT[lang]}\S", done.stderr, re.MULTILINE)) == 1, said
    for word in words:
        assert word in done.stderr, (word, done.stderr)
    assert "hunter2" not in said  # every password of this file
    return done


@contextlib.contextmanager
def new_place() -> Iterator[Place]:
    folder = Path(tempfile.mkdtemp(prefix="cad-bad-"))
    folder.chmod(0o711)  # the database's user must get through
    place = Place(folder)
    try:
        yield place
    finally:
        place.database.stop()
        shutil.rmtree(folder)


@pytest.fixture
def place() -> Iterator[Place]:
    """Without a database."""
    with new_place() as place:
        yield place


@pytest.fixture(scope="module")
def running() -> Iterator[Place]:
    """With a running database and the campaign m30; shared, so a test leaves it as it found it."""
    with new_place() as place:
        assert place.run("campaign", "create", "m30").returncode == 0
        yield place


def portfolio(folder: Path, *rows: str, header: Collection[str] = REQUIRED) -> Path:
    path = folder / "cartera.csv"
    path.write_text("\n".join([";".join(header), *rows]) + "\n", "utf-8")
    return path


# -- portfolios --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("content", "lang", "words"),
    [
        (bytes(range(256)) * 20, ENGLISH, ("cartera.csv", "is not a text file", "CSV")),
        (b"", SPANISH, ("cartera.csv", "está vacío", "Exporte")),
        (b"PK\x03\x04rest", SPANISH, ("cartera.csv", "hoja de cálculo", "UTF-8")),
        (GOOD_ROW.encode(), SPANISH, ("no tiene encabezado", "id_credito")),
        (
            ";".join(REQUIRED).replace("rol", "papel").encode() + b"\n" + GOOD_ROW.encode(),
            ENGLISH,
            ("missing: rol", "unknown: papel", "--map"),
        ),
        (None, ENGLISH, ("cartera.csv", "it is a folder")),
    ],
    ids=["binary", "empty", "spreadsheet", "no header", "wrong header", "folder"],
)
def test_a_portfolio_that_cannot_be_used(
    place: Place, content: bytes | None, lang: str, words: tuple[str, ...]
) -> None:
    path = place.folder / "cartera.csv"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    place.refused(2, words, "import", path, "--campaign", "m30", lang=lang)
    assert place.untouched()
    assert sorted(p.name for p in place.folder.iterdir()) == ["cartera.csv", "data"]


def test_a_portfolio_without_permission(place: Place) -> None:
    path = portfolio(place.folder, GOOD_ROW)
    path.chmod(0)
    line = command("import", path, "--campaign", "m30")
    if ROOT:
        if shutil.which("setpriv") is None:
            pytest.skip("root may read everything, and there is no setpriv to give that up")
        less = "-dac_override,-dac_read_search"
        line = ["setpriv", f"--bounding-set={less}", f"--inh-caps={less}", *line]
    done = subprocess.run(line, env=place.env(SPANISH), capture_output=True, text=True, timeout=60, check=False)
    told(done, 2, ("cartera.csv", "no hay permiso"), SPANISH)
    assert place.untouched()


@pytest.mark.postgres
def test_a_half_broken_portfolio_brings_its_good_rows(running: Place, tmp_path: Path) -> None:
    bad = [
        GOOD_ROW.replace("10000001", "1,02345E+09"),
        GOOD_ROW.replace("CR-1", "CR-2").replace("10000001", "10000002"),
        "una línea suelta",
        GOOD_ROW.replace("10000001", "10000003").replace("3001234567", "12"),
    ]
    path = portfolio(tmp_path, GOOD_ROW, *bad)
    before = running.rows()
    look = running.run("import", path, "--dry-run", lang=SPANISH)
    assert look.returncode == 0, look.stderr
    assert "5 líneas: 3 sirven, 2 rechazadas" in look.stdout
    assert "línea 3, num_doc: Documento en notación científica" in look.stdout
    assert running.rows() == before
    assert [p.name for p in tmp_path.iterdir()] == ["cartera.csv"]

    running.refused(1, ("There is no campaign nope", "cadencia campaign list"), "import", path, "--campaign", "nope")
    assert running.rows() == before
    assert [p.name for p in tmp_path.iterdir()] == ["cartera.csv"]

    done = running.run("import", path, "--campaign", "m30", lang=ENGLISH)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert "5 lines: 3 good, 2 rejected" in done.stdout
    rejects = tmp_path / "cartera.csv.rechazos.csv"
    assert str(rejects) in done.stdout
    assert running.rows() == before | {
        name: before[name] + more
        for name, more in (
            *(("persons", 3), ("phones", 2), ("obligations", 2), ("parts", 3), ("list_items", 3)),
            ("consents", 3),
        )
    }
    with rejects.open(encoding="utf-8-sig", newline="") as file:
        lines = [(r["line"], r["column"], r["original_value"]) for r in csv.DictReader(file, delimiter=";")]
    assert lines == [("3", "num_doc", "1,02345E+09"), ("5", "", "una línea suelta"), ("6", "tel1", "12")]


# -- settings and ports ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "lang", "words"),
    [
        ('[servers.main]\nhots = "pbx"\n', ENGLISH, ("cadencia.toml, line 2", "'servers.main.hots'", "mean host?")),
        ('\n[serbers.main]\nhost = "pbx"\n', SPANISH, ("cadencia.toml, línea 2", "'serbers'", "¿Quiso decir servers?")),
        ('[switch]\nhost = "pbx"\n', SPANISH, ("cadencia.toml, línea 1", "ahora servers.main", "[servers.main]")),
        ('[web]\n\nport = "ochenta"\n', SPANISH, ("cadencia.toml, línea 3", "web.port", "número entero", "ochenta")),
        ("[servers.main]\nsecret = 5\nhost = hunter2\n", ENGLISH, ("cadencia.toml", "TOML", "line 3")),
        ('[database]\nurl = "mysql://ana:hunter2@db/x"\n', ENGLISH, ("line 2", "database.url", "postgresql://")),
        (None, ENGLISH, ("cadencia.toml", "No such file", "-c")),
    ],
    ids=["unknown", "section", "older", "value", "toml", "url", "missing"],
)
def test_settings_that_are_wrong(place: Place, text: str | None, lang: str, words: tuple[str, ...]) -> None:
    path = place.folder / "cadencia.toml"
    if text is not None:
        path.write_text(text)
    verb = ("run",) if lang == ENGLISH else ("campaign", "list")
    place.refused(2, words, *verb, "-c", path, lang=lang)
    assert place.untouched()


def test_a_variable_that_is_no_setting(place: Place) -> None:
    words = ("CADENCIA__SERVERS__MAIN__SEKRET", "Did you mean secret?")
    place.refused(2, words, "run", CADENCIA__SERVERS__MAIN__SEKRET="hunter2")
    assert place.untouched()


@pytest.mark.parametrize(("verb", "lang", "said"), [("run", ENGLISH, "in use"), ("demo", SPANISH, "en uso")])
def test_the_pages_port_is_in_use(place: Place, verb: str, lang: str, said: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = str(held.getsockname()[1])
        args = ("--port", port) if verb == "demo" else ()
        place.refused(2, (port, said, "web.port"), verb, *args, lang=lang, CADENCIA__WEB__PORT=port)
    assert place.untouched()


def test_a_demo_summary_that_could_not_be_written_starts_nothing(place: Place) -> None:
    for target in (place.folder / "nowhere" / "out.json", place.folder):
        place.refused(2, (str(target), "cannot be written"), "demo", "--json", target)
    assert place.untouched()


# -- databases ---------------------------------------------------------------------------------------------------------
def test_a_database_that_is_not_there(place: Place) -> None:
    for lang, word in ((ENGLISH, "nobody listens there"), (SPANISH, "allí no escucha nadie")):
        words = ("127.0.0.1:1/cadencia", word, "database.url")
        place.refused(1, words, "campaign", "list", lang=lang, CADENCIA__DATABASE__URL=NO_DATABASE)
    assert place.untouched()


@pytest.mark.postgres
def test_a_password_that_is_wrong(running: Place) -> None:
    rules = running.database.data / "pg_hba.conf"
    owner, before = rules.stat(), rules.read_text()
    running.psql("CREATE ROLE ana LOGIN PASSWORD 'right'")
    rules.write_text("local all ana scram-sha-256\n" + before)
    os.chown(rules, owner.st_uid, owner.st_gid)
    running.psql("SELECT pg_reload_conf()")
    url = f"postgresql://ana:hunter2@/cadencia?host={running.database.socket}"
    words = ("no nos deja entrar", "database.url")
    running.refused(1, words, "campaign", "list", lang=SPANISH, CADENCIA__DATABASE__URL=url)
    words = ("There is no such database", "database.url")
    running.refused(1, words, "db", "upgrade", CADENCIA__DATABASE__URL=running.database.url("nobody"))


@pytest.mark.postgres
def test_a_database_of_a_newer_version(running: Place) -> None:
    running.database.tool("createdb", "--maintenance-db=postgres", "newer")
    running.psql("CREATE TABLE alembic_version (version_num text)", "newer")
    running.psql("INSERT INTO alembic_version VALUES ('9999')", "newer")
    url = running.database.url("newer")
    for lang, word in ((ENGLISH, "newer version of Cadencia"), (SPANISH, "versión más nueva de Cadencia")):
        running.refused(1, ("9999", word), "campaign", "list", lang=lang, CADENCIA__DATABASE__URL=url)
    assert running.rows("newer") == {"alembic_version": 1}


# -- the switch --------------------------------------------------------------------------------------------------------
@contextlib.contextmanager
def switch(allowed: Collection[str] = LEAST_RIGHTS) -> Iterator[str]:
    """The simulated switch on loopback, in a thread of its own; its port."""
    held = socket.create_server(("127.0.0.1", 0))
    loop, ended = asyncio.new_event_loop(), asyncio.Event()

    async def serve() -> None:
        simulated = SimulatedSwitch(SystemClock(), WorldPopulation(World(), 7), (), 7)
        server = SwitchServer(simulated, "cadencia", RIGHT, allowed)
        async with await loop.create_server(server.connection, sock=held):
            await ended.wait()
            server.disconnect()
            await asyncio.sleep(0.05)  # what was cut is closed

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        yield str(held.getsockname()[1])
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
        loop.close()


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("secret", "allowed", "lang", "words"),
    [
        ("hunter2hunter2", LEAST_RIGHTS, SPANISH, ("rechazó al usuario 'cadencia'", "secret", "manager.conf")),
        (RIGHT, (*LEAST_RIGHTS, "Command"), ENGLISH, ("may use Command", "manager.conf")),
        (RIGHT, tuple(set(LEAST_RIGHTS) - {"Originate"}), SPANISH, ("Originate", "manager.conf")),
    ],
    ids=["refused", "too many rights", "too few rights"],
)
def test_an_account_we_may_not_dial_with(
    running: Place, secret: str, allowed: tuple[str, ...], lang: str, words: tuple[str, ...]
) -> None:
    before = running.rows()
    with switch(allowed) as port:
        running.refused(
            1,
            words,
            "run",
            lang=lang,
            CADENCIA__SERVERS__MAIN__PORT=port,
            CADENCIA__SERVERS__MAIN__SECRET=secret,
            CADENCIA__WEB__PORT="0",
        )
    assert running.rows() == before


@pytest.mark.postgres
def test_a_switch_that_is_down_may_come_later_but_there_is_one_engine_only(running: Place) -> None:
    env = {"CADENCIA__SERVERS__MAIN__PORT": "1", "CADENCIA__WEB__PORT": "0"}
    with (running.folder / "first").open("w+") as out:
        first = subprocess.Popen(command("run"), env=running.env(SPANISH, env), stdout=out, stderr=out)
        try:
            before = time.monotonic()
            while "http://127.0.0.1:" not in (said := (running.folder / "first").read_text()):
                assert first.poll() is None and time.monotonic() - before < 30, said
                time.sleep(0.05)
            assert "127.0.0.1:1: no se llega al conmutador (allí no escucha nadie). Se sigue intentando." in said
            running.refused(1, ("Another engine leads", f"pid {first.pid}", "stop it first"), "run", **env)
            assert first.poll() is None
        finally:
            first.send_signal(signal.SIGTERM)
            assert first.wait(30) == 0
    said = (running.folder / "first").read_text()
    assert "Traceback" not in said
    assert "Error: " not in said


# -- full disks --------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def own_mounts() -> None:
    """Skip, or with CADENCIA_REQUIRE=all fail where root should be able to, without mounts of our own."""
    reason = "only root can mount a small disk to fill"
    if ROOT:
        with tempfile.TemporaryDirectory() as folder:
            tried = subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", folder], capture_output=True)
        if tried.returncode == 0:
            return
        reason = f"a small disk cannot be mounted here: {tried.stderr.decode().strip()}"
        if os.environ.get("CADENCIA_REQUIRE") == "all":
            pytest.fail(reason)
    pytest.skip(reason)


def on_a_small_disk(place: Place, disk: Path, size: str, script: str, lang: str = ENGLISH) -> list[str]:
    """Run a shell script where `disk` is a disk of that size, which nobody else sees; what it said after each `told`.

    In the script `cadencia` is the program, `fill` takes what is left of the disk but some KiB, and `told` parts the
    answers.
    """
    program = " ".join(command())
    head = f"""
        set -u
        mount -t tmpfs -o size={size},mode=0711 tmpfs {disk}
        cadencia() {{ {program} "$@" 2>&1; echo "exit $?"; }}
        free() {{ df -k --output=avail {disk} | tail -1; }}
        fill() {{ head -c $(( ($(free) - $1) * 1024 )) /dev/zero > {disk}/ballast; }}
        told() {{ echo "----"; }}
    """
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", head + script],
        env=place.env(lang),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "Traceback" not in done.stdout, done.stdout
    assert done.returncode == 0, done.stderr
    return done.stdout.split("----\n")


def one_message(said: str, lang: str, *words: str) -> None:
    assert said.endswith("exit 1\n"), said
    assert said.count("Error: ") == said.count(WAY_OUT[lang]) == 1, said
    for word in words:
        assert word in said, (word, said)


@pytest.mark.postgres
def test_the_databases_disk_is_full_during_an_import(place: Place, own_mounts: None) -> None:
    path = place.folder / "cartera.csv"
    make_portfolio(path, 6000, 7)
    disk = place.data
    script = f"""
        cadencia campaign create m30
        fill 2000
        told
        cadencia import {path} --campaign m30
        told
        rm {disk}/ballast
        cadencia import {path} --campaign m30
        told
        cadencia campaign show m30 --json
        told
        cadencia db stop
        ! test -e {disk}/postgres/data/postmaster.pid
    """
    _, full, again, shown, _ = on_a_small_disk(place, disk, "150m", script)
    one_message(full, ENGLISH, f"{disk}/postgres", "is full", "Make room")
    assert again.endswith("exit 0\n"), again
    people = int(re.findall(r"^(\d+) persons", again, re.MULTILINE)[0])
    assert json.loads(shown.removesuffix("exit 0\n"))["counts"]["contacts"] == people > 5000


@pytest.mark.postgres
def test_the_disk_of_a_backup_is_full(running: Place, tmp_path: Path, own_mounts: None) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    script = f"""
        fill 8
        told
        cadencia db backup {disk}/copia.backup
        told
        ls -A {disk}
    """
    _, full, left = on_a_small_disk(running, disk, "200k", script, SPANISH)
    one_message(full, SPANISH, "copia.backup" if "copia.backup" in full else "pg_dump", "espacio")
    assert left == "ballast\n"


@pytest.mark.postgres
def test_the_disk_of_the_demos_summary_is_full(running: Place, tmp_path: Path, own_mounts: None) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    demo = "cadencia demo --headless --minutes 0.05 --speed 40 --contacts 50 --agents 1 --port 0"
    script = f"""
        echo older > {disk}/out.json
        fill 0
        told
        {demo} --json {disk}/out.json
        told
        ls -A {disk}
        cat {disk}/out.json
    """
    _, full, left = on_a_small_disk(running, disk, "100k", script)
    one_message(full, ENGLISH, f"{disk}/out.json could not be written: the disk is full", "Make room")
    assert "abandonment_rate" in full  # the summary is on the screen
    assert left == "ballast\nout.json\nolder\n"
