#!/usr/bin/python3
"""Measures what a job's workers spend their processor time on, with perf. One
command:

    tests/bench/job_share_bench.py --function harmonic --out job_share_bench.json

makes a compressed cube (--megabytes, raw; --sample FILE repeats the pixels of a
small cube, with noise, instead of simulating them; --cube FILE takes one that is
there), runs the function over it on a scheduler and a worker that are up, with
two worker processes of one thread and with one of two threads, and prints, and
writes, one JSON value: for each the shares of the samples of the worker that
fell into the function, into decompression, into reading without decompression
(`pread`, the turn to pixels), and into all else; and the calls that take most of
the last two. --repeats: so many jobs each, of which the medians are given too.
Beside them, in percent of the job's processor time: what it took the worker to
start, and what the file takes that is read with plain `pread` after the job: no
reader can have its bytes for less. Needs perf, and binaries with symbols.
"""

import argparse
import collections
import json
import math
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

import h5py
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "support")]
os.environ.setdefault("INTERNODE_BIN_DIR",
                      str(ROOT / "build" / "release" / "bin"))

import cluster  # noqa: E402
import processes  # noqa: E402
from processes import BIN  # noqa: E402

DATES = 400
# Raw bytes of a pixel: seven bands of int16 and one of uint8.
PIXEL_BYTES = DATES * 15
TILE = 50
# What a pixel of a sample differs by from its repetitions: as neighbours do
# under the same cover, in units of 0.0001 reflectance.
NOISE = 15
SHAPES = {"2 processes x 1 thread": {"nworkers": 2, "nthreads": 1},
          "1 process x 2 threads": {"nworkers": 1, "nthreads": 2}}
# As much is read together by the reader of storage chunks, at the most.
READ_BYTES = 1 << 20
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
    """Of `perf script`: of each sample the calls, from the innermost one on."""
    frames = None
    for line in script:
        found = FRAME.match(line.rstrip("\n"))
        if found:
            frames.append(found.groups())
        elif line.strip():
            frames = []
        elif frames is not None:
            yield frames
            frames = None
    if frames is not None:
        yield frames


def shares(script):
    total = collections.Counter()
    parts = collections.Counter()
    for frames in samples(script):
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


def pread_seconds(path):
    """Processor time of reading all of a file into the same memory."""
    memory = bytearray(READ_BYTES)
    start = time.process_time()
    with open(path, "rb", buffering=0) as file:
        while file.readinto(memory):
            pass
    return time.process_time() - start


def settle(path):
    """Has the system's memory hold a file as it holds one that it has read,
    and not as one that was just written, bit by bit."""
    with open(path, "rb") as file:
        os.fsync(file)
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    pread_seconds(path)


class Jobs:
    """Jobs of one function on daemons that are up."""

    def __init__(self, service, cube, function):
        self.pids = [pid for worker in service.workers
                     for pid in (worker.pid, *worker.pids())]
        self.start_seconds = self.cpu_seconds()
        self.folder = service.folder
        self.cube = cube
        self.job = [BIN / "internode", "run", function, cube, "--scheduler",
                    service.address, "-o", self.folder / "out.nc",
                    "--overwrite", "-q", "--progress", "none"]
        settle(cube)

    def run(self, command):
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL,
                       env=processes.environment())

    def cpu_seconds(self):
        return sum(map(processes.cpu_seconds, self.pids))

    def measure(self):
        data = self.folder / "perf.data"
        # Once just before: the worker has the memory of its blocks then. That
        # of a virtual machine, the host takes back when it is free for seconds,
        # and to get it again would be counted as the job's work.
        self.run(self.job)
        cpu = self.cpu_seconds()
        start = time.perf_counter()
        # Whole calls, of which the stack's first 4 KiB tell enough.
        self.run(["perf", "record", "-q", "-F", "199", "--call-graph",
                  "dwarf,4096", "-p", ",".join(map(str, self.pids)), "-o", data,
                  "--", *self.job])
        seconds = time.perf_counter() - start
        cpu = self.cpu_seconds() - cpu
        with subprocess.Popen(
                ["perf", "script", "-i", data, "-F", "pid,ip,sym,dso"],
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                text=True) as script:
            found = shares(script.stdout)
        return {"wall_seconds": seconds, "cpu_seconds": cpu,
                "start_percent": 100 * self.start_seconds / cpu,
                "pread_percent": 100 * pread_seconds(self.cube) / cpu, **found}


def measure(cube, folder, function, shape, repeats):
    folder.mkdir()
    with cluster.Cluster(folder, **shape) as service:
        jobs = Jobs(service, cube, function)
        runs = [jobs.measure() for _ in range(repeats)]
    rest = [run["percent"]["reading"] + run["percent"]["other"] for run in runs]
    return {"median_percent": {
                **{k: statistics.median(run["percent"][k] for run in runs)
                   for k in runs[0]["percent"]},
                "reading and other": statistics.median(rest)},
            "median_start_percent": statistics.median(
                run["start_percent"] for run in runs),
            "median_pread_percent": statistics.median(
                run["pread_percent"] for run in runs),
            "reading_and_other": rest,
            "runs": runs}


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
    parser.add_argument("--repeats", type=int, default=1)
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
        result = {"schema": 2, "bench": "job_share",
                  "function": arguments.function,
                  "shapes": {name: measure(cube, folder / name[0],
                                           arguments.function, shape,
                                           arguments.repeats)
                             for name, shape in SHAPES.items()}}
    text = json.dumps(result, indent=1)
    print(text)
    if arguments.out:
        pathlib.Path(arguments.out).write_text(text + "\n")


if __name__ == "__main__":
    main()
