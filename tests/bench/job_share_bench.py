#!/usr/bin/python3
"""Measures what a job's workers spend their processor time on, with perf. One
command:

    tests/bench/job_share_bench.py --function harmonic --out job_share_bench.json

makes a compressed cube (--megabytes, raw; or --cube FILE takes one that is
there), runs the function over it with two worker processes of one thread and
with one of two threads, and prints, and writes, one JSON value: for each the
shares of the samples of the worker processes that fell into the function, into
decompression, into reading without decompression (`pread`, the turn to pixels),
and into all else, start and end included; and the symbols that take most of the
last two. Needs perf, and binaries with symbols.
"""

import argparse
import collections
import json
import math
import os
import pathlib
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
DECOMPRESSION = ("InflateStream", "PairInflater", "::TakeTwo", "::TakeOne",
                 "::BuildLiteralTable", "::BuildDistanceTable",
                 "::BuildLengthTable", "::cube::(anonymous namespace)::Fill")
READING = ("internode::cube::", "internode::core::Block")
KERNEL_READING = ("copy_to_iter", "filemap", "pread", "fadvise", "ext4_file_read",
                  "xas_", "folio_mark_accessed", "vfs_read")


def kind(library, symbol):
    """Which share a sample belongs to."""
    if "libdeflate" in library or "libz.so" in library:
        return "decompression"
    if any(name in symbol for name in DECOMPRESSION):
        return "decompression"
    if "internode::functions::" in symbol or "libm.so" in library:
        return "function"
    if any(name in symbol for name in READING):
        return "reading"
    if "kernel" in library and any(name in symbol for name in KERNEL_READING):
        return "reading"
    return "other"


def shares(report):
    """Of `perf report`: samples;process;library;symbol."""
    samples = []
    for line in report.splitlines():
        parts = [part.strip() for part in line.split(";", 3)]
        if len(parts) == 4 and parts[0].isdigit():
            samples.append((int(parts[0]), *parts[1:]))
    workers = {process for _, process, library, _ in samples
               if library == "internode-worker"}
    total = {"function": 0, "decompression": 0, "reading": 0, "other": 0}
    parts = collections.Counter()
    for count, process, library, symbol in samples:
        if process not in workers:
            continue
        which = kind(library, symbol)
        total[which] += count
        if which in ("reading", "other"):
            parts[which, library, symbol[:120]] += count
    everything = max(1, sum(total.values()))
    return {"samples": everything,
            "percent": {k: 100 * n / everything for k, n in total.items()},
            "top": [{"percent": 100 * count / everything, "kind": which,
                     "library": library, "symbol": symbol}
                    for (which, library, symbol), count in parts.most_common(15)]}


def measure(cube, folder, function, options):
    data = folder / "perf.data"
    start = time.perf_counter()
    subprocess.run(
        ["perf", "record", "-q", "-F", "999", "-o", data, BIN / "internode",
         "run", function, cube, "-o", folder / "out.nc", "--overwrite", "-q",
         "--progress", "none", *options],
        check=True, stdout=subprocess.DEVNULL)
    seconds = time.perf_counter() - start
    report = subprocess.run(
        ["perf", "report", "-i", data, "--no-children", "--stdio", "-t", ";",
         "-F", "sample,pid,dso,sym"], check=True, capture_output=True,
        text=True)
    return {"wall_seconds": seconds, **shares(report.stdout)}


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
