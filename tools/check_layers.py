"""Fail if an arrow of the design turns round: who may depend on whom, where `unsafe` may stand, and what is no_std.

The lists below are the one place where this is written down; a change here is a change of the design.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# What a crate of ours may import of the others.
ARROWS: dict[str, set[str]] = {
    "brickwork-http": set(),
    "brickwork-server": {"brickwork-http"},
    "brickwork-wsgi": {"brickwork-http", "brickwork-server"},
    "brickwork-supervisor": set(),
    "brickwork-command": {"brickwork-server", "brickwork-supervisor"},
    "brickwork": {"brickwork-http", "brickwork-server", "brickwork-wsgi", "brickwork-supervisor", "brickwork-command"},
}

# Libraries that only these crates may import: Python, and two views of the kernel.
ONLY_IN: dict[str, set[str]] = {
    "pyo3": {"brickwork-wsgi", "brickwork"},
    "nix": {"brickwork-supervisor"},
    "rustix": {"brickwork-server"},
}

# What the project is there to do itself: in no shipped build, not even as a dependency of a dependency.
FORBIDDEN = {"hyper", "tokio", "httparse", "http", "h2", "mio", "async-std", "actix-web"}

# The modules with `unsafe`, from the root of the project. Their test modules are not listed, and may have some too.
UNSAFE = {
    "crates/http/src/scan/window.rs",
    "crates/server/src/content.rs",
    "crates/server/src/descriptors.rs",
    "crates/server/src/listeners.rs",
    "crates/server/src/poller/epoll.rs",
    "crates/server/src/promote/thread_clock.rs",
    "crates/server/src/promote/token.rs",
    "crates/server/src/record.rs",
    "crates/supervisor/src/descriptor.rs",
    "crates/supervisor/src/end.rs",
    "crates/supervisor/src/exit.rs",
    "crates/supervisor/src/fork.rs",
    "crates/supervisor/src/scoreboard.rs",
    "crates/supervisor/src/signals.rs",
    "crates/wsgi/src/file_wrapper.rs",
    "crates/wsgi/src/gil.rs",
    "crates/wsgi/src/latin1.rs",
    "crates/wsgi/src/response_iter.rs",
    "crates/wsgi/src/stacks.rs",
    "crates/wsgi/src/start_response.rs",
    "crates/wsgi/src/timeout.rs",
}

NO_STD = "crates/http/src"


def main() -> int:
    metadata = json.loads(subprocess.run(METADATA, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout)
    sources = sorted((ROOT / "crates").glob("*/src/**/*.rs"))
    faults = [*arrow_faults(metadata), *forbidden_faults(metadata), *unsafe_faults(sources), *no_std_faults(sources)]
    for fault in faults:
        print(f"layers: {fault}", file=sys.stderr)
    if not faults:
        print(f"layers: {len(ARROWS)} crates and {len(sources)} files keep to the design")
    return 1 if faults else 0


METADATA = ["cargo", "metadata", "--format-version", "1", "--locked"]


def arrow_faults(metadata: dict) -> list[str]:
    """Direct dependencies; those for tests may go where they like."""
    members = [package for package in metadata["packages"] if package["id"] in metadata["workspace_members"]]
    faults = [f"{package['name']} is in no row of ARROWS" for package in members if package["name"] not in ARROWS]
    for package in members:
        name = package["name"]
        for dependency in package["dependencies"]:
            other = dependency["name"]
            if dependency["kind"] == "dev":
                continue
            if other in ARROWS and other not in ARROWS.get(name, set()):
                faults.append(f"{name} must not depend on {other}")
            if name not in ONLY_IN.get(other, {name}):
                faults.append(f"{name} must not depend on {other}: that is for {', '.join(sorted(ONLY_IN[other]))}")
    return faults


def forbidden_faults(metadata: dict) -> list[str]:
    """Everything reachable without dependencies for tests."""
    names = {package["id"]: package["name"] for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    faults, seen, waiting = [], set(), [(member, names[member]) for member in metadata["workspace_members"]]
    while waiting:
        package, path = waiting.pop()
        if package in seen:
            continue
        seen.add(package)
        if names[package] in FORBIDDEN:
            faults.append(f"{names[package]} must not be used: {path}")
        for dependency in nodes[package]["deps"]:
            if any(kind["kind"] != "dev" for kind in dependency["dep_kinds"]):
                waiting.append((dependency["pkg"], f"{path} > {names[dependency['pkg']]}"))
    return faults


def unsafe_faults(sources: list[Path]) -> list[str]:
    faults, found = [], set()
    for source in sources:
        name = source.relative_to(ROOT).as_posix()
        text = code_of(source)
        if source.name == "lib.rs" and not re.search(r"#!\[(deny|forbid)\(unsafe_code\)\]", text):
            faults.append(f"{name} does not deny unsafe_code")
        if not re.search(r"\bunsafe\b(?!-)", text) or source.stem == "tests" or "tests" in source.parent.parts:
            continue
        found.add(name)
        if name not in UNSAFE:
            faults.append(f"{name} has `unsafe` and is not in the list of modules that may")
    return faults + [f"{name} is listed for `unsafe` and has none" for name in sorted(UNSAFE - found)]


def no_std_faults(sources: list[Path]) -> list[str]:
    faults = []
    for source in sources:
        name = source.relative_to(ROOT).as_posix()
        if not name.startswith(NO_STD):
            continue
        text = code_of(source)
        if name == f"{NO_STD}/lib.rs" and "#![no_std]" not in text:
            faults.append(f"{name} is not no_std")
        without_tests = re.sub(r"#\[cfg\(test\)\]\s*extern crate std;", "", text)
        if re.search(r"\bextern crate std\b", without_tests):
            faults.append(f"{name} brings std back")
    return faults


def code_of(source: Path) -> str:
    """The text without line comments."""
    return "\n".join(line.split("//")[0] for line in source.read_text().splitlines())


if __name__ == "__main__":
    sys.exit(main())
