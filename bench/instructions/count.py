"""Counts the instructions of each pure-Rust path with callgrind, and fails where one has grown by more than 3 %.

The counts of one build are the same on every run and every machine of the architecture; they differ between compilers,
so the recorded ones are kept by compiler. If the one in use has none, rustup is asked for the one that has
(rust-toolchain.toml). `--record` writes them anew; the change of baseline.json then stands in the commit that caused it.

Fails too when serving accepted requests runs any function that refuses or reports.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
BASELINE = HERE / "baseline.json"

# More is a regression; less than that is how code happens to be laid out.
ALLOWED_GROWTH = 0.03

# Instructions of one run are those of the larger count less those of the smaller, by the difference: what happens once,
# and what happens while buffers grow, falls out.
FEWER, MORE = 100, 1100

# What a refused request costs and an accepted one must not: everything behind the one function that refuses.
REPORTING = re.compile(
    r"EventLoop>?::refuse|served::report::|brickwork_server::redaction|brickwork_http::diagnose|brickwork_http::rejection"
)


def main() -> int:
    if not install_valgrind():
        print("valgrind is not there and could not be installed: nothing was counted", file=sys.stderr)
        return 1
    recorded = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    stay_with_compiler_in_use(recorded)
    subprocess.run(["cargo", "build", "--release", "--locked", "--quiet"], cwd=HERE, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", HERE / "target"))
    program = target.resolve() / "release/brickwork-instructions"
    if not accepted_requests_pay_nothing_for_reports(program):
        return 1
    names = subprocess.run([program], capture_output=True, text=True, check=True).stdout.splitlines()
    counted = {name: once(program, name) for name in names}
    if "--record" in sys.argv[1:]:
        recorded[compiler()] = counted
        BASELINE.write_text(json.dumps(recorded, indent=2, sort_keys=True) + "\n")
    if compiler() not in recorded:
        print(
            f"no counts are recorded for {compiler()}: this is no x86-64, or this cargo does not follow rust-toolchain.toml.\n"
            "Nothing was compared. Counts to compare with later: make bench-instructions OPTIONS=--record",
            file=sys.stderr,
        )
        print(json.dumps(counted, indent=2))
        return 1
    return compare(counted, recorded[compiler()])


def install_valgrind() -> bool:
    if not shutil.which("valgrind"):
        sudo = [] if os.geteuid() == 0 or not shutil.which("sudo") else ["sudo", "--non-interactive"]
        install = ["install", "--yes", "--no-install-recommends", "valgrind"]
        try:
            for arguments in (["update"], install):
                subprocess.run([*sudo, "apt-get", *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        except OSError as error:
            print(error, file=sys.stderr)
    return shutil.which("valgrind") is not None


def stay_with_compiler_in_use(recorded: dict[str, dict[str, int]]) -> None:
    """A toolchain with counts needs no other to be fetched, whatever name it goes by."""
    if compiler(HERE.parent) in recorded and shutil.which("rustup"):
        active = subprocess.run(["rustup", "show", "active-toolchain"], capture_output=True, text=True, cwd=HERE.parent)
        if active.returncode == 0:
            os.environ["RUSTUP_TOOLCHAIN"] = active.stdout.split()[0]


def compiler(directory: Path = HERE) -> str:
    version = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=True, cwd=directory).stdout
    return f"{version.strip()} {platform.machine()}"


def once(program: Path, name: str) -> int:
    return round((count(program, name, MORE) - count(program, name, FEWER)) / (MORE - FEWER))


def count(program: Path, name: str, times: int) -> int:
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program, name, str(times)]
    result = subprocess.run(command, capture_output=True, text=True)
    collected = re.search(r"Collected : (\d+)", result.stderr)
    if result.returncode or not collected:
        sys.exit(f"{name}: {result.stderr.strip()[-2000:]}")
    return int(collected[1])


def accepted_requests_pay_nothing_for_reports(program: Path) -> bool:
    """The server's part of a request, function by function. That a refused one is seen to report is what the check stands on."""
    accepted, refused = served(program, MORE, 0), served(program, FEWER, FEWER)
    for name, cost in accepted.items():
        if REPORTING.search(name):
            print(f"accepted requests ran {name}: {cost:,} instructions", file=sys.stderr)
    paid, due = reporting(accepted), reporting(refused)
    print(f"reports: {paid:,} instructions in {MORE:,} accepted requests, {due // FEWER:,} in each refused one")
    return paid == 0 and due > 0 and any("HeadParser" in name for name in accepted)


def reporting(costs: Counter[str]) -> int:
    return sum(cost for name, cost in costs.items() if REPORTING.search(name))


def served(program: Path, accepted: int, refused: int) -> Counter[str]:
    """The instructions of each function while so many requests were served, its callees not counted in."""
    with tempfile.NamedTemporaryFile("r", suffix=".callgrind") as profile:
        options = ["--tool=callgrind", "--compress-strings=no", f"--callgrind-out-file={profile.name}"]
        command = ["valgrind", *options, program, "serve", str(accepted), str(refused)]
        subprocess.run(command, capture_output=True, text=True, check=True)
        return costs(profile.read().splitlines())


def costs(profile: list[str]) -> Counter[str]:
    """Callgrind's format: `fn=` begins a function, lines of two numbers are its own cost; one behind `calls=` is a callee's."""
    total, name, is_callee = Counter(), "", False
    for line in profile:
        if line.startswith("fn="):
            name = line.removeprefix("fn=")
        elif re.fullmatch(r"[+*-]?\d* \d+", line) and not is_callee:
            total[name] += int(line.split()[1])
        is_callee = line.startswith("calls=")
    return total


def compare(counted: dict[str, int], recorded: dict[str, int]) -> int:
    grown = []
    for name in sorted(counted.keys() | recorded.keys()):
        now, before = counted.get(name), recorded.get(name)
        if now is None or before is None:
            grown.append(name)
            print(f"{name}: {'not counted' if now is None else 'not recorded'}")
            continue
        growth = now / before - 1
        verdict = ""
        if growth > ALLOWED_GROWTH:
            grown.append(name)
            verdict = f"  more than {ALLOWED_GROWTH:.0%}"
        print(f"{name:40} {now:8,} instructions, recorded {before:8,}, {growth:+.1%}{verdict}")
    if grown:
        print(f"grown or missing: {', '.join(grown)}", file=sys.stderr)
    return 1 if grown else 0


if __name__ == "__main__":
    sys.exit(main())
