#!/usr/bin/python3
"""Measures how fast blocks are read, for the layouts that cubes come in, beside
h5py and netCDF4-python in the same run. One command:

    tests/bench/read_bench.py --out read_bench.json

prints, and writes, one JSON value: for each layout and shape of tasks the
figures of `internode bench read` and of the peers, and the ratios. The cubes
are made by `internode simulate` in a temporary folder, and are read from
memory; all deliver pixel by pixel, as functions take it. --megabytes says how
large a cube is, raw.
"""

import argparse
import json
import math
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import time

import h5py
import netCDF4
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("INTERNODE_BIN_DIR",
                                  ROOT / "build" / "release" / "bin"))
BANDS = ["blue", "green", "red", "nir", "swir1", "swir2", "thermal", "cfmask"]
DATES = 400
# Raw bytes of a pixel: seven bands of int16 and one of uint8.
PIXEL_BYTES = DATES * 15


def internode(*args):
    done = subprocess.run([BIN / "internode", *map(str, args)], check=True,
                          stdout=subprocess.PIPE)
    return done.stdout


def simulate(path, side, chunks, *options):
    internode("simulate", path, "--size", f"y={side},x={side}", "--dates",
              DATES, "--storage-chunks", chunks, "-q", *options)


def tasks(side, y, x):
    for y0 in range(0, side, y):
        for x0 in range(0, side, x):
            yield slice(y0, min(side, y0 + y)), slice(x0, min(side, x0 + x))


def read_peer(open_file, side, y, x):
    """Seconds of the wall clock and of the processor to read all tasks pixel
    by pixel, and the bytes."""
    size = 0
    with open_file() as f:
        variables = [f[name] for name in BANDS]
        start, cpu = time.perf_counter(), time.process_time()
        for rows, columns in tasks(side, y, x):
            for variable in variables:
                block = variable[:, rows, columns]
                size += np.ascontiguousarray(block.transpose(1, 2, 0)).nbytes
        return time.perf_counter() - start, time.process_time() - cpu, size


def netcdf(path):
    f = netCDF4.Dataset(path)
    f.set_auto_maskandscale(False)
    return f


def peers(path, side, y, x, repeat):
    """Rates in MB/s of those that can read the file."""
    rates = {}
    for name, open_file in (("h5py", lambda: h5py.File(path)),
                            ("netcdf4", lambda: netcdf(path))):
        try:
            runs = [read_peer(open_file, side, y, x) for _ in range(repeat)]
        except (OSError, RuntimeError) as error:
            rates[name] = {"error": str(error)}
            continue
        rates[name] = {
            "mb_per_s": max(size / s for s, _, size in runs) / 1e6,
            "mb_per_cpu_s": max(size / cpu for _, cpu, size in runs) / 1e6}
    return rates


def measure(path, side, chunks, threads, repeat):
    text = ",".join(f"{d}={n}" for d, n in zip("yx", chunks))
    result = json.loads(internode(
        "bench", "read", path, "--chunks", text, "--threads", threads,
        "--repeat", repeat, "--variables", ",".join(BANDS)))
    result["peers"] = peers(path, side, *chunks, repeat)
    fast, library = (next(r for r in result["runs"] if r["method"] == method
                          and r["threads"] == 1)
                     for method in ("fast", "library"))
    # By processor time, for which other programs count less.
    result["ratios_by_cpu"] = {
        "library": library["cpu_s"] / fast["cpu_s"],
        **{name: result["bytes"] / fast["cpu_s"] / 1e6 / peer["mb_per_cpu_s"]
           for name, peer in result["peers"].items()
           if "mb_per_cpu_s" in peer}}
    del result["path"]
    return result


def layouts(folder, side):
    """Name -> (file, shapes of tasks)."""
    tiles = {
        "(400,10,10)": ("y=10,x=10", [(10, 10), (1, side)]),
        "(400,50,50)": ("y=50,x=50", [(50, 50), (1, side), (30, 30)]),
        "(64,64,64)": ("time=64,y=64,x=64", [(64, 64)]),
        f"(1,{side},{side})": (f"time=1,y={side},x={side}",
                               [(25, side), (5, side)]),
    }
    for name, (chunks, shapes) in tiles.items():
        path = folder / "cube.nc"
        simulate(path, side, chunks, "--overwrite")
        yield name, path, shapes
    path = folder / "raw.nc"
    simulate(path, side, "y=50,x=50", "--deflate", 0)
    yield "(400,50,50) not compressed", path, [(50, 50), (10, 10)]
    rows = folder / "rows.nc"
    internode("cube", "rechunk", path, rows, "--storage-chunks",
              f"time=1,y=8,x={side}", "-q", "--deflate", 4)
    yield f"(1,8,{side})", rows, [(8, side)]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", help="a file for the JSON too")
    parser.add_argument("--megabytes", type=int, default=240)
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--only", default="",
                        help="layouts whose name holds this")
    arguments = parser.parse_args()
    side = max(50, round(math.sqrt(arguments.megabytes * 1e6 / PIXEL_BYTES)
                         / 50) * 50)
    measured = {}
    with tempfile.TemporaryDirectory(prefix="internode_read_bench.") as folder:
        for name, path, shapes in layouts(pathlib.Path(folder), side):
            if arguments.only not in name:
                continue
            for shape in shapes:
                key = f"{name} by {shape[0]}x{shape[1]}"
                measured[key] = measure(path, side, shape, arguments.threads,
                                        arguments.repeat)
                print(key, json.dumps(measured[key]["ratios_by_cpu"]),
                      file=sys.stderr)
    result = {"schema": 1, "bench": "read", "machine": platform.processor(),
              "cores": os.cpu_count(), "side": side, "dates": DATES,
              "layouts": measured}
    text = json.dumps(result, indent=1)
    if arguments.out:
        pathlib.Path(arguments.out).write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
