"""The embedded PostgreSQL: started, adopted, killed, backed up and restored; what it leaves alone."""

# ruff: noqa: F811  # fixtures come by import
from __future__ import annotations

import multiprocessing
import os
import pwd
import shutil
import signal
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from store_fixtures import NOW, QUICK, Databases, Floor, databases, person, throwaway  # noqa: F401

from cadencia.errors import ConfigError, Refused, StoreError
from cadencia.store import embedded, migrate
from cadencia.store.backup import backup, restore
from cadencia.store.embedded import EmbeddedPostgres, default_folder
from cadencia.store.postgres import PostgresStore

pytestmark = pytest.mark.postgres


@pytest.fixture
def server() -> Iterator[EmbeddedPostgres]:
    with throwaway() as server:
        yield server


def pid_of(server: EmbeddedPostgres) -> int:
    return int((server.data / "postmaster.pid").read_text().split()[0])


def _start_and_die(folder: Path) -> None:
    EmbeddedPostgres(folder, QUICK).start()
    os.kill(os.getpid(), signal.SIGKILL)


def test_it_outlives_its_starter_and_is_adopted(server: EmbeddedPostgres) -> None:
    starter = multiprocessing.get_context("spawn").Process(target=_start_and_die, args=(server.folder,))
    starter.start()
    starter.join(30)
    assert starter.exitcode == -signal.SIGKILL
    assert server.running()
    pid = pid_of(server)
    url = server.start()
    assert pid_of(server) == pid
    assert url == f"postgresql+asyncpg://cadencia@/cadencia?host={server.folder}/run"
    server.stop()
    assert not server.running()
    server.stop()


async def test_what_was_written_is_there_after_a_stop_and_after_a_kill(server: EmbeddedPostgres) -> None:
    store = await PostgresStore.open(server.start())
    await Floor(store).open([person(1)])
    await store.close()
    server.stop()
    store = await PostgresStore.open(server.start())
    assert (await store.counts("c1")).contacts == 1
    assert await store.lead("engine-2", NOW) == 2
    os.kill(pid_of(server), signal.SIGQUIT)  # the server falls at once, as in a crash
    while server.running():
        pass
    with pytest.raises(StoreError) as told:
        await store.ping()
    assert told.value.hint
    await store.close()
    store = await PostgresStore.open(server.start())
    assert (await store.counts("c1")).contacts == 1
    assert await store.lead("engine-3", NOW) == 3
    await store.close()


def test_a_pid_file_of_another_program_is_no_obstacle(server: EmbeddedPostgres) -> None:
    server.start()
    pid_file = server.data / "postmaster.pid"
    left = pid_file.read_text().split("\n")
    server.stop()
    pid_file.write_text("\n".join([str(os.getpid()), *left[1:]]))
    server.start()
    assert server.running()


def test_nobody_else_may_enter_and_no_parent_is_opened(server: EmbeddedPostgres) -> None:
    parent = server.folder.parent
    before = [(p, p.stat().st_mode) for p in server.folder.parents]
    server.start()
    assert [(p, p.stat().st_mode) for p in server.folder.parents] == before
    for path in (server.folder, server.data, server.socket):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert parent.stat().st_mode == before[0][1]
    assert (server.data / "pg_hba.conf").read_text().splitlines()[1:] == ["local all cadencia peer map=us"]
    if os.geteuid() == 0:
        assert pwd.getpwuid(server.data.stat().st_uid).pw_name == "cadencia"


def _as_nobody(home: Path, answer: multiprocessing.Queue[object]) -> None:
    """Start and stop a server in a closed home, as somebody who is not root."""
    user = pwd.getpwnam("nobody")
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    os.chdir("/")
    try:
        server = EmbeddedPostgres(home / ".local" / "share" / "cadencia" / "postgres", QUICK)
        url = server.start()
        modes = [stat.S_IMODE(p.stat().st_mode) for p in (home, server.folder, server.data)]
        owner = server.data.stat().st_uid == user.pw_uid
        server.tool("psql", "-d", "cadencia", "-c", "SELECT 1")
        server.stop()
        answer.put((url.startswith("postgresql"), modes, owner, server.running()))
    except BaseException as error:
        answer.put(repr(error))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_without_root_in_a_closed_home() -> None:
    home = Path(tempfile.mkdtemp(prefix="cadencia-home-"))
    try:
        shutil.chown(home, "nobody")
        home.chmod(0o700)
        context = multiprocessing.get_context("fork")  # the interpreter may lie where nobody cannot start it anew
        answer: multiprocessing.Queue[object] = context.Queue()
        other = context.Process(target=_as_nobody, args=(home, answer))
        other.start()
        assert answer.get(timeout=60) == (True, [0o700, 0o700, 0o700], True, False)
        other.join(10)
    finally:
        shutil.rmtree(home)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as somebody else")
def test_root_is_told_when_the_servers_user_cannot_get_there() -> None:
    closed = Path(tempfile.mkdtemp(prefix="cadencia-closed-"))  # 0700, root's
    try:
        with pytest.raises(StoreError, match="may not enter") as told:
            EmbeddedPostgres(closed / "pg", QUICK).start()
        assert "CADENCIA_DATA" in told.value.hint
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    finally:
        shutil.rmtree(closed)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as somebody else")
