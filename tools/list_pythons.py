"""Print the CPythons of this machine that Brickwork runs on, one path a line: one for each version, 3.10 and later.

Looks on PATH and where pyenv keeps its versions.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

OLDEST = (3, 10)
ASK = (
    "import json, sys, sysconfig; print(json.dumps(["
    "sys.implementation.name, list(sys.version_info[:2]), bool(sysconfig.get_config_var('Py_GIL_DISABLED'))]))"
)


def main() -> None:
    found: dict[tuple[int, int], Path] = {}
    for candidate in candidates():
        version = version_of(candidate)
        if version is not None and version >= OLDEST:
            found.setdefault(version, candidate)
    for version in sorted(found):
        print(found[version])


def candidates() -> list[Path]:
    """Interpreters by the names that they are installed under, the one on PATH first."""
    directories = [Path(directory) for directory in os.environ.get("PATH", "").split(os.pathsep) if directory]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    directories += sorted(pyenv.glob("*/bin"))
    names = ["python3", *(f"python3.{minor}" for minor in range(OLDEST[1], 30))]
    return [directory / name for directory in directories for name in names if os.access(directory / name, os.X_OK)]


def version_of(candidate: Path) -> tuple[int, int] | None:
    """Major and minor version; None for what is no CPython with its interpreter lock, or does not run."""
    try:
        answer = subprocess.run([candidate, "-c", ASK], capture_output=True, text=True, timeout=30, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    name, version, is_free_threaded = json.loads(answer)
    return (version[0], version[1]) if name == "cpython" and not is_free_threaded else None


if __name__ == "__main__":
    main()
