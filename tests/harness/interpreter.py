"""An interpreter with Brickwork that every user of this machine can start, wherever the one that runs the tests is."""

import os
import pathlib
import shutil
import sys
import sysconfig

import brickwork

# What a server does not import, and the environment that is copied apart.
LEFT_OUT = ("test", "site-packages", "idlelib", "tkinter", "lib2to3", "ensurepip", "turtledemo", "__pycache__", "config-*")


def can_be_entered_by_all(path):
    return all(parent.stat().st_mode & 0o1 for parent in pathlib.Path(os.path.realpath(path)).parents)


def interpreter_for_all(directory):
    """Program and environment variables. What others cannot reach is copied into `directory`, once."""
    package = pathlib.Path(brickwork.__file__).parent
    if all(map(can_be_entered_by_all, [sys.executable, sysconfig.get_path("stdlib"), package / "x"])):
        return sys.executable, {}
    home = directory / "python"
    if not home.exists():
        copy(package, home)
    program = home / "bin" / pathlib.Path(sys.executable).resolve().name
    return str(program), {"PYTHONHOME": str(home), "LD_LIBRARY_PATH": str(home / "lib")}


def copy(package, home):
    program = pathlib.Path(sys.executable).resolve()
    for folder in [home / "bin", home / "lib"]:
        folder.mkdir(parents=True)
    shutil.copy(program, home / "bin")
    for library in (pathlib.Path(sys.base_prefix) / "lib").glob("libpython*.so*"):
        shutil.copy(library, home / "lib")
    stdlib = pathlib.Path(sysconfig.get_path("stdlib"))
    target = home / "lib" / stdlib.name
    shutil.copytree(stdlib, target, ignore=shutil.ignore_patterns(*LEFT_OUT))
    shutil.copytree(package, target / "site-packages" / package.name)