def test_programs_that_the_servers_user_cannot_reach_are_copied(
    server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "_reachable", lambda path, user: False)
    server.start()
    assert Path(f"/proc/{pid_of(server)}/exe").resolve().is_relative_to(server.folder / "programs-18")


def test_a_long_path_takes_a_short_socket(server: EmbeddedPostgres) -> None:
    deep = server.folder.parent / ("d" * 90)
    deep.mkdir(mode=0o711)
    deep.chmod(0o711)
    long = EmbeddedPostgres(deep / "pg", QUICK)
    socket = long.socket
    assert not socket.is_relative_to(long.folder)
    try:
        long.start()
        assert long.socket == socket
        assert stat.S_IMODE(socket.stat().st_mode) == 0o700
    finally:
        long.stop()
        shutil.rmtree(socket)


def test_a_folder_of_somebody_else_is_not_taken(server: EmbeddedPostgres) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs two users")
    server.folder.mkdir()
    shutil.chown(server.folder, "nobody")
    with pytest.raises(StoreError, match="somebody else"):
        server.start()


def test_data_of_another_major_version_are_refused(server: EmbeddedPostgres) -> None:
    server.start()
    server.stop()
    (server.data / "PG_VERSION").write_text("17\n")
    with pytest.raises(StoreError, match="made by PostgreSQL 17"):
        server.start()


def test_a_server_that_does_not_start_says_why(server: EmbeddedPostgres) -> None:
    broken = EmbeddedPostgres(server.folder, QUICK | {"shared_buffers": "nonsense"})
    with pytest.raises(StoreError, match="does not start") as told:
        broken.start()
    assert "server.log" in told.value.hint


def test_where_the_data_lie(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CADENCIA_DATA", str(tmp_path))
    assert default_folder() == tmp_path / "postgres"
    monkeypatch.delenv("CADENCIA_DATA")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert default_folder() == Path("/var/lib/cadencia/postgres")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    assert default_folder() == tmp_path / "share" / "cadencia" / "postgres"


def test_the_product_loses_no_commit() -> None:
    settings = EmbeddedPostgres("/nowhere")._settings
    assert (settings["fsync"], settings["synchronous_commit"], settings["full_page_writes"]) == ("on", "on", "on")


# -- backup and restore -----------------------------------------------------------------------------------------------
async def test_a_backup_brings_everything_back(databases: Databases, tmp_path: Path) -> None:
    url, empty = await databases.fresh(), databases.server.url("restored")
    store = await PostgresStore.open(url)
    floor = Floor(store)
    await floor.open([person(1), person(2)])
    lease = await floor.talked()
    file = await backup(url, tmp_path / "copia.dump")  # while the store is open
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(Refused, match="exists already"):
        await backup(url, file)
    before = await store.events()
    await store.close()
    assert await restore(empty, file) == migrate.newest()
    again = await PostgresStore.open(empty, upgrade=False)
    assert await again.events() == before
    assert [a.attempt_id for a in await again.awaiting_disposition()] == [lease.attempt_id]
    await Floor(again, await again.lead("engine-2", NOW)).dispose(lease, "PPT")
    assert (await again.events())[-1].seq > before[-1].seq
    with pytest.raises(Refused, match="not empty"):
        await restore(empty, file)
    with pytest.raises(StoreError, match="in use"):
        await restore(empty, file, overwrite=True)
    await again.close()
    await restore(empty, file, overwrite=True)
    again = await PostgresStore.open(empty, upgrade=False)
    assert await again.events() == before
    await again.close()
    await backup(empty, file, overwrite=True)


async def test_a_damaged_backup_changes_nothing(databases: Databases, tmp_path: Path) -> None:
    url = await databases.fresh()
    store = await PostgresStore.open(url)
    await Floor(store).open([person(1)])
    await store.close()
    file = await backup(url, tmp_path / "copia.dump")
    file.write_bytes(file.read_bytes()[:-2000])
    with pytest.raises(StoreError):
        await restore(url, file, overwrite=True)
    with pytest.raises(Refused, match="does not exist"):
        await restore(url, tmp_path / "nothing", overwrite=True)
    store = await PostgresStore.open(url)
    assert (await store.counts("c1")).contacts == 1
    await store.close()


async def test_a_backup_of_a_newer_program_is_refused(databases: Databases, tmp_path: Path) -> None:
    url = await databases.fresh()
    name = url.split("@/")[1].split("?")[0]
    databases.server.tool("psql", "-d", name, "-c", "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match="9999") as told:
        await PostgresStore.open(url)
    assert "newer version" in told.value.hint
    file = await backup(url, tmp_path / "copia.dump")
    with pytest.raises(StoreError, match="9999"):
        await restore(databases.server.url("other"), file)


async def test_backups_that_cannot_be_written(databases: Databases, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be written"):
        await backup(await databases.fresh(), tmp_path / "nowhere" / "copia.dump")
    with pytest.raises(StoreError):
        await backup(databases.server.url("nobody"), tmp_path / "copia.dump")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ConfigError):
        await backup("::", tmp_path / "copia.dump")
