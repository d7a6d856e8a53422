"""What the tests of cubes by all kinds of writers share: cubes of random
numbers, and what cube_dump says of them."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import warnings

import numpy as np

warnings.simplefilter("ignore")

DUMP = os.path.join(os.environ["INTERNODE_BIN_DIR"], "cube_dump")
RNG = np.random.default_rng(7)
BANDS = ["blue", "green", "red", "nir"]
SIZES = {"time": 13, "y": 7, "x": 9, "band": 4, "sample_id": 21}
FOLDER = tempfile.mkdtemp(prefix="internode_cube_writers.")


def path_of(name):
    return os.path.join(FOLDER, name)


def numbers(dims, dtype="i2"):
    shape = [SIZES[d] for d in dims]
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return RNG.normal(size=shape).astype(dtype)
    info = np.iinfo(dtype)
    return RNG.integers(info.min, info.max, size=shape, dtype=dtype.newbyteorder("="),
                        endpoint=True).astype(dtype)


def run(path, *args):
    out = subprocess.run([DUMP, path, *args], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True)
    assert out.returncode in (0, 1), (args, out.returncode, out.stderr)
    if out.returncode:
        return out.stderr
    return json.loads(out.stdout)


def describe(path, *args):
    info = run(path, *args)
    assert isinstance(info, dict), info
    info["by_name"] = {v["name"]: v for v in info["variables"]}
    return info


def dims_of(variable):
    return [name for name, _ in variable["dims"]]


def check_data(path, arrays, core, noncore, select=None, args=()):
    """`arrays`: name -> (dims, numbers as stored, in native byte order)."""
    sizes = {}
    for dims, data in arrays.values():
        sizes.update(zip(dims, data.shape))
    select = select or {d: (0, sizes[d]) for d in noncore}
    data_path = path_of("block.bin")
    info = run(path, "--variables", ",".join(arrays), "--core-dims",
               ",".join(core), "--noncore-dims", ",".join(noncore),
               "--begin", ",".join(str(select[d][0]) for d in noncore),
               "--end", ",".join(str(select[d][1]) for d in noncore),
               "--data", data_path, *args)
    assert isinstance(info, dict), info
    block = info["block"]
    pixels = [select[d][1] - select[d][0] for d in noncore]
    raw = np.fromfile(data_path, "u1").reshape(-1, block["pixel_stride"])
    assert len(raw) == np.prod(pixels) == block["num_pixels"]
    assert len(block["series"]) >= len(arrays)
    for series in block["series"]:
        dims, data = arrays[series["variable"]]
        dims = list(dims)
        for d in noncore:
            if d in dims:
                data = data.take(range(*select[d]), axis=dims.index(d))
        if series["band"] >= 0:
            axis = dims.index(info["band_dim"])
            data = data.take(series["band"], axis=axis)
            dims.pop(axis)
        own_core = [d for d in core if d in dims]
        order = [d for d in noncore if d in dims] + own_core
        data = data.transpose([dims.index(d) for d in order])
        # Repeated along the dimensions that it lacks.
        shape = [n if d in dims else 1 for d, n in zip(noncore, pixels)]
        tail = data.shape[data.ndim - len(own_core):]
        data = np.broadcast_to(data.reshape(shape + list(tail)),
                               list(pixels) + list(tail))
        want = np.ascontiguousarray(data).reshape(len(raw), -1)
        dtype = np.dtype(series["dtype"])
        got = raw[:, series["offset"]:series["offset"]
                  + series["count"] * dtype.itemsize].copy().view(dtype)
        assert dtype == want.dtype.newbyteorder("<"), (dtype, want.dtype)
        assert got.tobytes() == want.astype(dtype).tobytes(), series
    return info


def check_all(path, arrays, core=("time",), noncore=("y", "x"), args=()):
    """Whole, a part that cuts storage chunks, and one pixel."""
    check_data(path, arrays, core, noncore, args=args)
    sizes = {}
    for dims, data in arrays.values():
        sizes.update(zip(dims, data.shape))
    check_data(path, arrays, core, noncore, args=args, select={
        d: (1, sizes[d] - 1) for d in noncore})
    check_data(path, arrays, core, noncore, args=args, select={
        d: (sizes[d] - 1, sizes[d]) for d in noncore})


def run_tests(names):
    """Runs the tests of a module, whose globals() are `names`."""
    try:
        for name, test in list(names.items()):
            if name.startswith("test_"):
                test()
                print("ok", name, file=sys.stderr)
    finally:
        shutil.rmtree(FOLDER)
