"""Segment files open in the programs that people use, with the right contents.

Runs segment_file_maker, and opens what it wrote in xarray (both engines),
pandas, h5py, ncdump, gdalinfo and ogrinfo.
"""

import json
import os
import subprocess
import sys
import tempfile

import h5py
import numpy as np
import xarray as xr

BIN = os.environ.get("INTERNODE_BIN_DIR", "build/release/bin")
NONE = -2147483648


def pixels(rows, columns, chunk):
    """The pixels in the order of their chunks."""
    for y0 in range(0, rows, chunk):
        for x0 in range(0, columns, chunk):
            for y in range(y0, min(rows, y0 + chunk)):
                for x in range(x0, min(columns, x0 + chunk)):
                    yield y, x


def expected(rows, columns, chunk):
    """What tests/unit/cube/segment_testutil.cc puts into a grid."""
    records, counts = [], np.zeros((rows, columns), int)
    first = np.full((rows, columns), -1)
    status = np.zeros((rows, columns), int)
    for y, x in pixels(rows, columns, chunk):
        place = y * 1000 + x
        kind = (place * 7 + y) % 11
        n = kind % 4 if kind < 9 else 0
        counts[y, x] = n
        status[y, x] = {9: 4, 10: 3}.get(kind, 1 if n else 2)
        first[y, x] = len(records) if n else -1
        for r in range(n):
            records.append({
                "py": y, "px": x, "n_obs": 20 + r, "category": kind,
                "t_start": 10957 + 1000 * r, "t_end": 11856 + 1000 * r,
                "t_break": 11957 + 1000 * r if r + 1 < n else NONE,
                "rmse": [place + 0.25 * k for k in range(3)],
                "coefs": [place * 100 + r * 12 + k for k in range(12)]})
    return records, counts, first, status


def column(records, name):
    return np.array([record[name] for record in records])


def check_xarray(path, engine):
    records, counts, first, status = expected(30, 50, 7)
    with xr.open_dataset(path, engine=engine) as ds:
        assert ds.sizes == {"segment": len(records), "band": 3, "coef": 4,
                            "y": 30, "x": 50}, ds.sizes
        for name in ("py", "px", "n_obs", "category", "rmse"):
            np.testing.assert_array_equal(ds[name], column(records, name))
        np.testing.assert_array_equal(
            ds.coefs.values.reshape(len(records), 12),
            column(records, "coefs").astype("f4"))
        np.testing.assert_array_equal(ds.segment_count, counts)
        np.testing.assert_array_equal(ds.segment_first, first)
        np.testing.assert_array_equal(ds.pixel_status, status)
        assert ds.segment_first.dtype == np.int64, ds.segment_first.dtype
        epoch = np.datetime64("1970-01-01", "ns")
        days = column(records, "t_break")
        dates = epoch + days.clip(0) * np.timedelta64(86400 * 10**9, "ns")
        np.testing.assert_array_equal(np.isnat(ds.t_break), days == NONE)
        np.testing.assert_array_equal(ds.t_break.values[days != NONE],
                                      dates[days != NONE])
        np.testing.assert_array_equal(ds.segment_y, ds.y.values[ds.py])
        np.testing.assert_array_equal(ds.segment_x, ds.x.values[ds.px])
        assert list(ds.band.values) == ["blue", "nir", "thermal"]
        assert list(ds.coef.values) == ["intercept", "slope", "cos1", "sin1"]
        assert {"segment_y", "segment_x"} <= set(ds.coords), ds.coords
        # The history of one pixel, by the index.
        y, x = np.argwhere(counts == 3)[5]
        begin = int(ds.segment_first[y, x])
        one = ds.isel(segment=slice(begin, begin + 3))
        assert (one.py == y).all() and (one.px == x).all()
        assert ds.attrs["Conventions"] == "CF-1.8"
        assert json.loads(ds.attrs["parameters"]) == {"k": 3}
        frame = ds[["t_start", "n_obs", "py", "px"]].to_dataframe()
        assert len(frame) == len(records)
        assert frame.n_obs.tolist() == column(records, "n_obs").tolist()


def check_others(folder, engine):
    with xr.open_dataset(f"{folder}/samples.nc", engine=engine) as ds:
        assert ds.row_size.dims == ("sample_id",)
        assert ds.row_size.attrs["sample_dimension"] == "segment"
        assert int(ds.row_size.sum()) == ds.sizes["segment"] > 0
        np.testing.assert_array_equal(
            np.repeat(np.arange(40), ds.row_size), ds.psample_id)
    with xr.open_dataset(f"{folder}/empty.nc", engine=engine) as ds:
        assert ds.sizes["segment"] == 0
        assert (ds.pixel_status == 0).all()
        assert (ds.segment_first == -1).all()
    with xr.open_dataset(f"{folder}/bare.nc", engine=engine) as ds:
        assert "crs" not in ds and "segment_y" not in ds, list(ds)
        assert "y" not in ds.coords and ds.sizes["y"] == 4


def check_h5py(path):
    with h5py.File(path) as file:
        for name, chunks in (("t_start", (16384,)), ("rmse", (16384, 3)),
                             ("coefs", (16384, 1, 4))):
            dataset = file[name]
            assert dataset.chunks == chunks, (name, dataset.chunks)
            assert dataset.shuffle and dataset.compression_opts == 1
            assert dataset.dims[0][0] == file["segment"]
        assert file["t_break"].fillvalue == NONE
        assert "band" in file["coefs"].dims[1][0].name


def run(*command):
    return subprocess.run(command, check=True, capture_output=True,
                          text=True).stdout


def check_programs(path):
    header = run("ncdump", "-h", path)
    assert "segment = UNLIMITED" in header, header
    assert "float coefs(segment, band, coef)" in header, header
    assert " segment(segment)" not in header, header
    info = json.loads(run("gdalinfo", "-json", f"NETCDF:{path}:segment_count"))
    assert info["size"] == [50, 30], info["size"]
    assert info["geoTransform"] == [-2115585, 30, 0, 1964805, 0, -30]
    assert 'ID["EPSG",5070]' in info["coordinateSystem"]["wkt"]
    vector = run("ogrinfo", "-al", path)
    for line in ("Geometry: Point", "t_break: Date", "n_obs: Integer",
                 'ID["EPSG",5070]', "t_start (Date) = 2000/01/01",
                 "t_break (Date) = 2002/09/27", "POINT (-2115540 1964790)"):
        assert line in vector, line
    records = expected(30, 50, 7)[0]
    assert f"Feature Count: {len(records)}" in vector
    # ogrinfo leaves out fields that are NULL.
    breaks = int((column(records, "t_break") != NONE).sum())
    assert 0 < breaks < len(records)
    assert vector.count("t_break (Date) = ") == breaks


def main():
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([f"{BIN}/segment_file_maker", folder], check=True)
        for engine in ("netcdf4", "h5netcdf"):
            check_xarray(f"{folder}/grid.nc", engine)
            check_others(folder, engine)
        check_h5py(f"{folder}/grid.nc")
        check_programs(f"{folder}/grid.nc")
    return 0


if __name__ == "__main__":
    sys.exit(main())
