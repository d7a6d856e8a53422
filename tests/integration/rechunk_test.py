#!/usr/bin/python3
"""`cube rechunk` changes how numbers are stored, and nothing else."""

import itertools
import os
import pathlib
import signal
import subprocess
import unittest

import h5netcdf
import h5py
import netCDF4
import numpy as np
import xarray as xr

import damaged_file_test
from internode_command import (INTERNODE, SANITIZED, CommandTest, environment,
                               run)

# What libraries write for themselves.
FORMAT_ATTRIBUTES = {"DIMENSION_LIST", "REFERENCE_LIST", "_NCProperties"}


def attributes(thing):
    """Name -> (type, shape, value) as they are stored."""
    found = {}
    for name in thing.attrs:
        if name in FORMAT_ATTRIBUTES:
            continue
        attribute = thing.attrs.get_id(name)
        value = thing.attrs[name]
        found[name] = (str(attribute.dtype), attribute.shape, repr(value))
    return found


def scales(dataset):
    return [[scale.name for scale in dim.values()] for dim in dataset.dims]


class Comparison:
    """Two HDF5 files, object by object."""

    def __init__(self, test, old, new, variables):
        self.test, self.old, self.new = test, old, new
        self.variables = variables
        self.seen = set()

    def group(self, path="/"):
        old, new = self.old[path], self.new[path]
        self.test.assertEqual(attributes(old), attributes(new), path)
        self.test.assertEqual(set(old), set(new), path)
        for name in old:
            link = old.get(name, getlink=True)
            copy = new.get(name, getlink=True)
            self.test.assertEqual(type(link), type(copy), name)
            child = f"{path.rstrip('/')}/{name}"
            if isinstance(link, h5py.SoftLink):
                self.test.assertEqual(link.path, copy.path)
            elif isinstance(link, h5py.ExternalLink):
                self.test.assertEqual((link.filename, link.path),
                                      (copy.filename, copy.path))
            elif isinstance(old[name], h5py.Group):
                self.group(child)
            elif isinstance(old[name], h5py.Dataset):
                self.dataset(child)
            else:
                self.test.assertEqual(old[name].dtype, new[name].dtype)

    def dataset(self, path):
        old, new = self.old[path], self.new[path]
        self.seen.add(path)
        self.test.assertEqual(attributes(old), attributes(new), path)
        self.test.assertEqual(old.shape, new.shape, path)
        self.test.assertEqual(old.maxshape, new.maxshape, path)
        self.test.assertEqual(scales(old), scales(new), path)
        self.test.assertEqual(h5py.h5ds.is_scale(old.id),
                              h5py.h5ds.is_scale(new.id), path)
        if old.dtype.kind in "iuf":
            np.testing.assert_array_equal(old.fillvalue, new.fillvalue, path)
        if any(old == self.old[name] for name in self.variables):
            self.test.assertEqual(old.dtype.newbyteorder("="),
                                  new.dtype.newbyteorder("="), path)
        else:
            self.test.assertEqual(old.dtype, new.dtype, path)
            self.test.assertEqual(old.chunks, new.chunks, path)
            self.test.assertEqual(old.compression, new.compression, path)
        if old.shape is not None and old.dtype.kind != "O":
            self.test.assertEqual(
                old[()].astype(new.dtype).tobytes(), new[()].tobytes(), path)
        elif old.shape is not None:
            np.testing.assert_array_equal(old[()], new[()], path)


