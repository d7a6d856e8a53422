"""Damaged files end in an error line or in a description, never in a crash.

Makes small files of several kinds, damages their bytes in ways that are the
same in each run, and opens them with cube_dump or `internode segments info`.
"""

import os
import pathlib
import random
import resource
import subprocess
import tempfile
import unittest

import h5py
import numpy as np

import internode_command

BIN = pathlib.Path(os.environ["INTERNODE_BIN_DIR"])


def write_cube(path, libver, attributes, ordered):
    """A cube with scales, attributes of many kinds, a group and links."""
    with h5py.File(path, "w", libver=libver, track_order=ordered) as f:
        f.attrs["title"] = "a text of variable length"
        f.attrs["parts"] = ["one", "two"]
        for name, size in (("time", 4), ("y", 6), ("x", 5)):
            scale = f.create_dataset(name, data=np.arange(size, dtype="f8"),
                                     track_times=False)
            scale.make_scale(name)
        f["time"].attrs["units"] = "days since 2000-01-01"
        f["band"] = np.array(["red", "nir", "swir"], dtype=h5py.string_dtype())
        for band in ("red", "nir"):
            data = np.arange(120, dtype="i2").reshape(4, 6, 5)
            variable = f.create_dataset(
                band, data=data, chunks=(2, 3, 5), compression="gzip",
                shuffle=True, fillvalue=-1, track_order=ordered,
                track_times=False)
            for d, name in enumerate(("time", "y", "x")):
                variable.dims[d].attach_scale(f[name])
            for a in range(attributes):
                variable.attrs[f"a{a}"] = f"text {a}" if a % 3 else [a, 2, 3]
        f["red"].attrs["fixed"] = np.bytes_("fixed text")
        group = f.create_group("more", track_order=ordered)
        for v in range(10):
            group.create_dataset(f"v{v}", data=np.zeros((4, 6, 5), "f4"),
                                 track_times=False)
        f["soft"] = h5py.SoftLink("/more/v0")


def flip(data, *places):
    damaged = bytearray(data)
    for place in places:
        damaged[place] ^= 0xff
    return bytes(damaged)


def heap_damages(data):
    """Each byte of the headers in the first global heap collection."""
    start = data.index(b"GCOL")
    at = start + 16
    places = list(range(start, at))
    for _ in range(6):
        places += [at, at + 1, *range(at + 8, at + 16)]
        at += 16 + (int.from_bytes(data[at + 8:at + 16], "little") + 7) // 8 * 8
    for place in places:
        yield flip(data, place)
    # A collection of no bytes, and objects of none and of many.
    yield data[:start + 8] + bytes(8) + data[start + 16:]
    yield data[:start + 24] + bytes(8) + data[start + 32:]
    yield data[:start + 24] + b"\xff" * 7 + b"\x7f" + data[start + 32:]


def reference_damages(data):
    """Each byte of some references into the first global heap collection."""
    heap = data.index(b"GCOL").to_bytes(8, "little")
    at = data.find(heap)
    for _ in range(6):
        if at < 0:
            return
        for place in (*range(at - 4, at), *range(at, at + 12)):
            yield flip(data, place)
        at = data.find(heap, at + 1)


def random_damages(data, seed, count):
    """One byte to eight, flipped, cleared or set."""
    chance = random.Random(seed)
    for i in range(count):
        damaged = bytearray(data)
        for _ in range((1, 1, 1, 2, 8)[i % 5]):
            place = chance.randrange(len(data))
            damaged[place] = (damaged[place] ^ 0xff, 0, 0xff)[i % 3]
        yield bytes(damaged)


class DamagedFileTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        # The programs inherit them; what takes all memory is ended.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if internode_command.SANITIZED:
            # A sanitizer reserves addresses by the terabyte.
            os.environ["ASAN_OPTIONS"] = ":".join(
                [os.environ.get("ASAN_OPTIONS", ""), "hard_rss_limit_mb=4096",
                 "allocator_may_return_null=1"])
        else:
            resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def check(self, command, damages):
        """Runs `command` on each of `damages`; gives how many failed."""
        path = self.folder / "damaged.nc"
        failed = 0
        for number, data in enumerate(damages):
            path.write_bytes(data)
            done = subprocess.run(
                [*command, path], capture_output=True, check=False,
                env=internode_command.environment(), timeout=120)
            with self.subTest(number=number):
                self.assertGreaterEqual(done.returncode, 0, done.stderr[-500:])
                lines = done.stderr.decode(errors="replace").splitlines()
                errors = [line for line in lines if line.startswith("error: ")]
                self.assertEqual(len(errors), 0 if done.returncode == 0 else 1,
                                 lines)
            failed += done.returncode != 0
        return failed

    def check_cube(self, seed, libver, attributes, ordered):
        path = self.folder / "cube.h5"
        write_cube(path, libver, attributes, ordered)
        data = path.read_bytes()
        dump = [BIN / "cube_dump"]
        self.assertEqual(self.check(dump, [data]), 0)
        self.check(dump, heap_damages(data))
        self.check(dump, reference_damages(data))
        self.assertGreater(self.check(dump, random_damages(data, seed, 80)), 0)

    def test_old_format(self):
        self.check_cube(1, "earliest", 3, False)

    def test_old_format_in_order(self):
        self.check_cube(2, "earliest", 3, True)

    def test_new_format(self):
        self.check_cube(3, "latest", 3, True)

    def test_many_attributes(self):
        self.check_cube(4, "latest", 14, True)

    def test_many_attributes_without_order(self):
        self.check_cube(5, "latest", 14, False)

    def test_segment_file(self):
        subprocess.run([BIN / "segment_file_maker", self.folder], check=True)
        info = [BIN / "internode", "segments", "info"]
        for seed, name in enumerate(("grid", "samples", "empty")):
            data = (self.folder / f"{name}.nc").read_bytes()
            self.assertEqual(self.check(info, [data]), 0)
            self.check(info, heap_damages(data))
            self.check(info, random_damages(data, seed, 30))


if __name__ == "__main__":
    unittest.main()
