"""Cubes by h5py: described and read as NumPy has them."""

import os
import pathlib
import shutil
import subprocess
import unittest.mock

import h5py
import netCDF4
import numpy as np

from cube_checks import (BANDS, RNG, SIZES, check_all, check_data, describe,
                         dims_of, numbers, path_of, run, run_tests)


# --- h5py -----------------------------------------------------------------

def test_h5py_scales():
    for libver in ("earliest", "latest"):
        path = path_of(f"scales_{libver}.h5")
        arrays = {}
        with h5py.File(path, "w", libver=libver) as f:
            for d in ("time", "y", "x"):
                f[d] = np.arange(SIZES[d], dtype="f8")
                f[d].make_scale("called otherwise")
            f["time"].attrs["units"] = "days since 2000-01-01"
            for i, name in enumerate(BANDS):
                data = numbers(("time", "y", "x"), ["i2", ">i4", ">f8", "u2"][i])
                maxshape = [None, (None, 7, 9), (None, None, None),
                            (13, 7, 9)][i]
                v = f.create_dataset(name, data=data, chunks=(4, 3, 2),
                                     maxshape=maxshape, compression=[
                                         None, "gzip", "gzip", None][i])
                for k, d in enumerate(("time", "y", "x")):
                    v.dims[k].attach_scale(f[d])
                arrays[name] = (("time", "y", "x"),
                                data.astype(data.dtype.newbyteorder("=")))
        info = describe(path)
        assert info["format"] == "HDF5"
        assert set(info["by_name"]) == set(BANDS)
        assert info["dims"] == [["time", 13], ["y", 7], ["x", 9]]
        assert info["time"]["days"][0] == 10957
        check_all(path, arrays)


def test_h5py_plain():
    path = path_of("plain.h5")
    dims = ("time", "y", "x")
    with h5py.File(path, "w") as f:
        cube = numbers(dims)
        mask = numbers(("y", "x"), "u1")
        f["cube"] = cube
        f["mask"] = mask
        f["time"] = np.arange(13)
        f["time"].attrs["units"] = np.bytes_("days since 1980-01-01")
        f["half"] = numbers(dims, "f4").astype("f2")
        f["flag"] = np.zeros((13, 7, 9), bool)
        f["pair"] = np.zeros((13,), [("a", "i4"), ("b", "f4")])
        f["complex"] = np.zeros((7,), "c8")
        f["nothing"] = h5py.Empty("f4")
        f["scalar"] = 3
        f["outside"] = h5py.ExternalLink("other.h5", "/x")
        f["alias"] = h5py.SoftLink("/cube")
        f["dangling"] = h5py.SoftLink("/nowhere")
    names = ("--dimension-names", "time,y,x")
    info = describe(path, *names)
    assert set(info["by_name"]) == {"cube", "mask"}
    assert dims_of(info["by_name"]["mask"]) == ["y", "x"]
    assert info["time"]["days"][0] == 3652
    for name, reason in {"half": "16-bit floats", "flag": "enumeration",
                         "pair": "compounds", "complex": "compounds",
                         "nothing": "nothing", "scalar": "no dimensions",
                         "outside": "another file"}.items():
        assert reason in info["skipped"][name], (name, info["skipped"])
    check_all(path, {"cube": (dims, cube), "mask": (("y", "x"), mask)},
              args=names)
    check_all(path, {"cube": (dims, cube)},
              args=("--dimension-names", "cube=time,y,x"))
    unnamed = describe(path)["by_name"]
    phony = dims_of(unnamed["cube"])
    assert len(set(phony)) == 3 and all(d.startswith("phony_dim_") for d in phony)
    assert dims_of(unnamed["mask"]) == phony[1:]
    for bad, hint in {"cubo=time,y,x": "did you mean", "cube=y,x": "3 dim",
                      "a,b,c,d": "no variable has", "time,,x": "not a list",
                      "time,time,x": "not a list"}.items():
        error = run(path, "--dimension-names", bad)
        assert isinstance(error, str) and hint in error, (bad, error)


