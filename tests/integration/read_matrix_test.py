#!/usr/bin/python3
"""Blocks equal what h5py reads: types x byte orders x layouts x chunk indexes
x filters x edges, of files by h5py, netCDF4, h5netcdf and our own writer."""

import ctypes
import itertools
import os
import pathlib
import subprocess
import tempfile
import unittest
import zlib

import h5netcdf
import h5py
import netCDF4
import numpy as np
from h5py import h5d, h5p, h5s, h5t, h5z

from block_server import BlockServer, expected_series

SIZES = {"time": 23, "y": 14, "x": 17}
DIMS = ("time", "y", "x")
TYPES = [order + code for code in ("i1", "i2", "i4", "i8", "u1", "u2", "u4",
                                   "u8", "f4", "f8") for order in "<>"]
ORDERS = list(itertools.permutations(DIMS))
# In the order of application. netCDF puts the checksum first.
FILTERS = [(), ("deflate",), ("shuffle",), ("fletcher32",),
           ("shuffle", "deflate"), ("deflate", "fletcher32"),
           ("shuffle", "deflate", "fletcher32"),
           ("fletcher32", "shuffle", "deflate"),
           ("shuffle", "fletcher32"), ("shuffle", "shuffle", "deflate"),
           ("deflate", "deflate")]
# Done by the HDF5 library.
LIBRARY_FILTERS = [("szip",), ("shuffle", "szip"), ("scaleoffset",), ("nbit",),
                   ("scaleoffset", "deflate"), ("nbit", "shuffle", "deflate")]
# Of core and non-core dimensions.
SPLITS = [(("time",), ("y", "x")), (("time",), ("x", "y")),
          (("x", "time"), ("y",)), (("y",), ("time", "x")),
          ((), ("time", "y", "x"))]


def numbers(chance, shape, dtype):
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return chance.normal(size=shape).astype(dtype)
    info = np.iinfo(dtype)
    return chance.integers(info.min, info.max, shape, dtype.newbyteorder("="),
                           endpoint=True).astype(dtype)


def set_filters(properties, filters):
    for name in filters:
        if name == "deflate":
            properties.set_deflate(4)
        elif name == "shuffle":
            properties.set_shuffle()
        elif name == "fletcher32":
            properties.set_fletcher32()
        elif name == "szip":
            properties.set_szip(h5z.SZIP_NN_OPTION_MASK, 8)
        elif name == "scaleoffset":
            properties.set_scaleoffset(h5z.SO_INT, 0)
        elif name == "nbit":
            properties.set_filter(h5z.FILTER_NBIT, h5z.FLAG_OPTIONAL, ())
        else:
            raise ValueError(name)


def create(file, name, shape, dtype, chunks=None, filters=(), grows=(),
           fill=None, properties=None):
    """A dataset, empty; along the axes `grows` it may grow."""
    properties = properties or h5p.create(h5p.DATASET_CREATE)
    if chunks:
        properties.set_chunk(tuple(chunks))
    set_filters(properties, filters)
    if fill is not None:
        properties.set_fill_value(np.array(fill, dtype))
    most = tuple(h5s.UNLIMITED if d in grows else n
                 for d, n in enumerate(shape))
    made = h5d.create(file.id, name.encode(),
                      h5t.py_create(np.dtype(dtype), logical=True),
                      h5s.create_simple(tuple(shape), most), properties)
    return h5py.Dataset(made)


def shuffled(raw, size):
    return np.frombuffer(raw, "u1").reshape(-1, size).T.tobytes()


class MatrixTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls._folder = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls._folder.name)
        cls.server = BlockServer()
        cls.chance = np.random.default_rng(11)

    @classmethod
    def tearDownClass(cls):
        asked = cls.server.asked
        cls.server.close()
        cls._folder.cleanup()
        print(f"{asked} selections were read")

    def tearDown(self):
        self.server.forget()

    # --- what is read, and what it should be ------------------------------

    def wanted(self, path, dims_of):
        """Name -> (dims, numbers), as h5py reads them."""
        with h5py.File(path) as f:
            return {name: (dims, f[name][()].astype(
                f[name].dtype.newbyteorder("=")))
                    for name, dims in dims_of.items()}

    def random_range(self, size):
        begin = int(self.chance.integers(0, size))
        kind = self.chance.integers(0, 4)
        if kind == 0:
            return 0, size
        if kind == 1:
            return begin, begin + 1
        return begin, int(self.chance.integers(begin, size)) + 1

    def check(self, path, wanted, rounds, dims=None, splits=None, slow=(),
              **more):
        """Reads random blocks of each variable, and of all of them. Those in
        `slow` alone are read by the HDF5 library, or are nowhere."""
        names = list(wanted)
        if dims is not None:
            more["dims"] = list(dims)
        for name in names:
            for core, noncore in splits or SPLITS:
                for _ in range(rounds):
                    self.check_one(path, wanted, [name], core, noncore, more)
                fast = self.server.fast["chunks"] + self.server.fast["bytes"]
                self.assertEqual(fast > 0, name not in slow, (name, fast))
        if len(names) > 1:
            for _ in range(rounds):
                some = list(self.chance.choice(names, min(4, len(names)),
                                               replace=False))
                core, noncore = (splits or SPLITS)[
                    self.chance.integers(len(splits or SPLITS))]
                self.check_one(path, wanted, some, core, noncore, more)

    def check_one(self, path, wanted, names, core, noncore, more):
        sizes = {}
        for name in names:
            sizes.update(zip(wanted[name][0], wanted[name][1].shape))
        core = [d for d in core if d in sizes]
        noncore = [d for d in noncore if d in sizes]
        ranges = [self.random_range(sizes[d]) for d in noncore]
        begin = [b for b, _ in ranges]
        end = [e for _, e in ranges]
        found = self.server.read(
            path, names, core, noncore, begin, end,
            threads=int(self.chance.choice([1, 1, 1, 3])), **more)
        where = (path.name, names, core, noncore, begin, end)
        self.assertNotIn("error", found, where)
        self.assertEqual({n for n, _ in found}, set(names))
        for (name, band), got in found.items():
            dims, data = wanted[name]
            self.assertEqual(band, -1)
            want = expected_series(dims, data, core, noncore, begin, end)
            self.assertEqual(got.dtype, want.dtype.newbyteorder("<"), where)
            self.assertEqual(got.tobytes(),
                             want.astype(got.dtype).tobytes(), where)

    def check_refused(self, path, name, dims, *parts):
        """One clear line instead of numbers."""
        answer = self.server.read(path, [name], ["time"], ["y", "x"], [0, 0],
                                  [1, 1], dims=list(dims))
        self.assertIn("error", answer)
        self.assertNotIn("\n", answer["error"])
        for part in (name, *parts):
            self.assertIn(part, answer["error"])

    # --- h5py: every index of storage chunks x every pipeline --------------

    def indexes(self, libver):
        """Name -> (chunk sizes of shape, axes that grow, early)."""
        def several(shape):
            return [max(1, (n + 2) // 3) for n in shape]

        def many(shape):
            # More than a page of a fixed array, a leaf of a B-tree.
            return [1, 1, 3]

        if libver == "earliest":
            return {"btree1": (several, (), False),
                    "btree1_deep": (many, (), False),
                    "btree1_grows": (several, (0, 1, 2), False),
                    "btree1_early": (several, (), True)}
        return {"single": (list, (), False),
                "implicit": (several, (), True),
                "implicit_many": (many, (), True),
                "fixed": (several, (), False),
                "fixed_paged": (many, (), False),
                "extensible": (several, (1,), False),
                "extensible_many": (many, (0,), False),
                "btree2": (several, (0, 2), False),
                "btree2_deep": (many, (0, 1, 2), False)}

    def test_indexes_and_filters(self):
        for libver in ("earliest", "latest"):
            path = self.folder / f"indexes_{libver}.h5"
            types = itertools.cycle(TYPES)
            orders = itertools.cycle(ORDERS)
            dims_of = {}
            with h5py.File(path, "w", libver=libver) as f:
                self.make_scales(f)
                for (index, (chunks, grows, early)), filters in (
                        itertools.product(self.indexes(libver).items(),
                                          FILTERS)):
                    if early and filters:
                        # No implicit index, and nothing that others lack.
                        continue
                    dims, dtype = next(orders), next(types)
                    shape = [SIZES[d] for d in dims]
                    properties = h5p.create(h5p.DATASET_CREATE)
                    if early:
                        properties.set_alloc_time(h5d.ALLOC_TIME_EARLY)
                    name = "_".join((index, *filters))
                    made = create(f, name, shape, dtype, chunks(shape),
                                  filters, grows, 3, properties)
                    made[...] = numbers(self.chance, shape, dtype)
                    self.attach(f, made, dims)
                    dims_of[name] = dims
            self.check(path, self.wanted(path, dims_of), 3, slow={
                name for name in dims_of
                if name.endswith(("_deflate_deflate", "_shuffle_shuffle_deflate"))})

    def make_scales(self, f):
        for dim, size in SIZES.items():
            f[dim] = np.arange(size)
            f[dim].make_scale(dim)

    def attach(self, f, dataset, dims):
        for axis, dim in enumerate(dims):
            dataset.dims[axis].attach_scale(f[dim])

    def test_types_and_edges(self):
        """Each type with storage chunks that fit, overlap and exceed."""
        path = self.folder / "types.h5"
        dims_of = {}
        orders = itertools.cycle(ORDERS)
        with h5py.File(path, "w") as f:
            self.make_scales(f)
            for dtype, (edge, chunks) in itertools.product(
                    TYPES, {"fits": (23, 7, 17), "cut": (9, 5, 4),
                            "ones": (1, 14, 17)}.items()):
                dims = next(orders)
                sizes = dict(zip(DIMS, chunks))
                name = f"{dtype[1:]}_{'big' if dtype[0] == '>' else 'little'}"
                name += f"_{edge}"
                made = create(f, name, [SIZES[d] for d in dims], dtype,
                              [sizes[d] for d in dims],
                              ("shuffle", "deflate"))
                made[...] = numbers(self.chance, made.shape, dtype)
                self.attach(f, made, dims)
                dims_of[name] = dims
            grown = create(f, "chunk_beyond", (23, 14, 17), "<i2",
                           (40, 30, 20), ("shuffle", "deflate"), (0, 1, 2))
            grown[...] = numbers(self.chance, grown.shape, "<i2")
            self.attach(f, grown, DIMS)
            dims_of["chunk_beyond"] = DIMS
        wanted = self.wanted(path, dims_of)
        self.check(path, wanted, 2)
        # Without and with little room for decompressed storage chunks.
        for cache in (0, 3000, 200000):
            self.check(path, wanted, 1, splits=SPLITS[:1], cache_bytes=cache)

    def test_layouts_without_chunks(self):
        path = self.folder / "layouts.h5"
        shape = [SIZES[d] for d in DIMS]
        names = []
        with h5py.File(path, "w", libver="latest") as f:
            for dtype in TYPES:
                name = f"contiguous_{dtype[1:]}_{'<>'.index(dtype[0])}"
                create(f, name, shape, dtype)[...] = numbers(
                    self.chance, shape, dtype)
                names.append(name)
            for dtype in (">i2", "<u1", ">f4"):
                properties = h5p.create(h5p.DATASET_CREATE)
                properties.set_layout(h5d.COMPACT)
                name = f"compact_{dtype[1:]}"
                create(f, name, shape, dtype, properties=properties)[...] = (
                    numbers(self.chance, shape, dtype))
                names.append(name)
            create(f, "never_written", shape, "<i4", fill=-5)
            create(f, "never_written_chunked", shape, ">i4", (5, 5, 5),
                   ("shuffle", "deflate"), fill=-6)
            outside = self.folder / "outside.bin"
            f.create_dataset("external", data=numbers(self.chance, shape, ">i2"),
                             external=[(str(outside), 64, h5py.h5f.UNLIMITED)])
            layout = h5py.VirtualLayout(tuple(shape), ">i2")
            layout[:12] = h5py.VirtualSource(f["external"])[:12]
            f.create_virtual_dataset("virtual", layout, fillvalue=-1)
            names += ["never_written", "never_written_chunked", "external",
                      "virtual"]
        self.check(path, self.wanted(path, dict.fromkeys(names, DIMS)), 4,
                   DIMS, slow={"external", "virtual", "never_written"})

    # --- what is stored is not all there is ---------------------------------

    def test_unallocated_chunks(self):
        """Storage chunks that were never written are the fill value."""
        shape = [SIZES[d] for d in DIMS]
        for libver in ("earliest", "latest"):
            path = self.folder / f"sparse_{libver}.h5"
            wanted = {}
            with h5py.File(path, "w", libver=libver) as f:
                for number, (grows, filters, fill, time) in enumerate(
                        itertools.product(
                            ((), (0,), (0, 1)), FILTERS[:5:2],
                            (None, -7), (h5d.FILL_TIME_IFSET,
                                         h5d.FILL_TIME_NEVER,
                                         h5d.FILL_TIME_ALLOC))):
                    dtype = TYPES[number % 8]
                    if fill is not None and dtype[1] == "u":
                        fill = 7
                    properties = h5p.create(h5p.DATASET_CREATE)
                    properties.set_fill_time(time)
                    name = f"v{number}"
                    made = create(f, name, shape, dtype, (4, 5, 6), filters,
                                  grows, fill, properties)
                    data = np.full(shape, fill or 0, dtype)
                    for t, y, x in itertools.product(range(0, 23, 4),
                                                     range(0, 14, 5),
                                                     range(0, 17, 6)):
                        if self.chance.random() < 0.3:
                            part = np.s_[t:t + 4, y:y + 5, x:x + 6]
                            data[part] = numbers(self.chance,
                                                 data[part].shape, dtype)
                            made[part] = data[part]
                    wanted[name] = (DIMS, data.astype(
                        data.dtype.newbyteorder("=")))
            self.check(path, wanted, 2, DIMS)

    def test_filter_masks(self):
        """Storage chunks that leave out some of the filters."""
        path = self.folder / "masks.h5"
        chunk = (6, 7, 8)
        with h5py.File(path, "w", libver="latest") as f:
            made = create(f, "a", (23, 14, 17), "<i4", chunk,
                          ("shuffle", "deflate"), fill=1)
            for number, at in enumerate(itertools.product(
                    range(0, 23, 6), range(0, 14, 7), range(0, 17, 8))):
                raw = numbers(self.chance, chunk, "<i4").tobytes()
                mask = number % 4
                if not mask & 1:
                    raw = shuffled(raw, 4)
                if not mask & 2:
                    raw = zlib.compress(raw)
                if number % 7 != 3:
                    made.id.write_direct_chunk(at, raw, mask)
        self.check(path, self.wanted(path, {"a": DIMS}), 60, DIMS)

    def test_edge_chunks_that_are_not_filtered(self):
        path = self.folder / "edges.h5"
        library = ctypes.CDLL(h5py.h5.__file__)
        if not hasattr(library, "H5Pset_chunk_opts"):
            maps = pathlib.Path("/proc/self/maps").read_text(encoding="utf-8")
            names = {line.split()[-1] for line in maps.splitlines()
                     if "libhdf5_serial.so" in line or "/libhdf5.so" in line}
            library = ctypes.CDLL(sorted(names)[0])
        with h5py.File(path, "w", libver="latest") as f:
            properties = h5p.create(h5p.DATASET_CREATE)
            properties.set_chunk((6, 5, 4))
            self.assertEqual(library.H5Pset_chunk_opts(
                ctypes.c_int64(properties.id), ctypes.c_uint(2)), 0)
            made = create(f, "a", (23, 14, 17), ">i2", (6, 5, 4),
                          ("shuffle", "deflate", "fletcher32"),
                          properties=properties)
            made[...] = numbers(self.chance, made.shape, ">i2")
        self.check(path, self.wanted(path, {"a": DIMS}), 40, DIMS)

    def test_sizes_that_change(self):
        """Shrunk, extended, and a dimension that others have outgrown."""
        for libver in ("earliest", "latest"):
            path = self.folder / f"resized_{libver}.h5"
            names = []
            with h5py.File(path, "w", libver=libver) as f:
                for grows in ((0,), (0, 1, 2)):
                    for filters in ((), ("shuffle", "deflate")):
                        name = f"v{len(names)}"
                        made = create(f, name, (23, 14, 17), "<i2", (4, 5, 6),
                                      filters, grows, -9)
                        made[...] = numbers(self.chance, made.shape, "<i2")
                        made.resize(9, 0)
                        if 1 in grows:
                            made.resize(6, 1)
                            made.resize(14, 1)
                        made.resize(23, 0)
                        names.append(name)
            self.check(path, self.wanted(path, dict.fromkeys(names, DIMS)), 6,
                       DIMS)

    def test_user_block(self):
        path = self.folder / "userblock.h5"
        with h5py.File(path, "w", libver="latest", userblock_size=2048) as f:
            for name, grows in (("fixed", ()), ("extensible", (0,)),
                                ("btree2", (0, 1))):
                made = create(f, name, (23, 14, 17), "<f4", (4, 5, 6),
                              ("shuffle", "deflate"), grows)
                made[...] = numbers(self.chance, made.shape, "<f4")
            create(f, "contiguous", (23, 14, 17), ">u2")[...] = numbers(
                self.chance, (23, 14, 17), ">u2")
        with open(path, "r+b") as f:
            f.write(b"#!/bin/sh\n" * 50)
        self.check(path, self.wanted(path, dict.fromkeys(
            ("fixed", "extensible", "btree2", "contiguous"), DIMS)), 6, DIMS)

    def test_empty_dimensions(self):
        path = self.folder / "empty.h5"
        with h5py.File(path, "w") as f:
            create(f, "a", (0, 4, 5), "<i2", (2, 2, 2), grows=(0,))
        got = self.server.read(path, ["a"], ["time"], ["y", "x"], [0, 0],
                               [4, 5], dims=list(DIMS))
        self.assertEqual(got["a", -1].shape, (20, 0))
        got = self.server.read(path, ["a"], ["y"], ["time", "x"], [0, 0],
                               [0, 5], dims=list(DIMS))
        self.assertEqual(got["a", -1].size, 0)

    # --- what the HDF5 library has to do, and what nobody can ----------------

    def test_filters_of_the_library(self):
        for libver in ("earliest", "latest"):
            path = self.folder / f"library_{libver}.h5"
            names = []
            with h5py.File(path, "w", libver=libver) as f:
                for filters, dtype in itertools.product(LIBRARY_FILTERS,
                                                        ("<i2", ">u4", "<i1")):
                    name = "_".join((*filters, dtype[1:]))
                    if "szip" in filters and not h5z.filter_avail(
                            h5z.FILTER_SZIP):
                        continue
                    made = create(f, name, (23, 14, 17), dtype, (8, 8, 8),
                                  filters)
                    made[...] = numbers(self.chance, made.shape, dtype)
                    names.append(name)
            self.check(path, self.wanted(path, dict.fromkeys(names, DIMS)), 2,
                       DIMS, slow=set(names))

    def test_filters_that_nobody_has(self):
        data = np.zeros((8, 8, 8), "i2")
        path = self.folder / "lzf.h5"
        with h5py.File(path, "w") as f:
            f.create_dataset("packed", data=data, chunks=(4, 4, 4),
                             compression="lzf")
            f.create_dataset("plain", data=data, chunks=(4, 4, 4))
        self.check_refused(path, "packed", DIMS, "lzf", "32000", str(path))
        got = self.server.read(path, ["plain"], ["time"], ["y", "x"], [0, 0],
                               [8, 8], dims=list(DIMS))
        self.assertFalse(got["plain", -1].any())
        for number, name in ((32015, "zstd"), (32001, "blosc"),
                             (32004, "lz4"), (31999, "filter 31999")):
            other = self.folder / f"filter_{number}.h5"
            raw = path.read_bytes()
            old, new = (n.to_bytes(2, "little") for n in (32000, number))
            self.assertEqual(raw.count(old), 1)
            other.write_bytes(raw.replace(old, new))
            self.check_refused(other, "packed", DIMS, name, str(number))

    def test_links_to_other_files(self):
        path = self.folder / "links.h5"
        with h5py.File(self.folder / "other.h5", "w") as f:
            f["b"] = np.ones((4, 5, 6), "i2")
        with h5py.File(path, "w") as f:
            f["a"] = numbers(self.chance, (4, 5, 6), "i2")
            f["b"] = h5py.ExternalLink("other.h5", "/b")
            f["c"] = h5py.SoftLink("/a")
        self.check(path, self.wanted(path, {"a": DIMS}), 3, DIMS)
        self.check_refused(path, "b", DIMS, "another file")

    def test_sources_that_are_missing(self):
        path = self.folder / "virtual.h5"
        with h5py.File(self.folder / "source.h5", "w") as f:
            f["s"] = np.ones((4, 5, 6), "i2")
        with h5py.File(path, "w", libver="latest") as f:
            layout = h5py.VirtualLayout((4, 5, 6), "i2")
            layout[:] = h5py.VirtualSource("source.h5", "s", (4, 5, 6))
            f.create_virtual_dataset("v", layout)
        self.check(path, self.wanted(path, {"v": DIMS}), 2, DIMS, slow={"v"})
        self.server.forget()
        (self.folder / "source.h5").unlink()
        self.check_refused(path, "v", DIMS, "source.h5")

    # --- other writers --------------------------------------------------------

    def test_netcdf4(self):
        for file_format in ("NETCDF4", "NETCDF4_CLASSIC"):
            path = self.folder / f"{file_format}.nc"
            codes = ["i1", "i2", "i4", "f4", "f8"]
            if file_format == "NETCDF4":
                codes += ["u1", "u2", "u4", "i8", "u8"]
            dims_of = {}
            orders = itertools.cycle(ORDERS)
            with netCDF4.Dataset(path, "w", format=file_format) as nc:
                for dim, size in SIZES.items():
                    nc.createDimension(dim, None if dim == "time" else size)
                for code, endian, (shuffle, checksum, chunks) in (
                        itertools.product(
                            codes, ("little", "big"),
                            ((True, False, None), (False, True, (4, 5, 6)),
                             (True, True, (23, 7, 3))))):
                    dims = next(orders)
                    if file_format == "NETCDF4_CLASSIC":
                        dims = DIMS
                    name = f"{code}_{endian}_{len(dims_of)}"
                    sizes = dict(zip(DIMS, chunks or ()))
                    v = nc.createVariable(
                        name, code, dims, zlib=True, shuffle=shuffle,
                        fletcher32=checksum, endian=endian,
                        chunksizes=[sizes[d] for d in dims] if chunks else None)
                    v.set_auto_maskandscale(False)
                    order = {"little": "<", "big": ">"}[endian]
                    v[:] = numbers(self.chance, [SIZES[d] for d in dims],
                                   order + code)
                    dims_of[name] = dims
            self.check(path, self.wanted(path, dims_of), 1)

    def test_h5netcdf(self):
        path = self.folder / "h5netcdf.nc"
        dims_of = {}
        with h5netcdf.File(path, "w") as f:
            f.dimensions = dict(SIZES)
            for dtype, dims in zip(("<i2", ">i4", "<f8", "u1"), ORDERS):
                name = f"v{len(dims_of)}"
                v = f.create_variable(name, dims, dtype, compression="gzip",
                                      shuffle=True, chunks=(5, 5, 5))
                v[...] = numbers(self.chance, [SIZES[d] for d in dims], dtype)
                dims_of[name] = dims
        self.check(path, self.wanted(path, dims_of), 3)

    def test_our_own(self):
        bin_dir = pathlib.Path(os.environ["INTERNODE_BIN_DIR"])

        def command(*args):
            subprocess.run([bin_dir / "internode", *map(str, args), "-q"],
                           check=True, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)

        cube = self.folder / "own.nc"
        command("simulate", cube, "--size", "y=30,x=34", "--dates", 23,
                "--storage-chunks", "time=9,y=7,x=8")
        names = ["blue", "thermal", "cfmask"]
        copies = [cube]
        for number, options in enumerate((
                ("--storage-chunks", "y=8,x=8"),
                ("--storage-chunks", "time=1", "--deflate", 0),
                ("--storage-chunks", "time=5,y=-1,x=3", "--deflate", 9))):
            copies.append(self.folder / f"own_{number}.nc")
            command("cube", "rechunk", cube, copies[-1], *options)
        wanted = self.wanted(cube, dict.fromkeys(names, DIMS))
        for path in copies:
            self.check(path, wanted, 3)

    def test_bands(self):
        """One variable with a band dimension: a series for each band."""
        path = self.folder / "bands.h5"
        with h5py.File(path, "w", libver="latest") as f:
            self.make_scales(f)
            f["band"] = np.arange(5)
            f["band"].make_scale("band")
            for name, dims, chunks in (
                    ("first", ("band", *DIMS), (1, 23, 5, 5)),
                    ("last", (*DIMS, "band"), (6, 5, 4, 5)),
                    ("cut", ("time", "band", "y", "x"), (4, 2, 14, 17))):
                sizes = {**SIZES, "band": 5}
                made = create(f, name, [sizes[d] for d in dims], "<i2", chunks,
                              ("shuffle", "deflate"))
                made[...] = numbers(self.chance, made.shape, "<i2")
                self.attach(f, made, dims)
        with h5py.File(path) as f:
            data = {name: ([list(d.keys())[0] for d in f[name].dims],
                           f[name][()]) for name in ("first", "last", "cut")}
        for name, (dims, array) in data.items():
            for _ in range(25):
                ranges = [self.random_range(SIZES[d]) for d in ("y", "x")]
                begin, end = zip(*ranges)
                found = self.server.read(path, [name], ["band", "time"],
                                         ["y", "x"], begin, end)
                self.assertEqual(len(found), 5)
                axis = dims.index("band")
                rest = [d for d in dims if d != "band"]
                for (_, band), got in found.items():
                    want = expected_series(rest, array.take(band, axis),
                                           ["time"], ["y", "x"], begin, end)
                    self.assertEqual(got.tobytes(), want.tobytes())


if __name__ == "__main__":
    unittest.main()
