#!/usr/bin/python3
"""Measures what a job's workers spend their processor time on, with perf. One
command:

    tests/bench/job_share_bench.py --function harmonic --out job_share_bench.json

makes a compressed cube (--megabytes, raw; or --cube FILE takes one that is
there), runs the function over it with two worker processes of one thread and
with one of two threads, and prints, and writes, one JSON value: for each the
shares of the samples of the worker processes that fell into the function, into
decompression, into reading without decompression (`pread`, the turn to pixels),
and into all else, start and end included; and the calls that take most of the
last two. Needs perf, and binaries with symbols.
"""

import argparse
import collections
import json
import math
import os
import pathlib
import re
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("INTERNODE_BIN_DIR",
                                  ROOT / "build" / "release" / "bin"))
DATES = 400
# Raw bytes of a pixel: seven bands of int16 and one of uint8.
PIXEL_BYTES = DATES * 15
SHAPES = {"2 processes x 1 thread": ["--nprocs", "2", "--nthreads", "1"],
          "1 process x 2 threads": ["--nprocs", "1", "--nthreads", "2"]}
# What is in a function's name or library says whose time it is.
DECOMPRESSION = ("libdeflate.so", "libz.so", "internode::cube::InflateStream",
                 "internode::cube::PairInflater", "TakeTwo", "TakeOne",
                 "internode::cube::Build",
                 "internode::cube::(anonymous namespace)::Fill")
KINDS = (("decompression", DECOMPRESSION),
         ("other", ("internode::functions::TaskRunner",)),
         ("function", ("internode::functions::",)),
         ("reading", ("internode::cube::", "internode::core::Block")))
FRAME = re.compile(r"^\s+[0-9a-f]+ (.*) \((.*)\)$")


def kind(frames):
    """Which share a sample belongs to: that of the innermost call that says
    so, so that what a function copies or sorts is its own."""
    for symbol, library in frames:
        for which, names in KINDS:
            if any(name in symbol or name in library for name in names):
                return which
    return "other"


def samples(script):
    """Of `perf script`: process, and the calls from the innermost one on."""
    process, frames = None, []
    for line in script:
        line = line.rstrip("\n")
        if not line:
            if process is not None:
                yield process, frames
            process, frames = None, []
        elif not line[0].isspace() or process is None:
            process = line.split()[-1]
        else:
            found = FRAME.match(line)
            if found:
                frames.append(found.groups())
    if process is not None:
        yield process, frames


def shares(script):
    found = list(samples(script))
    workers = {process for process, frames in found
               if any("internode-worker" in library for _, library in frames)}
    total = collections.Counter()
    parts = collections.Counter()
    for process, frames in found:
        if process not in workers:
            continue
        which = kind(frames)
        total[which] += 1
        if which in ("reading", "other"):
            # Enough to see whose it is.
            parts[which, " < ".join(symbol[:60] for symbol, _ in frames[:3])] += 1
    everything = max(1, sum(total.values()))
    return {"samples": everything,
            "percent": {k: 100 * total[k] / everything
                        for k in ("function", "decompression", "reading",
                                  "other")},
            "top": [{"percent": 100 * count / everything, "kind": which,
                     "calls": calls}
                    for (which, calls), count in parts.most_common(25)]}


def measure(cube, folder, function, options):
    data = folder / "perf.data"
    start = time.perf_counter()
    # Whole calls, of which the stack's first 4 KiB tell enough.
    subprocess.run(
        ["perf", "record", "-q", "-F", "199", "--call-graph", "dwarf,4096",
         "-o", data, BIN / "internode",
         "run", function, cube, "-o", folder / "out.nc", "--overwrite", "-q",
         "--progress", "none", *options],
        check=True, stdout=subprocess.DEVNULL)
    seconds = time.perf_counter() - start
    with subprocess.Popen(
            ["perf", "script", "-i", data, "-F", "pid,ip,sym,dso"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True) as script:
        found = shares(script.stdout)
    return {"wall_seconds": seconds, **found}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", help="a file for the JSON too")
    parser.add_argument("--function", default="harmonic")
    parser.add_argument("--megabytes", type=int, default=2147)
    parser.add_argument("--cube", help="a file that is there")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="internode_job_share.") as name:
        folder = pathlib.Path(name)
        cube = arguments.cube
        if not cube:
            side = max(50, round(math.sqrt(arguments.megabytes * 1e6
                                           / PIXEL_BYTES) / 50) * 50)
            cube = folder / "cube.nc"
            subprocess.run([BIN / "internode", "simulate", cube, "--size",
                            f"y={side},x={side}", "--dates", str(DATES),
                            "--storage-chunks", "y=50,x=50", "-q"], check=True)
        result = {"schema": 1, "bench": "job_share",
                  "function": arguments.function,
                  "runs": {shape: measure(cube, folder, arguments.function,
                                          options)
                           for shape, options in SHAPES.items()}}
    text = json.dumps(result, indent=1)
    print(text)
    if arguments.out:
        pathlib.Path(arguments.out).write_text(text + "\n")


if __name__ == "__main__":
    main()
