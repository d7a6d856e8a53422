"""Cubes by every common writer: described and read as NumPy has them."""

import h5netcdf
import netCDF4
import numpy as np
import xarray as xr

from cube_checks import (BANDS, SIZES, check_all, describe, dims_of, numbers,
                         path_of, run, run_tests)


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


if __name__ == "__main__":
    run_tests(globals())
