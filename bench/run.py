"""Runs a suite of benchmarks: `python bench/run.py SUITE`. Prints a table for each scenario, and writes JSON.

    python bench/run.py hello --rounds 20
    python bench/run.py scheduling --only writes --connections 64 --cores 2
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from driver import network, rounds, table
from driver.peers import BENCH, PEERS, PYTHON
from driver.steal import without_disturbed
from driver.suites import SUITES, Row, plan


def main() -> int:
    options = arguments()
    # Ended by hand, it ends the server that it measures.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    available = sorted(os.sched_getaffinity(0))
    if len(available) < 2:
        print("two processor cores are needed: one for the server, one for the client", file=sys.stderr)
        return 1
    # Ten thousand connections are more descriptors than a shell usually allows; servers inherit this.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    rows = [row for row in SUITES[options.suite] if is_chosen(row, options)]
    if not rows:
        print("no scenario of the suite is left", file=sys.stderr)
        return 2
    if not options.host_network and not network.enter_own():
        print("no network namespace can be had here: the host's network is measured", file=sys.stderr)
        options.host_network = True
    results: dict[str, dict] = earlier_results(options) if options.resume else {}
    with tempfile.TemporaryDirectory(prefix="brickwork-bench-") as directory:
        scratch = Path(directory)
        environment, service = surroundings(scratch)
        try:
            for row in rows:
                chosen = plan(row, options.rounds, options.seconds, available)
                earlier = results.get(chosen.name)
                seconds = chosen.seconds_a_round
                if earlier and earlier["seconds"] != seconds:
                    sys.exit(f"{options.json} has measurements of {earlier['seconds']} s, and these would be of {seconds}")
                result = rounds.run(chosen, scratch, environment, earlier)
                results[chosen.name] = result
                print(table.show(without_disturbed(result)), end="\n\n", flush=True)
                write(options, list(results.values()), scratch)
        finally:
            service.terminate()
            service.wait()
    if options.suite == "scheduling":
        print(table.show_schedulers([without_disturbed(result) for result in results.values()]), end="\n\n")
    print(f"results: {options.json}")
    failed = [name for result in results.values() for name in result["excluded"] if name.startswith("brickwork")]
    return 1 if failed else 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite", choices=SUITES)
    parser.add_argument("--rounds", type=int, help="instead of the suite's own number")
    parser.add_argument("--seconds", type=int, default=2, help="of each measurement, a turn each (default 2)")
    parser.add_argument("--only", action="append", metavar="SCENARIO", help="may be repeated")
    parser.add_argument("--connections", type=int, help="only the rows with so many")
    parser.add_argument("--cores", type=int, help="only the rows with so many cores for the server")
    parser.add_argument("--json", type=Path, help="where results go (default bench/results/SUITE.json)")
    parser.add_argument("--resume", action="store_true", help="add to the results of the same build: rows and rounds that lack")
    parser.add_argument("--host-network", action="store_true", help="instead of a network namespace of its own")
    options = parser.parse_args()
    options.json = options.json or BENCH / "results" / f"{options.suite}.json"
    return options


def earlier_results(options: argparse.Namespace) -> dict[str, dict]:
    """By name. Exits if they are those of another machine."""
    if not options.json.exists():
        return {}
    document = json.loads(options.json.read_text())
    if document["machine"] != machine(options):
        sys.exit(f"{options.json} was measured on {document['machine']}, and this is {machine(options)}")
    return {result["name"]: result for result in document["results"]}


def is_chosen(row: Row, options: argparse.Namespace) -> bool:
    if options.only and row.scenario not in options.only:
        return False
    if options.connections and row.connections != options.connections:
        return False
    return not options.cores or row.cores == options.cores


def surroundings(scratch: Path) -> tuple[dict[str, str], subprocess.Popen]:
    """What applications find in their environment: a directory, files to send, a service to wait for."""
    (scratch / "page").write_bytes(b"x" * 10_000)
    file = scratch / "file"
    file.write_bytes(b"x" * 10_000_000)
    service = subprocess.Popen([PYTHON, BENCH / "servers/loopback_service.py"], stdout=subprocess.PIPE, text=True)
    port = service.stdout.readline().strip()
    names = {"BENCH_DIRECTORY": str(scratch), "BENCH_FILE": str(file), "BENCH_SERVICE_PORT": port}
    return names, service


def write(options: argparse.Namespace, results: list[dict], scratch: Path) -> None:
    used = {name for result in results for name in [*result["measured"], *result["excluded"]]}
    document = {
        "suite": options.suite,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": machine(options),
        "peers": {
            name: {
                "version": PEERS[name].version(),
                "settings": PEERS[name].settings,
                "command": command(name, scratch),
            }
            for name in sorted(used)
        },
        "results": results,
    }
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(document, indent=1) + "\n")


def command(name: str, scratch: Path) -> str:
    words = PEERS[name].command("APP", 8000, scratch)
    return " ".join(words).replace(str(scratch), "SCRATCH").replace(str(BENCH), "bench")


def machine(options: argparse.Namespace) -> dict[str, str | int]:
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {
        "processor": models[0].partition(":")[2].strip() if models else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "network": network.describe(is_own=not options.host_network),
    }


if __name__ == "__main__":
    sys.exit(main())
