"""Succeed if a program can be linked with the library of the interpreter that runs this.

Rust tests that embed Python need it. Where it is missing, those crates are tested through pytest alone.
"""

import sys
import sysconfig
from pathlib import Path

name, directory = sysconfig.get_config_var("LDLIBRARY"), sysconfig.get_config_var("LIBDIR")
is_shared = bool(sysconfig.get_config_var("Py_ENABLE_SHARED")) and name and name.endswith(".so")
multiarch = sysconfig.get_config_var("MULTIARCH") or ""
directories = [Path(directory), Path(directory) / multiarch] if directory else []
sys.exit(0 if is_shared and any((place / name).exists() for place in directories) else 1)
