#!/usr/bin/python3
"""Measures what TLS and tokens cost: the same scheduler and workers without
both, with tokens, and with TLS and tokens, in turn. One command:

    tests/bench/security_bench.py --out security_bench.json

prints, and writes, one JSON value: for each measurement the median of
--repeats rounds, and its ratio to the plain service in the same run.
"""

import argparse
import json
import os
import pathlib
import statistics
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "support")]
os.environ.setdefault("INTERNODE_BIN_DIR",
                      str(ROOT / "build" / "release" / "bin"))

import secured  # noqa: E402

KINDS = ("plain", "tokens", "tls")
NUMBERS = {"tasks": "tasks_per_s", "latency": "p50_ms", "spool": "mb_per_s"}


class Services(secured.SecureTest):
    """One scheduler with two workers of one thread for each kind."""

    def __init__(self):
        super().__init__("run")
        self.setUp()
        tls = secured.Certificates(self.folder / "tls")
        worker, admin = self.token("worker"), self.token("admin")
        scheduler_flags = {"plain": [], "tokens": ["--tokens", self.tokens]}
        scheduler_flags["tls"] = [*scheduler_flags["tokens"],
                                  *tls.server_flags()]
        self.where = {}
        for kind in KINDS:
            # How fast the disk is, is another question.
            scheduler = self.scheduler(*scheduler_flags[kind], "--durability",
                                       "os", name=kind)
            common = ["--tls-ca", tls.ca] if kind == "tls" else []
            shown = [] if kind == "plain" else [*common, "--token-file"]
            for number in (1, 2):
                self.worker(scheduler.address, *(shown and [*shown, worker]),
                            name=f"worker-{kind}{number}").await_ready()
            self.where[kind] = ["--scheduler", scheduler.address,
                                *(shown and [*shown, admin])]

    def measure(self, bench, options, kind):
        said = json.loads(secured.ok(secured.shell(
            "bench", bench, *options, *self.where[kind], timeout=120)))
        return said[NUMBERS[bench]]

    def connect(self, kind):
        """Milliseconds of a whole command with one connection and one call."""
        start = time.monotonic()
        secured.ok(secured.shell("job", "list", *self.where[kind]))
        return (time.monotonic() - start) * 1e3


def summary(runs, better_is_more):
    median = {kind: statistics.median(values) for kind, values in runs.items()}
    ratio = {kind: (median[kind] / median["plain"] if better_is_more else
                    median["plain"] / median[kind])
             for kind in KINDS if kind != "plain"}
    return {"median": median, "runs": runs, "speed_relative_to_plain": ratio}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--tasks", type=int, default=5_000_000)
    parser.add_argument("--rounds", type=int, default=500)
    parser.add_argument("--mib", type=int, default=256)
    parser.add_argument("--out", type=pathlib.Path)
    a = parser.parse_args()
    services = Services()
    try:
        benches = {"tasks": ["--tasks", a.tasks, "--submit-tasks", 0],
                   "latency": ["--rounds", a.rounds],
                   "spool": ["--mib", a.mib]}
        runs = {name: {kind: [] for kind in KINDS}
                for name in (*benches, "connect_ms")}
        for turn in range(a.repeats):
            # In turn, and not always in the same order, so that whatever slows
            # one slows all.
            order = [KINDS[(turn + i) % len(KINDS)] for i in range(len(KINDS))]
            for name, options in benches.items():
                for kind in order:
                    runs[name][kind].append(
                        services.measure(name, options, kind))
            for kind in order:
                runs["connect_ms"][kind].append(services.connect(kind))
        result = {"schema": 1, "bench": "security"}
        for name, values in runs.items():
            result[NUMBERS.get(name, name)] = summary(
                values, name in ("tasks", "spool"))
    finally:
        services.doCleanups()
    text = json.dumps(result, indent=1)
    print(text)
    if a.out:
        a.out.write_text(text + "\n")


if __name__ == "__main__":
    main()
