#!/usr/bin/python3
"""A real Landsat cube: right numbers, in files that other programs open.

The cube and the reference results lie in the shared data
(INTERNODE_SHARED_DATA); see ccdc-golden/README.md there.
"""

import datetime
import json
import re
import subprocess
import unittest

import h5py
import numpy as np
import xarray as xr

import shared_data
from internode_command import CommandTest

CUBE = shared_data.require("landsat_ard_subset.nc")
GOLDEN = shared_data.require("ccdc-golden/dev/real.h5")
BANDS = ("blue", "green", "red", "nir", "swir1", "swir2", "bt")
COEFS = ("intercept", "slope", "cos1", "sin1", "cos2", "sin2", "cos3", "sin3")
SHAPE = (3, 5)
FREQUENCY = 2 * np.pi / 365.2425
EPOCH = datetime.date(1970, 1, 1).toordinal()
# The cube's time is in days since 2010-01-03.
FIRST_DAY = datetime.date(2010, 1, 3).toordinal()
# What the cube holds where there is nothing, without declaring it.
MISSING = -9999
NO_DAY = np.iinfo("i4").min


class Cube:
    """The cube as h5py sees it, without any of Internode's code."""

    def __init__(self):
        with h5py.File(CUBE) as file:
            self.values = np.stack([file[name][...] for name in BANDS])
            self.codes = file["cfmask"][...]
            self.days = file["time"][...] + FIRST_DAY - EPOCH
            self.x, self.y = file["x"][...], file["y"][...]


def design(days, harmonics):
    """The columns of the fit, in days since 1970-01-01 as they are."""
    t = days.astype(float)
    columns = [np.ones_like(t), t]
    for k in range(1, harmonics + 1):
        columns += [np.cos(k * FREQUENCY * t), np.sin(k * FREQUENCY * t)]
    return np.stack(columns, axis=1)


def program(*command):
    return subprocess.run([*map(str, command)], check=True, text=True,
                          capture_output=True).stdout