class RechunkTest(CommandTest):

    cube_options = ("--size", "y=41,x=37", "--dates", "50", "--seed", "3",
                    "--storage-chunks", "time=7,y=10,x=12")

    def rechunk(self, source, *options, out=None):
        """Rechunks `source`, and compares; gives the report."""
        target = out or self.folder / "rechunked.nc"
        report = self.json("cube", "rechunk", source, target, "--overwrite",
                           *options)
        names = {f"/{v['name']}" for v in report["variables"]}
        with h5py.File(source) as old, h5py.File(target) as new:
            compare = Comparison(self, old, new, names)
            compare.group()
            self.assertTrue(names <= compare.seen, (names, compare.seen))
            for variable in report["variables"]:
                self.assertEqual(new[variable["name"]].chunks,
                                 tuple(variable["storage_chunks"]))
        self.assertEqual(list(self.folder.glob("*.partial")), [])
        return report

    def variable(self, report, name):
        return next(v for v in report["variables"] if v["name"] == name)

    def test_layouts_of_our_own(self):
        for layout, size in (("variables", "y=41,x=37"),
                             ("band-dim", "y=20,x=31"),
                             ("samples", "sample_id=700")):
            cube = self.folder / f"{layout}.nc"
            self.succeed("simulate", cube, "--size", size, "--dates", 30,
                         "--layout", layout, "--storage-chunks", "time=4")
            report = self.rechunk(cube)
            for variable in report["variables"]:
                self.assertFalse(variable["scratch"])
            copy = self.folder / "rechunked.nc"
            with xr.open_dataset(cube) as a, xr.open_dataset(copy) as b:
                self.assertTrue(a.identical(b))
            self.rechunk(cube, "--storage-chunks", "time=1", "--deflate", "0")
            self.rechunk(cube, "--storage-chunks", "time=11", "--deflate", "9")
            # What a function finds in both is the same.
            for file in (cube, copy):
                self.succeed("run", "stats", file, "-o",
                             self.folder / f"{file.stem}.stats.nc",
                             "--overwrite", "--progress", "none")

    def test_default_chunks_are_series(self):
        report = self.rechunk(self.cube)
        self.assertEqual(self.variable(report, "blue")["storage_chunks"],
                         [50, 41, 37])
        self.assertEqual(
            self.variable(report, "true_break_magnitude")["storage_chunks"],
            [41, 37, 3, 7])

    def test_bytes_depend_on_neither_threads_nor_memory(self):
        dates = self.folder / "dates.nc"
        self.rechunk(self.cube, "--storage-chunks", "time=1,y=41,x=37",
                     out=dates)
        wanted = None
        scratch = set()
        for options in (("--nthreads", 1), ("--nthreads", 2),
                        ("--nthreads", 7), ("--memory-limit", "512KiB"),
                        ("--memory-limit", "300kB", "--nthreads", 3)):
            out = self.folder / "out.nc"
            report = self.rechunk(dates, "--storage-chunks", "y=8,x=9",
                                  *options, out=out)
            scratch.add(self.variable(report, "blue")["scratch"])
            data = out.read_bytes()
            wanted = wanted or data
            self.assertEqual(data, wanted, options)
        self.assertEqual(scratch, {False, True})

    def test_random_chunks(self):
        chance = np.random.default_rng(5)
        for _ in range(12):
            chunks = ",".join(f"{d}={chance.integers(1, n + 3)}" for d, n in
                              (("time", 50), ("y", 41), ("x", 37)))
            kilobytes = int(chance.choice([700, 1500, 4000, 100000]))
            self.rechunk(self.cube, "--storage-chunks", chunks,
                         "--memory-limit", f"{kilobytes}kB",
                         "--deflate", int(chance.integers(0, 3)))

    def test_everything_that_netcdf_has(self):
        path = self.folder / "netcdf.nc"
        chance = np.random.default_rng(1)
        with netCDF4.Dataset(path, "w") as nc:
            nc.title = "grüne Wälder"
            nc.numbers = np.arange(3, dtype="i2")
            nc.setncattr_string("words", ["one", "two"])
            nc.empty = ""
            nc.createDimension("time", None)
            nc.createDimension("y", 30)
            nc.createDimension("x", 20)
            nc.createDimension("unused", 5)
            time = nc.createVariable("time", "i4", ("time",))
            time.units = "days since 2000-01-01"
            time[:] = np.arange(25)
            colours = nc.createEnumType("u1", "colours", {"red": 1, "blue": 2})
            nc.createVariable("colour", colours, ("y",))[:] = 2
            nc.createVariable("name", str, ("y",))[:] = np.array(
                [f"row {i}" for i in range(30)], dtype=object)
            nc.createVariable("letters", "S1", ("x",))[:] = np.array(
                list("abcdefghijklmnopqrst"), "S1")
            lat = nc.createVariable("lat", "f4", ("y", "x"), zlib=True)
            lat[:] = 1.5
            crs = nc.createVariable("crs", "i4", ())
            crs.grid_mapping_name = "latitude_longitude"
            for code, endian in (("i1", "native"), ("i2", "big"),
                                 ("u4", "little"), ("i8", "big"),
                                 ("f4", "big"), ("f8", "little")):
                v = nc.createVariable(
                    f"v_{code}", code, ("time", "y", "x"), zlib=True,
                    fletcher32=True, endian=endian, fill_value=7,
                    chunksizes=(1, 30, 20))
                v.set_auto_maskandscale(False)
                v.scale_factor = np.float32(0.1)
                v.coordinates = "lat"
                v.grid_mapping = "crs"
                v.valid_range = np.array([0, 100], code)
                v[:] = chance.integers(0, 100, (25, 30, 20))
            short = nc.createVariable("short", "i2", ("time", "y"),
                                      fill_value=-3)
            short[:4] = 9
            inner = nc.createGroup("more").createGroup("inner")
            inner.comment = "in a group"
            v = inner.createVariable("deep", "u2", ("time", "x", "y"))
            v.set_auto_maskandscale(False)
            v[:] = chance.integers(0, 9999, (25, 20, 30))
        report = self.rechunk(path, "--storage-chunks", "y=7")
        deep = self.variable(report, "more/inner/deep")
        self.assertEqual(deep["storage_chunks"], [25, 20, 7])
        copy = self.folder / "rechunked.nc"
        for group in (None, "more/inner"):
            with xr.open_dataset(path, group=group) as a, \
                    xr.open_dataset(copy, group=group) as b:
                self.assertTrue(a.identical(b))
        with netCDF4.Dataset(copy) as nc:
            self.assertTrue(nc.dimensions["time"].isunlimited())
            self.assertEqual(nc["colour"].datatype.name, "colours")
            self.assertEqual(nc["v_i2"].chunking(), [25, 7, 20])
            self.assertEqual(len(nc.dimensions["unused"]), 5)
            self.assertEqual(nc["v_i2"].scale_factor.dtype, np.float32)
        # A series that can grow still can.
        with netCDF4.Dataset(copy, "a") as nc:
            nc["v_i2"][25] = 5
            self.assertEqual(len(nc.dimensions["time"]), 26)
        self.json("cube", "info", copy)

    def test_everything_that_hdf5_has(self):
        path = self.folder / "plain.h5"
        chance = np.random.default_rng(2)
        shape = (12, 9, 11)
        with h5py.File(path, "w", userblock_size=512) as f:
            f.attrs["compound"] = np.array([(1, 2.5)], "i2,f8")
            f.attrs["nothing"] = h5py.Empty("f4")
            f.attrs.create("lists", np.array(
                [np.arange(3, dtype="i4"), np.arange(2, dtype="i4")],
                dtype=object), dtype=h5py.vlen_dtype("i4"))
            f["kind"] = np.dtype("i2,f4")
            f["table"] = np.zeros(5, f["kind"].dtype)
            data = chance.integers(-9, 9, shape).astype(">i2")
            f.create_dataset("a", data=data, chunks=(1, 9, 11),
                             compression="gzip")
            f["same"] = f["a"]
            f["group/soft"] = h5py.SoftLink("/a")
            f["group/broken"] = h5py.SoftLink("/nowhere")
            f["group/outside"] = h5py.ExternalLink("other.h5", "/b")
            f.create_dataset("contiguous", data=chance.normal(size=shape))
            f.create_dataset("never", shape, "f4", fillvalue=np.nan,
                             chunks=(3, 3, 3))
            partly = f.create_dataset("partly", shape, "i4", fillvalue=-7,
                                      chunks=(3, 3, 3))
            partly[4:6, 2:5, 1] = 3
            f.create_dataset("external", data=data[::-1].copy(),
                             external=[(str(self.folder / "raw.bin"), 0,
                                        h5py.h5f.UNLIMITED)])
            layout = h5py.VirtualLayout(shape, ">i2")
            layout[:] = h5py.VirtualSource(f["a"])
            f.create_virtual_dataset("virtual", layout)
        report = self.rechunk(path, "--dims", "time,y,x", "--storage-chunks",
                              "y=4,x=5")
        self.assertEqual(self.variable(report, "a")["storage_chunks"],
                         [12, 4, 5])
        self.assertEqual(self.variable(report, "never")["stored_bytes"], 0)
        with h5py.File(self.folder / "rechunked.nc") as new:
            self.assertEqual(new["same"], new["a"])

    def test_h5netcdf(self):
        path = self.folder / "h5netcdf.nc"
        with h5netcdf.File(path, "w") as f:
            f.dimensions = {"time": 9, "y": 8, "x": 7}
            f.create_variable("time", ("time",), "f8",
                              data=np.arange(9.0)).attrs["units"] = (
                                  "hours since 2000-01-01")
            f.create_variable("a", ("time", "y", "x"), "f4", fillvalue=-1.0,
                              chunks=(2, 3, 4))[...] = 5
        self.rechunk(path)

    def test_empty_dimensions(self):
        path = self.folder / "empty.h5"
        with h5py.File(path, "w") as f:
            f.create_dataset("a", (5, 0, 3), "i2")
            f.create_dataset("b", (5, 0, 3), "i2", chunks=(2, 2, 2),
                             maxshape=(None, None, None))
        done = self.json("cube", "rechunk", path, self.folder / "e.nc",
                         "--dims", "time,y,x")
        self.assertEqual(done["raw_bytes"], 0)

    def test_its_own_file(self):
        path = self.folder / "own.nc"
        path.write_bytes(self.cube.read_bytes())
        self.assert_fails(("cube", "rechunk", path, path), 2, "exists",
                          "overwrite")
        self.json("cube", "rechunk", path, path, "--overwrite")
        with xr.open_dataset(self.cube) as a, xr.open_dataset(path) as b:
            self.assertTrue(a.identical(b))
            self.assertEqual(b.blue.encoding["chunksizes"], (50, 41, 37))

    def test_errors(self):
        out = self.folder / "never.nc"

        def fails(code, *args):
            *options, part = args
            self.assert_fails(("cube", "rechunk", self.cube, out, *options),
                              code, part)
            self.assertEqual(list(self.folder.glob("never.nc*")), [])

        fails(2, "--storage-chunks", "tim=-1", "did you mean 'time'?")
        fails(2, "--storage-chunks", "y=0", "must be at least 1")
        fails(2, "--storage-chunks", "y", "--storage-chunks takes")
        fails(2, "--deflate", "10", "between 0 and 9")
        fails(2, "--nthreads", "0", "between 1 and 1024")
        fails(2, "--memory-limit", "many", "--memory-limit")
        fails(1, "--memory-limit", "20kB", "raise --memory-limit")
        fails(2, "--storage-chunks", "time=1,y=1,x=1", "--scratch-dir",
              str(self.folder / "no"), "--memory-limit", "100kB", "--group",
              "nowhere", "has no group")
        self.assert_fails(("cube", "rechunk", self.folder / "no.nc", out), 2,
                          "no such file")
        self.assert_fails(
            ("cube", "rechunk", self.cube, self.folder / "no" / "o.nc"), 2,
            "no")

    def test_no_folder_for_scratch(self):
        dates = self.folder / "scratch.nc"
        self.json("cube", "rechunk", self.cube, dates, "--storage-chunks",
                  "time=1,y=41,x=37", "--overwrite")
        self.assert_fails(
            ("cube", "rechunk", dates, self.folder / "never.nc",
             "--storage-chunks", "y=8,x=9", "--memory-limit", "300kB",
             "--scratch-dir", self.folder / "nowhere"), 2, "nowhere")
        self.assertEqual(list(self.folder.glob("never.nc*")), [])

    def test_a_corrupt_chunk(self):
        path = self.folder / "corrupt.nc"
        path.write_bytes(self.cube.read_bytes())
        with h5py.File(path) as f:
            info = f["nir"].id.get_chunk_info(3)
        with open(path, "r+b") as f:
            f.seek(info.byte_offset + info.size // 2)
            f.write(b"\x00" * 8)
        self.assert_fails(("cube", "rechunk", path, self.folder / "never.nc"),
                          1, "nir", "corrupt.nc")
        self.assertEqual(list(self.folder.glob("never.nc*")), [])


    def test_damaged_files(self):
        """An error line or a copy, and never a crash or half a file."""
        path = self.folder / "whole.h5"
        damaged_file_test.write_cube(path, "earliest", 3, True)
        data = path.read_bytes()
        damaged = self.folder / "damaged.h5"
        out = self.folder / "copy.h5"
        failed = 0
        for number, state in enumerate(itertools.chain(
                itertools.islice(damaged_file_test.heap_damages(data), 0, None,
                                 3),
                damaged_file_test.random_damages(data, 7, 60))):
            damaged.write_bytes(state)
            done = run("cube", "rechunk", damaged, out, "--overwrite")
            with self.subTest(number=number):
                self.assertGreaterEqual(done.returncode, 0, done.stderr[-500:])
                errors = [line for line in done.stderr.splitlines()
                          if line.startswith("error: ")]
                self.assertEqual(len(errors), min(done.returncode, 1))
                self.assertEqual(list(self.folder.glob("*.partial")), [])
            failed += done.returncode != 0
        self.assertGreater(failed, 0)


class InterruptTest(CommandTest):

    # Chunks of one number: seconds of work.
    cube_options = ("--size", "y=60,x=60", "--dates", "200", "--seed", "3")

    def test_signals_leave_nothing(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            out = self.folder / "out.nc"
            process = subprocess.Popen(
                [INTERNODE, "cube", "rechunk", str(self.cube), str(out),
                 "--storage-chunks", "time=1,y=1,x=1", "--progress", "json"],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                env=environment())
            # The first line of progress says that it is under way.
            self.assertIn("bytes_done", process.stderr.readline())
            self.assertTrue(pathlib.Path(f"{out}.partial").exists())
            process.send_signal(number)
            _, errors = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 128 + number, errors)
            self.assertEqual(list(self.folder.glob("out.nc*")), [])


@unittest.skipIf(SANITIZED, "a sanitizer keeps what is freed")
class MemoryTest(CommandTest):

    cube_options = ("--size", "y=160,x=160", "--dates", "400", "--seed", "3",
                    "--storage-chunks", "time=1,y=160,x=160", "--deflate", "1")

    def peak_bytes(self, *args):
        process = subprocess.Popen([INTERNODE, *map(str, args)],
                                   env=environment(),
                                   stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(process.returncode, 0, args)
        return usage.ru_maxrss * 1024

    def test_memory_is_bounded(self):
        """20 MB a variable, through scratch and not, within the limit."""
        idle = self.peak_bytes("cube", "info", self.cube, "--output", "quiet")
        out = self.folder / "out.nc"
        for limit in (8 << 20, 64 << 20):
            peak = self.peak_bytes(
                "cube", "rechunk", self.cube, out, "--overwrite",
                "--memory-limit", limit, "--progress", "none", "--output",
                "quiet", "--storage-chunks", "y=16,x=16")
            # What the allocators of two threads hold back, and the library's
            # own.
            self.assertLess(peak - idle, limit + (24 << 20))


if __name__ == "__main__":
    unittest.main()
