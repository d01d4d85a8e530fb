"""Sets up what the benchmarks compare with: Debian's packages, and the Python peers in an environment of their own.

A peer that cannot be set up is written to absent.json with the reason, and every table names it. Without wrk nothing
can be measured, so that fails.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent

# A program or file by which to know that the package is there, and who needs it.
DEBIAN = [
    ("wrk", "/usr/bin/wrk", "the load"),
    ("nginx-light", "/usr/sbin/nginx", "nginx"),
    ("libev-dev", "/usr/include/ev.h", "bjoern"),
]

# What fastwsgi 0.0.9 imports at run time and does not ask for; maturin builds Brickwork.
TOOLS = ["setuptools<81", "maturin>=1.9,<2"]


def main() -> int:
    absent: dict[str, str] = {}
    missing = [(package, needed_by) for package, witness, needed_by in DEBIAN if not Path(witness).exists()]
    if missing:
        # A fresh machine has no lists of packages, and an old one's name files that are gone.
        apt_get("update")
    for package, needed_by in missing:
        print(f"installing {package}", flush=True)
        if reason := apt_get("install", "--yes", "--no-install-recommends", package):
            absent[needed_by] = f"{package} could not be installed: {reason}"
    environment = HERE / ".venv"
    if not (environment / "bin/python").exists():
        subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    pip = [environment / "bin/python", "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    subprocess.run([*pip, *TOOLS], check=True)
    for requirement in requirements():
        name = requirement.partition("==")[0].lower()
        print(f"setting up {requirement}", flush=True)
        result = subprocess.run([*pip, requirement], capture_output=True, text=True)
        if result.returncode:
            absent[name] = last_line(result.stderr)
    (environment / "absent.json").write_text(json.dumps(absent, indent=2) + "\n")
    for name, reason in absent.items():
        print(f"absent: {name}: {reason}", file=sys.stderr)
    return 1 if not shutil.which("wrk") else 0


def apt_get(*arguments: str) -> str | None:
    """The reason why not, if it did not succeed."""
    command = [*([] if os.geteuid() == 0 else ["sudo", "--non-interactive"]), "apt-get", *arguments]
    try:
        result = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    except OSError as error:
        return str(error)
    return last_line(result.stderr) if result.returncode else None


def requirements() -> list[str]:
    lines = (HERE / "requirements.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no message"])[-1]


if __name__ == "__main__":
    sys.exit(main())