def test_newer_form():
    """A variable in a form that the library is too old for keeps nobody from
    the others."""
    path = path_of("newer.h5")
    dims = ("time", "y", "x")
    data = numbers(dims)
    with h5py.File(path, "w") as f:
        for name in ("old", "new"):
            made = f.create_dataset(name, data=data, chunks=(13, 2, 3),
                                    compression=1, track_times=False)
        header = h5py.h5o.get_info(made.id).addr
    contents = bytearray(pathlib.Path(path).read_bytes())
    # Data layout: version 3, chunked, of four dimensions with the element.
    layout = contents.index(b"\x03\x02\x04", header)
    contents[layout] = 5
    pathlib.Path(path).write_bytes(contents)
    names = ("--dimension-names", "time,y,x")
    # The library loses 64 bytes whenever it refuses a layout.
    options = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
    with unittest.mock.patch.dict(os.environ, ASAN_OPTIONS=options):
        info = describe(path, *names)
        check_all(path, {"old": (dims, data)}, args=names)
    assert set(info["by_name"]) == {"old"}
    assert "newer than this HDF5 library" in info["skipped"]["new"], info
    assert "layout message" in info["skipped"]["new"], info


def test_h5py_labels():
    path = path_of("labels.h5")
    with h5py.File(path, "w") as f:
        data = numbers(("time", "y", "x"))
        f["a"] = data
        for i, d in enumerate(("time", "y", "x")):
            f["a"].dims[i].label = d
        f["names"] = ["x"] * 3
    assert dims_of(describe(path)["by_name"]["a"]) == ["time", "y", "x"]
    check_all(path, {"a": (("time", "y", "x"), data)})


def test_h5py_string_bands():
    for kind, labels in {"vlen": BANDS, "fixed": np.array(BANDS, "S7")}.items():
        path = path_of(f"bands_{kind}.h5")
        order = ("wave", "time", "y", "x")
        SIZES["wave"] = 4
        with h5py.File(path, "w") as f:
            f["wave"] = labels
            f["wave"].make_scale()
            data = numbers(order)
            v = f.create_dataset("image", data=data, chunks=(2, 13, 3, 3),
                                 compression="gzip")
            v.dims[0].attach_scale(f["wave"])
            for i, d in enumerate(order):
                v.dims[i].label = d
        info = describe(path)
        assert info["coordinates"]["wave"]["labels"] == BANDS
        assert info["band_dim"] == "wave"
        check_all(path, {"image": (order, data)}, core=("wave", "time"))