class RealCubeTest(CommandTest):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.real = Cube()

    def run_function(self, function, *options):
        """Runs it; returns the path of the file and the JSON report."""
        out = self.folder / f"{self.id().split('.')[-1]}-{function}.nc"
        report = self.json("run", function, CUBE, "-o", out, "--overwrite",
                           *options)
        self.assertEqual(report["pixels"]["ok"], 15)
        return out, report

    # Least squares.

    def assert_least_squares(self, path, bands, harmonics, used):
        """`used(band, y, x)` says which dates are observations."""
        with h5py.File(path) as file:
            out = {name: file[name][...] for name in file
                   if isinstance(file[name], h5py.Dataset)}
        self.assertEqual(out["coefs"].shape,
                         (15, len(bands), 2 + 2 * harmonics))
        pixels = sorted(zip(out["py"].tolist(), out["px"].tolist()))
        self.assertEqual(pixels, sorted(np.ndindex(*SHAPE)))
        self.assertEqual(tuple(v.decode() for v in out["coef"]),
                         COEFS[:2 + 2 * harmonics])
        self.assertEqual(tuple(v.decode() for v in out["band"]), bands)
        for i, (y, x) in enumerate(zip(out["py"], out["px"])):
            days = []
            for k, band in enumerate(bands):
                series = self.real.values[BANDS.index(band), :, y, x]
                mask = used(series, y, x)
                matrix = design(self.real.days[mask], harmonics)
                values = series[mask].astype(float)
                coefs = np.linalg.lstsq(matrix, values, rcond=None)[0]
                rmse = np.sqrt(np.mean((values - matrix @ coefs) ** 2))
                where = f"{band} at y={y}, x={x}"
                np.testing.assert_allclose(out["coefs"][i, k], coefs,
                                           rtol=1e-6, err_msg=where)
                np.testing.assert_allclose(out["rmse"][i, k], rmse, rtol=1e-6,
                                           err_msg=where)
                self.assertEqual(out["n_obs"][i, k], mask.sum(), where)
                days += self.real.days[mask][[0, -1]].tolist()
            self.assertEqual(out["t_start"][i], min(days))
            self.assertEqual(out["t_end"][i], max(days))

    def clear(self, codes):
        """`used` for these codes of cfmask."""
        return lambda series, y, x: (
            np.isin(self.real.codes[:, y, x], codes) & (series != MISSING))

    def test_harmonic_equals_numpys_least_squares(self):
        path, report = self.run_function("harmonic")
        notes = "\n".join(report["notes"])
        self.assertIn("bands: " + ", ".join(BANDS), notes)
        codes = re.search(r"^clear: codes ([\d, ]+) of cfmask", notes, re.M)
        codes = [int(code) for code in codes.group(1).split(",")]
        self.assertEqual(codes, [0, 1])
        self.assert_least_squares(path, BANDS, 3, self.clear(codes))

    def test_any_number_of_harmonics(self):
        for harmonics in range(4):
            with self.subTest(harmonics=harmonics):
                path, _ = self.run_function("harmonic", "--param",
                                            f"harmonics={harmonics}")
                self.assert_least_squares(path, BANDS, harmonics,
                                          self.clear([0, 1]))

    def test_other_codes_and_missing_values(self):
        path, _ = self.run_function("harmonic", "--param", "clear=0,3,4",
                                    "--variables", "nir,red,qa=cfmask")
        self.assert_least_squares(path, ("nir", "red"), 3,
                                  self.clear([0, 3, 4]))
        options = ("--variables", "nir,bt,qa=none")
        path, report = self.run_function("harmonic", *options)
        self.assertIn("nodata: -9999 in nir, bt", "\n".join(report["notes"]))
        self.assert_least_squares(path, ("nir", "bt"), 3,
                                  lambda series, y, x: series != MISSING)
        path, _ = self.run_function("harmonic", *options, "--nodata", "2500")
        self.assertTrue((self.real.values == 2500).any())
        self.assert_least_squares(path, ("nir", "bt"), 3,
                                  lambda series, y, x: series != 2500)

    # CCDC.

    def test_ccdc_equals_the_reference(self):
        path, _ = self.run_function("ccdc")
        with h5py.File(path) as file:
            names = ("t_start", "t_end", "t_break", "n_obs", "category",
                     "change_prob", "coefs", "rmse", "magnitude", "py", "px")
            out = {name: file[name][...] for name in names}
            count = file["segment_count"][...]
            first = file["segment_first"][...]
        self.assertEqual(count.sum(), len(out["py"]))
        compared = 0
        with h5py.File(GOLDEN) as golden:
            for p, (y, x) in self.pixels_of_the_cube(golden):
                begin, end = golden["out/seg_offset"][p:p + 2]
                with self.subTest(y=y, x=x):
                    self.assertEqual(golden["out/status"][p], 0)
                    self.assertEqual(count[y, x], end - begin)
                    rows = slice(first[y, x], first[y, x] + end - begin)
                    self.assertTrue((out["py"][rows] == y).all())
                    self.assertTrue((out["px"][rows] == x).all())
                    self.assert_segments(
                        {name: out[name][rows] for name in out},
                        {name: golden["out"][name][begin:end]
                         for name in ("start_day", "end_day", "break_day",
                                      "observation_count", "curve_qa",
                                      "change_probability", "coefficients",
                                      "intercept", "rmse", "magnitude")})
                compared += end - begin
        self.assertEqual(compared, 20)

    def pixels_of_the_cube(self, golden):
        """(index in the reference, (y, x)), found by the very numbers."""
        offsets = golden["in/obs_offset"][...]
        found = []
        for p, (begin, end) in enumerate(zip(offsets, offsets[1:])):
            if not golden["pixel/name"][p].startswith(b"stems/ard_r"):
                continue
            days = golden["in/dates"][begin:end].astype(int) - EPOCH
            np.testing.assert_array_equal(days, self.real.days)
            spectra = golden["in/spectra"][:, begin:end]
            codes = golden["in/qa"][begin:end]
            places = [(y, x) for y, x in np.ndindex(*SHAPE)
                      if (self.real.values[:, :, y, x] == spectra).all()
                      and (self.real.codes[:, y, x] == codes).all()]
            self.assertEqual(len(places), 1, golden["pixel/name"][p])
            found.append((p, places[0]))
        self.assertEqual(len(found), 10)
        return found

    def assert_segments(self, ours, reference):
        """Days, counts and codes exactly; fitted numbers within the
        tolerances of compare_golden.py beside the reference, plus the
        rounding to float32 (a relative 2^-24) in which the file keeps them.
        """
        for name, expected in (
                ("t_start", reference["start_day"] - EPOCH),
                ("t_end", reference["end_day"] - EPOCH),
                ("n_obs", reference["observation_count"]),
                ("category", reference["curve_qa"]),
                ("change_prob", reference["change_probability"]),
                ("t_break", np.where(reference["change_probability"] == 1,
                                     reference["break_day"] - EPOCH, NO_DAY))):
            np.testing.assert_array_equal(ours[name], expected, name)
        rtol = 1e-6 + 2.0 ** -24
        for name, atol in (("rmse", 1e-5), ("magnitude", 1e-4)):
            np.testing.assert_allclose(ours[name], reference[name], rtol, atol,
                                       err_msg=name)
        expected = since_1970(reference["intercept"],
                              reference["coefficients"])
        for k, atol in enumerate([1e-2, 1e-8] + 6 * [1e-4]):
            np.testing.assert_allclose(ours["coefs"][..., k],
                                       expected[..., k], rtol, atol,
                                       err_msg=COEFS[k])
        self.assert_curves(ours, expected, reference["rmse"])

    def assert_curves(self, ours, expected, rmse):
        """The fitted curves, on 64 dates of each segment."""
        for s, (begin, end) in enumerate(zip(ours["t_start"], ours["t_end"])):
            matrix = design(np.linspace(begin, end, 64), 3)
            difference = (ours["coefs"][s].astype(float)
                          - expected[s]) @ matrix.T
            rounding = 2.0 ** -24 * np.abs(expected[s]) @ np.abs(matrix).T
            rms = np.sqrt((difference ** 2).mean(axis=1))
            allowed = 1e-5 + 1e-6 * rmse[s] + rounding.max(axis=1)
            self.assertTrue((rms <= allowed).all(), (rms, allowed))

    # Other programs.

    def test_other_programs_open_the_files(self):
        for function in ("harmonic", "ccdc"):
            path, report = self.run_function(function)
            with h5py.File(path) as file:
                raw = {name: file[name][...] for name in file
                       if isinstance(file[name], h5py.Dataset)}
            n = report["records"]
            for engine in ("netcdf4", "h5netcdf"):
                with self.subTest(function=function, engine=engine):
                    self.assert_xarray_reads(path, engine, raw, n)
            with self.subTest(function=function, program="ncdump"):
                self.assert_ncdump_reads(path, raw, n)
            with self.subTest(function=function, program="gdalinfo"):
                self.assert_gdal_reads(path)
            with self.subTest(function=function, program="ogrinfo"):
                self.assert_ogr_reads(path, raw, n)

    def assert_xarray_reads(self, path, engine, raw, n):
        with xr.open_dataset(path, engine=engine) as ds:
            self.assertEqual(dict(ds.sizes), {
                "segment": n, "band": 7, "coef": 8, "y": 3, "x": 5})
            self.assertEqual(tuple(ds.band.values), BANDS)
            self.assertEqual(tuple(ds.coef.values), COEFS)
            for name in ("coefs", "rmse", "n_obs", "py", "segment_count",
                         "segment_first", "pixel_status"):
                np.testing.assert_array_equal(ds[name], raw[name], name)
            np.testing.assert_array_equal(ds.y, self.real.y)
            np.testing.assert_array_equal(ds.segment_x, self.real.x[ds.px])
            np.testing.assert_array_equal(ds.t_start, dates(raw["t_start"]))
            if "t_break" in ds:
                none = raw["t_break"] == NO_DAY
                self.assertTrue(0 < none.sum() < n)
                np.testing.assert_array_equal(np.isnat(ds.t_break), none)
                np.testing.assert_array_equal(
                    ds.t_break[~none], dates(raw["t_break"][~none]))
            flat = [name for name in ds if ds[name].dims == ("segment",)]
            self.assertLessEqual({"t_start", "t_end", "py", "px"}, set(flat))
            frame = ds[flat].to_dataframe()
            self.assertEqual(len(frame), n)
            self.assertEqual(frame.px.tolist(), raw["px"].tolist())
            self.assertEqual(frame.t_end.to_list()[0],
                             dates(raw["t_end"])[0])
            self.assertEqual(ds.attrs["algorithm"], path.stem.split("-")[-1])

    def assert_ncdump_reads(self, path, raw, n):
        text = program("ncdump", "-v", "t_start", path)
        self.assertIn(f"segment = UNLIMITED ; // ({n} currently)", text)
        self.assertRegex(text, r"(float|double) coefs\(segment, band, coef\)")
        values = re.search(r"t_start = ([^;]+);\n}", text).group(1)
        self.assertEqual([int(v) for v in values.split(",")],
                         raw["t_start"].tolist())

    def assert_gdal_reads(self, path):
        ours, cubes = (
            json.loads(program("gdalinfo", "-json", f"NETCDF:{file}:{name}"))
            for file, name in ((path, "segment_count"), (CUBE, "nir")))
        self.assertEqual(ours["size"], [5, 3])
        self.assertEqual(ours["geoTransform"], cubes["geoTransform"])
        self.assertEqual(ours["coordinateSystem"]["wkt"],
                         cubes["coordinateSystem"]["wkt"])

    def assert_ogr_reads(self, path, raw, n):
        text = program("ogrinfo", "-al", path)
        self.assertIn("Geometry: Point", text)
        self.assertIn(f"Feature Count: {n}\n", text)
        self.assertIn("Albers", text)
        points = re.findall(r"POINT \((\S+) (\S+)\)", text)
        self.assertEqual(
            [(float(x), float(y)) for x, y in points],
            list(zip(self.real.x[raw["px"]], self.real.y[raw["py"]])))
        for name in ("t_start", "t_end", "t_break"):
            if name not in raw:
                continue
            days = raw[name][raw[name] != NO_DAY]
            found = re.findall(rf"{name} \(Date\) = (\S+)", text)
            self.assertEqual(found, [str(day).replace("-", "/") for day in
                                     dates(days).astype("M8[D]")])


def dates(days):
    return np.datetime64("1970-01-01", "ns") + days * np.timedelta64(1, "D")


def since_1970(intercept, coefficients):
    """The coefficients of the same curves with t in days since 1970-01-01,
    from those with proleptic ordinals: (segment, band, 8)."""
    slope, *harmonics = np.moveaxis(coefficients, -1, 0)
    columns = [intercept + slope * EPOCH, slope]
    for k in range(1, 4):
        cos, sin = harmonics[2 * k - 2:2 * k]
        c, s = np.cos(k * FREQUENCY * EPOCH), np.sin(k * FREQUENCY * EPOCH)
        columns += [cos * c + sin * s, sin * c - cos * s]
    return np.stack(columns, axis=-1)


if __name__ == "__main__":
    unittest.main()
