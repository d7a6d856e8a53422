"""Cubes by every common writer: described and read as NumPy has them."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest.mock
import warnings

import h5netcdf
import h5py
import netCDF4
import numpy as np
import xarray as xr

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


# --- netCDF4-python -------------------------------------------------------

def test_netcdf4():
    path = path_of("netcdf4.nc")
    arrays = {}
    with netCDF4.Dataset(path, "w") as nc:
        nc.Conventions = "CF-1.8"
        for d in ("time", "y", "x", "nv"):
            nc.createDimension(d, SIZES.get(d, 2))
        t = nc.createVariable("time", "f8", ("time",))
        t.units = "hours since 2000-02-28 12:00:00"
        t.calendar = "noleap"
        t.bounds = "time_bnds"
        t[:] = np.arange(SIZES["time"]) * 36
        nc.createVariable("time_bnds", "f8", ("time", "nv"))[:] = 0
        for d in "yx":
            v = nc.createVariable(d, "f8", (d,))
            v[:] = np.arange(SIZES[d]) * -30.0 + 15
        lat = nc.createVariable("lat", "f4", ("y", "x"))
        lat[:] = 1
        crs = nc.createVariable("crs", "i4", ())
        crs.grid_mapping_name = "albers_conical_equal_area"
        crs.standard_parallel = [29.5, 45.5]
        for i, code in enumerate(["i1", "i2", "i4", "i8", "u1", "u2", "u4",
                                  "u8", "f4", "f8"]):
            for j, endian in enumerate(["little", "big"]):
                name = f"{code}_{endian}"
                dims = [("time", "y", "x"), ("y", "x", "time"),
                        ("x", "time", "y")][(i + j) % 3]
                chunks = [None, [3] * 3, [5, 2, 4], [13, 7, 9]][(i + j) % 4]
                if chunks:
                    chunks = [min(c, SIZES[d]) for c, d in zip(chunks, dims)]
                v = nc.createVariable(
                    name, code, dims, endian=endian, zlib=chunks is not None,
                    shuffle=i % 2 == 0, fletcher32=i % 3 == 0 and bool(chunks),
                    chunksizes=chunks, contiguous=chunks is None)
                v.set_auto_maskandscale(False)
                data = numbers(dims, code)
                v[:] = data
                v.grid_mapping = "crs"
                v.coordinates = "lat lon"
                arrays[name] = (dims, data)
        v = nc.createVariable("scaled", "i2", ("time", "y", "x"),
                              fill_value=-9999)
        v.set_auto_maskandscale(False)
        v.scale_factor, v.add_offset = np.float32(0.5), 3.0
        v.missing_value = np.array([-1, 20000], "i2")
        v.valid_range = np.array([0, 10000], "i2")
        data = numbers(("time", "y", "x"))
        v[:] = data
        arrays["scaled"] = (("time", "y", "x"), data)
        v = nc.createVariable("unsigned", "i1", ("time", "y", "x"),
                              fill_value=-1)
        v.set_auto_maskandscale(False)
        v.setncattr("_Unsigned", "true")
        data = numbers(("time", "y", "x"), "i1")
        v[:] = data
        arrays["unsigned"] = (("time", "y", "x"), data.view("u1"))
        v = nc.createVariable("mask", "u1", ("y", "x"))
        data = numbers(("y", "x"), "u1")
        v.set_auto_maskandscale(False)
        v[:] = data
        arrays["mask"] = (("y", "x"), data)
        v = nc.createVariable("doy", "i2", ("time",))
        v.set_auto_maskandscale(False)
        data = numbers(("time",))
        v[:] = data
        arrays["doy"] = (("time",), data)
        nc.createVariable("words", str, ("time",))

    info = describe(path)
    assert info["format"] == "NetCDF-4"
    assert list(info["by_name"]) == list(arrays), list(info["by_name"])
    for name, (dims, data) in arrays.items():
        variable = info["by_name"][name]
        assert tuple(dims_of(variable)) == tuple(dims)
        assert variable["type"] == data.dtype.newbyteorder("=").name
    assert info["by_name"]["i2_big"]["big_endian"]
    assert not info["by_name"]["i2_little"]["big_endian"]
    scaled = info["by_name"]["scaled"]
    assert scaled["missing"] == [-9999, -1, 20000]
    assert (scaled["valid_min"], scaled["valid_max"]) == (0, 10000)
    assert (scaled["scale_factor"], scaled["add_offset"]) == (0.5, 3)
    assert info["by_name"]["unsigned"]["missing"] == [255]
    assert info["attributes"] == {"Conventions": "CF-1.8"}
    assert info["coordinates"]["y"]["values"] == list(
        np.arange(SIZES["y"]) * -30.0 + 15)
    assert info["grid_mapping"]["name"] == "crs"
    assert info["grid_mapping"]["attributes"]["standard_parallel"] == [29.5,
                                                                     45.5]
    assert set(info["skipped"]) == {"time", "y", "x", "lat", "crs",
                                    "time_bnds", "words"}
    # noleap: 2000-02-28 is day 30 * 365 + 58 of that calendar.
    days = np.array(info["time"]["days"])
    assert np.array_equal(days, 30 * 365 + 58 + 0.5
                          + np.arange(SIZES["time"]) * 1.5)
    check_all(path, arrays)
    check_all(path, arrays, core=("time",), noncore=("x", "y"))
    full = {k: v for k, v in arrays.items() if len(v[0]) == 3}
    check_all(path, full, core=("x", "time"), noncore=("y",))
    error = run(path, "--variables", "words", "--noncore-dims", "y,x",
                "--begin", "0,0", "--end", "1,1", "--data", path_of("no"))
    assert "it holds text, not numbers" in error, error


def test_netcdf4_filters():
    path = path_of("filters.nc")
    with netCDF4.Dataset(path, "w") as nc:
        for d in ("time", "y", "x"):
            nc.createDimension(d, SIZES[d])
        v = nc.createVariable("a", "i2", ("time", "y", "x"), zlib=True,
                              complevel=4, fletcher32=True,
                              chunksizes=(4, 3, 5))
        v.set_auto_maskandscale(False)
        data = numbers(("time", "y", "x"))
        v[:] = data
    info = describe(path)
    assert info["by_name"]["a"]["filters"] == ["fletcher32", "shuffle",
                                               "deflate 4"]
    assert info["by_name"]["a"]["storage_chunks"] == [4, 3, 5]
    assert info["coordinates"] == {}
    assert info["time_error"] == "dimension 'time' has no coordinate"
    check_all(path, {"a": (("time", "y", "x"), data)})


def test_netcdf4_unlimited():
    """An unlimited dimension that one variable has not followed."""
    path = path_of("unlimited.nc")
    with netCDF4.Dataset(path, "w") as nc:
        nc.createDimension("time", None)
        nc.createDimension("y", 7)
        nc.createDimension("x", 9)
        long = nc.createVariable("long", "i2", ("time", "y", "x"))
        short = nc.createVariable("short", "i2", ("time", "y", "x"),
                                  fill_value=-5)
        for v in (long, short):
            v.set_auto_maskandscale(False)
        first = numbers(("time", "y", "x"))
        second = numbers(("time", "y", "x"))
        long[:] = first
        short[:4] = second[:4]
    second[4:] = -5
    check_all(path, {"long": (("time", "y", "x"), first),
                     "short": (("time", "y", "x"), second)})


def test_netcdf4_groups():
    path = path_of("groups.nc")
    arrays = {}
    with netCDF4.Dataset(path, "w") as nc:
        for d in ("time", "y", "x"):
            nc.createDimension(d, SIZES[d])
        t = nc.createVariable("time", "i4", ("time",))
        t.units = "days since 1970-01-01"
        t[:] = np.arange(SIZES["time"])
        for group in ("reflectance", "thermal"):
            g = nc.createGroup(group)
            g.note = group
            for name in ("a", "b"):
                v = g.createVariable(name, "i2", ("time", "y", "x"))
                data = numbers(("time", "y", "x"))
                v.set_auto_maskandscale(False)
                v[:] = data
                arrays[f"{group}/{name}"] = (("time", "y", "x"), data)
        other = nc.createGroup("other")
        other.createDimension("time", 3)
        other.createVariable("c", "i2", ("time",))[:] = 1
    info = describe(path)
    assert set(info["by_name"]) == set(arrays) | {"other/c"}
    assert info["dims"][:3] == [["time", 13], ["y", 7], ["x", 9]]
    assert info["by_name"]["other/c"]["dims"] == [["other/time", 3]]
    check_all(path, arrays)
    info = describe(path, "--group", "/thermal/")
    assert set(info["by_name"]) == {"a", "b"} and info["group"] == "thermal"
    assert info["attributes"] == {"note": "thermal"}
    assert info["time"]["days"] == list(range(13))
    check_all(path, {"a": arrays["thermal/a"]}, args=("--group", "thermal"))
    error = run(path, "--group", "termal")
    assert "no group 'termal'" in error and "did you mean 'thermal'" in error


def test_netcdf4_not_coordinate():
    """A variable that has the name of a dimension that it does not have."""
    path = path_of("not_coordinate.nc")
    with netCDF4.Dataset(path, "w") as nc:
        nc.createDimension("time", 13)
        nc.createDimension("y", 7)
        nc.createDimension("x", 9)
        v = nc.createVariable("x", "i2", ("time", "y"))
        data = numbers(("time", "y"))
        v.set_auto_maskandscale(False)
        v[:] = data
        nc.createVariable("a", "i2", ("time", "y", "x"))[:] = 1
    info = describe(path)
    assert set(info["by_name"]) == {"x", "a"}, info["by_name"]
    check_all(path, {"x": (("time", "y"), data)}, noncore=("y",))


def test_netcdf4_character_labels():
    path = path_of("char.nc")
    with netCDF4.Dataset(path, "w") as nc:
        for d in ("band", "time", "y", "x"):
            nc.createDimension(d, SIZES[d])
        nc.createDimension("letters", 8)
        band = nc.createVariable("band", "S1", ("band", "letters"))
        band[:] = netCDF4.stringtochar(np.array(BANDS, "S8"))
        v = nc.createVariable("image", "i2", ("band", "time", "y", "x"))
        data = numbers(("band", "time", "y", "x"))
        v.set_auto_maskandscale(False)
        v[:] = data
    info = describe(path)
    assert info["coordinates"]["band"]["labels"] == BANDS, info["coordinates"]
    assert info["band_dim"] == "band"
    assert set(info["by_name"]) == {"image"}
    check_all(path, {"image": (("band", "time", "y", "x"), data)},
              core=("band", "time"))


# --- xarray, h5netcdf -----------------------------------------------------

def xarray_cube(dims, labels=None, dtype="i2"):
    data = numbers(dims, dtype)
    coords = {"time": np.datetime64("2001-01-01")
              + np.arange(SIZES["time"]) * np.timedelta64(16, "D")}
    for d in ("y", "x"):
        if d in dims:
            coords[d] = np.arange(SIZES[d]) * 30.0
    if labels is not None:
        coords["band"] = labels
    return data, xr.DataArray(data, dims=dims, coords=coords)


def test_xarray():
    for engine in ("netcdf4", "h5netcdf"):
        for order in (("time", "y", "x"), ("y", "x", "time"),
                      ("y", "time", "x")):
            path = path_of(f"xarray_{engine}_{''.join(order)}.nc")
            arrays, variables = {}, {}
            for name in BANDS:
                data, array = xarray_cube(order)
                arrays[name] = (order, data)
                variables[name] = array
            dataset = xr.Dataset(variables).assign_coords(spatial_ref=0)
            dataset.to_netcdf(path, engine=engine, encoding={
                "blue": {"zlib": True, "chunksizes": (4, 3, 5)[:3]}})
            info = describe(path)
            assert set(info["by_name"]) == set(BANDS), (engine, info["by_name"])
            epoch = 11323  # 2001-01-01
            assert np.allclose(info["time"]["days"],
                               epoch + 16 * np.arange(SIZES["time"]))
            check_all(path, arrays)


def test_xarray_band_dimension():
    for engine in ("netcdf4", "h5netcdf"):
        for order in (("band", "time", "y", "x"), ("time", "y", "x", "band"),
                      ("time", "band", "y", "x"), ("y", "x", "band", "time")):
            path = path_of(f"band_{engine}_{'_'.join(order)}.nc")
            data, array = xarray_cube(order, BANDS)
            array.to_dataset(name="image").to_netcdf(
                path, engine=engine,
                encoding={"image": {"chunksizes": (3, 3, 3, 3), "zlib": True}})
            info = describe(path)
            assert info["band_dim"] == "band"
            assert info["coordinates"]["band"]["labels"] == BANDS
            arrays = {"image": (order, data)}
            check_all(path, arrays, core=("band", "time"))
            check_all(path, arrays, core=("time", "band"))
            check_all(path, arrays, core=("time",), noncore=("band", "y", "x"))


def test_xarray_samples():
    path = path_of("samples.nc")
    order = ("band", "time", "sample_id")
    data, array = xarray_cube(order, BANDS, "f4")
    array.assign_coords(sample_id=np.arange(21) + 100).to_dataset(
        name="samples").to_netcdf(path)
    info = describe(path)
    assert info["band_dim"] == "band"
    assert info["coordinates"]["sample_id"]["values"] == list(range(100, 121))
    check_all(path, {"samples": (order, data)}, core=("band", "time"),
              noncore=("sample_id",))


def test_h5netcdf():
    path = path_of("h5netcdf.nc")
    with h5netcdf.File(path, "w") as f:
        f.dimensions = {d: SIZES[d] for d in ("time", "y", "x")}
        t = f.create_variable("time", ("time",), "i8")
        t[:] = np.arange(13) * 10**6
        t.attrs["units"] = "microseconds since 1970-01-02"
        arrays = {}
        for name in BANDS:
            data = numbers(("time", "y", "x"))
            f.create_variable(name, ("time", "y", "x"), data=data,
                              chunks=(13, 2, 2), compression="gzip",
                              shuffle=True)
            arrays[name] = (("time", "y", "x"), data)
    info = describe(path)
    assert set(info["by_name"]) == set(BANDS)
    assert info["format"] == "NetCDF-4"
    assert info["time"]["calendar"] == "standard"
    assert np.allclose(info["time"]["days"], 1 + np.arange(13) / 86400)
    check_all(path, arrays)


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


def test_h5py_auxiliary_labels():
    """Names beside a numbered band dimension."""
    path = path_of("auxiliary.nc")
    order = ("band", "time", "y", "x")
    data, array = xarray_cube(order, [1, 2, 3, 4])
    array.assign_coords(band_name=("band", BANDS)).to_dataset(
        name="image").to_netcdf(path)
    info = describe(path)
    assert info["coordinates"]["band"]["values"] == [1, 2, 3, 4]
    assert info["coordinates"]["band"]["labels"] == BANDS
    assert set(info["by_name"]) == {"image"}


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


def main():
    try:
        for name, test in list(globals().items()):
            if name.startswith("test_"):
                test()
                print("ok", name, file=sys.stderr)
    finally:
        shutil.rmtree(FOLDER)


main()
