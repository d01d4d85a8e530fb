"""The build backend (PEP 517 and 660): maturin, once the supervisor's program is there for it to pack.

maturin packs one extension module. The program beside it is built here, into the package.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import maturin
from maturin import (  # noqa: F401  (hooks that are maturin's own)
    build_sdist,
    get_requires_for_build_editable,
    get_requires_for_build_sdist,
    get_requires_for_build_wheel,
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)

PROGRAM = "brickwork-supervisor"
# The profile is in Cargo.toml.
BUILD = ["cargo", "rustc", "--locked", "--profile", "supervisor", "-p", "brickwork-command", "--bin", PROGRAM]
BUILD += ["--quiet", "--message-format", "json-render-diagnostics"]
# Half a megabyte of memory less, and no loader to wait for.
STATIC = ["--", "-C", "target-feature=+crt-static"]


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    build_supervisor()
    return maturin.build_wheel(wheel_directory, config_settings, metadata_directory)


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    build_supervisor()
    return maturin.build_editable(wheel_directory, config_settings, metadata_directory)


def build_supervisor() -> None:
    """Build the program and put it into the package."""
    built = subprocess.run([*BUILD, *STATIC], stdout=subprocess.PIPE, text=True)
    if built.returncode != 0:
        print("not linked statically: the C library may be there as a shared one only", flush=True)
        built = subprocess.run(BUILD, stdout=subprocess.PIPE, text=True, check=True)
    messages = [json.loads(line) for line in built.stdout.splitlines()]
    (executable,) = [message["executable"] for message in messages if message.get("executable")]
    shutil.copy2(executable, Path("python/brickwork") / PROGRAM)
