#!/usr/bin/python3
"""Measures what a job's workers spend their processor time on, with perf. One
command:

    tests/bench/job_share_bench.py --function harmonic --out job_share_bench.json

makes a compressed cube (--megabytes, raw; --sample FILE repeats the pixels of a
small cube, with noise, instead of simulating them; --cube FILE takes one that is
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

import h5py
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("INTERNODE_BIN_DIR",
                                  ROOT / "build" / "release" / "bin"))
DATES = 400
# Raw bytes of a pixel: seven bands of int16 and one of uint8.
PIXEL_BYTES = DATES * 15
TILE = 50
# What a pixel of a sample differs by from its repetitions: as neighbours do
# under the same cover, in units of 0.0001 reflectance.
NOISE = 15
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
    # Out of functions that lay their stack anew for wide registers, perf does
    # not find the way: CCDC's. Nobody else here sets memory to zero.
    if len(frames) == 1 and frames[0][0].startswith("__memset"):
        return "function"
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
    job = [BIN / "internode", "run", function, cube, "-o", folder / "out.nc",
           "--overwrite", "-q", "--progress", "none", *options]
    # Once before: the file is in the system's memory then, and what a virtual
    # machine lacks of its own has been fetched.
    subprocess.run(job, check=True, stdout=subprocess.DEVNULL)
    start = time.perf_counter()
    # Whole calls, of which the stack's first 4 KiB tell enough.
    subprocess.run(
        ["perf", "record", "-q", "-F", "199", "--call-graph", "dwarf,4096",
         "-o", data, *job],
        check=True, stdout=subprocess.DEVNULL)
    seconds = time.perf_counter() - start
    with subprocess.Popen(
            ["perf", "script", "-i", data, "-F", "pid,ip,sym,dso"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True) as script:
        found = shares(script.stdout)
    return {"wall_seconds": seconds, **found}


def side_of(megabytes, pixel_bytes):
    pixels = megabytes * 1e6 / pixel_bytes
    return max(TILE, round(math.sqrt(pixels) / TILE) * TILE)


def simulate(path, megabytes):
    side = side_of(megabytes, PIXEL_BYTES)
    subprocess.run([BIN / "internode", "simulate", path, "--size",
                    f"y={side},x={side}", "--dates", str(DATES),
                    "--storage-chunks", f"y={TILE},x={TILE}", "-q"], check=True)


def repeat(sample, path, megabytes):
    """A cube of the pixels of `sample` again and again; what is missing in it,
    and what is no band, stays as it is."""
    random = np.random.default_rng(7)
    with h5py.File(sample) as source, h5py.File(path, "w") as cube:
        numbers = {name: data[...] for name, data in source.items()
                   if data.shape and len(data.shape) == 3}
        dates = source["time"].shape[0]
        side = side_of(megabytes, sum(data[:, 0, 0].nbytes
                                      for data in numbers.values()))
        for name, data in (("time", source["time"][...]),
                           ("y", np.arange(side) * -30.0),
                           ("x", np.arange(side) * 30.0)):
            cube.create_dataset(name, data=data).make_scale(name)
        for key in ("units", "calendar"):
            cube["time"].attrs[key] = source["time"].attrs[key]
        for name, data in numbers.items():
            variable = cube.create_dataset(
                name, (dates, side, side), data.dtype,
                chunks=(dates, TILE, TILE), compression=4, shuffle=True)
            for d, dim in enumerate(("time", "y", "x")):
                variable.dims[d].attach_scale(cube[dim])
            for begin in np.ndindex(side // TILE, side // TILE):
                y, x = (np.arange(b * TILE, (b + 1) * TILE) for b in begin)
                tile = data[:, (y % data.shape[1])[:, None], x % data.shape[2]]
                if name not in ("cfmask", "qa"):
                    noise = np.rint(random.normal(0, NOISE, tile.shape))
                    tile = np.where(tile > -9999, tile + noise, tile)
                variable[:, y[0]:y[-1] + 1, x[0]:x[-1] + 1] = tile


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", help="a file for the JSON too")
    parser.add_argument("--function", default="harmonic")
    parser.add_argument("--megabytes", type=int, default=2147)
    cubes = parser.add_mutually_exclusive_group()
    cubes.add_argument("--cube", help="a file that is there")
    cubes.add_argument("--sample", help="a small cube, to be repeated")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="internode_job_share.") as name:
        folder = pathlib.Path(name)
        cube = arguments.cube or folder / "cube.nc"
        if arguments.sample:
            repeat(arguments.sample, cube, arguments.megabytes)
        elif not arguments.cube:
            simulate(cube, arguments.megabytes)
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