def test_h5py_storage():
    """Partly written, never written, filled never, compact, virtual."""
    path = path_of("storage.h5")
    dims = ("time", "y", "x")
    shape = (13, 7, 9)
    arrays = {}
    with h5py.File(path, "w") as f:
        for time_of_fill in (h5py.h5d.FILL_TIME_IFSET,
                             h5py.h5d.FILL_TIME_NEVER,
                             h5py.h5d.FILL_TIME_ALLOC):
            for written in (0, 5, 13):
                name = f"fill{time_of_fill}_{written}"
                plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
                plist.set_chunk((5, 3, 4))
                plist.set_fill_value(np.array(-7, "i2"))
                plist.set_fill_time(time_of_fill)
                space = h5py.h5s.create_simple(shape)
                dataset = h5py.Dataset(h5py.h5d.create(
                    f.id, name.encode(), h5py.h5t.STD_I16LE, space, plist))
                data = np.full(shape, -7, "i2")
                if written:
                    # Whole storage chunks, so that nothing in them is open.
                    data[:written] = numbers(dims)[:written]
                    dataset[:written] = data[:written]
                arrays[name] = (dims, data)
        f.create_dataset("never", shape, "i2")
        arrays["never"] = (dims, np.zeros(shape, "i2"))
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_layout(h5py.h5d.COMPACT)
        data = numbers(dims)
        h5py.h5d.create(f.id, b"compact", h5py.h5t.STD_I16LE,
                        h5py.h5s.create_simple(shape), plist).write(
                            h5py.h5s.ALL, h5py.h5s.ALL, data)
        arrays["compact"] = (dims, data)
        layout = h5py.VirtualLayout(shape, "i2")
        layout[:6] = h5py.VirtualSource(path_of("source.h5"), "s", shape)[:6]
        layout[6:] = h5py.VirtualSource(path_of("source.h5"), "s", shape)[6:]
        f.create_virtual_dataset("virtual", layout, fillvalue=-3)
        data = numbers(dims)
        with h5py.File(path_of("source.h5"), "w") as g:
            g["s"] = data
        arrays["virtual"] = (dims, data)
        f.create_dataset("scaleoffset", data=np.abs(data // 2),
                         scaleoffset=0, chunks=(5, 5, 5))
        arrays["scaleoffset"] = (dims, np.abs(data // 2))
        f.create_dataset("lzf", data=data, compression="lzf")
    names = ("--dimension-names", "time,y,x")
    info = describe(path, *names)
    storage = {k: v["storage"] for k, v in info["by_name"].items()}
    assert storage["compact"] == "compact" and storage["virtual"] == "virtual"
    assert storage["never"] == "contiguous"
    check_all(path, arrays, args=names)
    error = run(path, *names, "--variables", "lzf", "--noncore-dims", "y,x",
                "--begin", "0,0", "--end", "1,1", "--data", path_of("no"))
    assert "lzf" in error and "lacks" in error, error
    os.remove(path_of("source.h5"))
    error = run(path, *names, "--variables", "virtual", "--noncore-dims",
                "y,x", "--begin", "0,0", "--end", "1,1", "--data",
                path_of("no"))
    assert "source.h5" in error and "cannot be read" in error, error


def test_user_block():
    path = path_of("userblock.h5")
    data = numbers(("time", "y", "x"))
    with h5py.File(path, "w", userblock_size=1024) as f:
        f.create_dataset("a", data=data, chunks=(5, 5, 5), compression="gzip")
    check_all(path, {"a": (("time", "y", "x"), data)},
              args=("--dimension-names", "time,y,x"))


def test_classic():
    path = path_of("classic.nc")
    with netCDF4.Dataset(path, "w", format="NETCDF3_CLASSIC") as nc:
        nc.createDimension("x", 3)
        nc.createVariable("a", "i2", ("x",))
    error = run(path)
    assert "NetCDF-3" in error and "nccopy -k nc4" in error, error
    converted = path_of("converted.nc")
    if shutil.which("nccopy"):
        subprocess.run(["nccopy", "-k", "nc4", path, converted], check=True)
        assert set(describe(converted)["by_name"]) == {"a"}


def test_random():
    """Random shapes, orders, storage and selections."""
    for number in range(40):
        rank = int(RNG.integers(1, 5))
        dims = list(RNG.permutation(["a", "b", "c", "d"])[:rank])
        sizes = {d: int(RNG.integers(1, 20)) for d in "abcd"}
        path = path_of("random.h5")
        arrays = {}
        with h5py.File(path, "w", libver=["earliest", "latest"][number % 2]) as f:
            for d in "abcd":
                f[d] = np.arange(sizes[d])
                f[d].make_scale()
            for v in range(3):
                own = list(RNG.permutation(dims)[:int(RNG.integers(1, rank + 1))])
                SIZES.update(sizes)
                data = numbers(own, ["i1", "<i2", ">i4", "f8", ">u2"][
                    int(RNG.integers(5))])
                chunks = None
                if RNG.random() < 0.8:
                    chunks = tuple(int(RNG.integers(1, sizes[d] + 1))
                                   for d in own)
                made = f.create_dataset(
                    f"v{v}", data=data, chunks=chunks,
                    compression="gzip" if chunks and v else None,
                    shuffle=bool(chunks) and v == 2)
                for i, d in enumerate(own):
                    made.dims[i].attach_scale(f[d])
                arrays[f"v{v}"] = (own, data.astype(
                    data.dtype.newbyteorder("=")))
        used = sorted({d for own, _ in arrays.values() for d in own})
        used = list(RNG.permutation(used))
        cut = int(RNG.integers(0, len(used) + 1))
        core, noncore = used[:cut], used[cut:]
        if not noncore or not core:
            core, noncore = used[:1], used[1:]
        if not noncore:
            continue
        select = {}
        for d in noncore:
            ends = sorted(RNG.integers(0, sizes[d] + 1, size=2))
            select[d] = (int(ends[0]), max(int(ends[1]), int(ends[0]) + 1))
            if select[d][1] > sizes[d]:
                select[d] = (0, sizes[d])
        check_data(path, arrays, core, noncore, select)


if __name__ == "__main__":
    run_tests(globals())
