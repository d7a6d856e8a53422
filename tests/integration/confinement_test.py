#!/usr/bin/python3
"""What workers read: files below their data roots, and nothing that only looks
as if it were there. Each attempt is refused, in one line, and the worker goes
on."""

import os
import pathlib
import subprocess
import tempfile
import threading
import unittest

import h5py
import numpy as np

import processes
from cluster import Cluster, internode

SHAPE = (8, 12, 12)


def write_cube(path, write):
    """A cube whose variable `red` is made by `write(file)`."""
    with h5py.File(path, "w") as file:
        for name, size in zip(("time", "y", "x"), SHAPE):
            file[name] = np.arange(size, dtype="f8")
            file[name].make_scale(name)
        file["time"].attrs["units"] = "days since 2000-01-01"
        write(file)
        if "red" in file and file.get("red", getlink=True).__class__ \
                is h5py.HardLink:
            for axis, name in enumerate(("time", "y", "x")):
                file["red"].dims[axis].attach_scale(file[name])


def plain(file):
    values = np.arange(np.prod(SHAPE), dtype="i2").reshape(SHAPE)
    file.create_dataset("red", data=values)


class ConfinementTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls._folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls._folder.cleanup)
        folder = pathlib.Path(cls._folder.name)
        cls.root, cls.outside = folder / "root", folder / "outside"
        cls.root.mkdir()
        cls.outside.mkdir()
        cls.good = cls.root / "good.nc"
        cls.secret = cls.outside / "secret.nc"
        write_cube(cls.good, plain)
        write_cube(cls.secret, lambda file: file.create_dataset(
            "red", data=np.full(SHAPE, 7, "i2")))
        (cls.outside / "secret.raw").write_bytes(bytes(2 * np.prod(SHAPE)))
        (cls.root / "inside.raw").write_bytes(bytes(2 * np.prod(SHAPE)))
        cls.cluster = Cluster(folder, nworkers=1,
                              worker_args=["--data-root", cls.root])
        cls.cluster.__enter__()
        cls.addClassCleanup(cls.cluster.close)

    def run_on(self, path, *words):
        return self.cluster.command(
            "run", "stats", path, "-o", self.outside / "out.nc", "--overwrite",
            *words, timeout=60)

    def tearDown(self):
        """The same worker, not one that was started after a crash."""
        self.assertNotIn("died", self.cluster.workers[0].words(10**6))
        self.assertEqual(self.run_on(self.good).returncode, 0)

    def assert_refused(self, path, *parts):
        done = self.run_on(path)
        self.assertIn(done.returncode, (2, 4), done.stderr + done.stdout)
        lines = [line for line in done.stderr.splitlines()
                 if line.startswith("error: ")]
        self.assertEqual(len(lines), 1, done.stderr)
        for part in parts:
            self.assertIn(part, lines[0])

    def in_root(self, name, write):
        path = self.root / name
        write_cube(path, write)
        self.addCleanup(path.unlink)
        return path

    def test_paths_out_of_the_roots(self):
        self.assert_refused(self.secret, "is not under a data root")
        self.assert_refused(f"{self.root}/../outside/secret.nc",
                            "is not under a data root")
        link = self.root / "link.nc"
        link.symlink_to(self.secret)
        self.addCleanup(link.unlink)
        self.assert_refused(link, "is not under a data root")
        folder = self.root / "folder"
        folder.symlink_to(self.outside)
        self.addCleanup(folder.unlink)
        self.assert_refused(folder / "secret.nc", "is not under a data root")
        # Not even whether it is there is told.
        self.assert_refused(self.outside / "none.nc",
                            "is not under a data root")
        # Within the roots links and `..` are as good as others.
        inside = self.root / "inside.nc"
        inside.symlink_to(self.good)
        self.addCleanup(inside.unlink)
        self.assertEqual(self.run_on(inside).returncode, 0)
        self.assertEqual(
            self.run_on(f"{self.root}/../root/good.nc").returncode, 0)

    def test_what_is_no_file(self):
        for path in ("/dev/zero", "/proc/self/mem", "/dev/stdin", "/etc/passwd"):
            self.assert_refused(path, "is not under a data root")
        fifo = self.root / "fifo.nc"
        os.mkfifo(fifo)
        self.addCleanup(fifo.unlink)
        self.assert_refused(fifo, "is not a regular file")
        # Nobody has opened it: whoever writes finds no reader.
        with self.assertRaises(OSError):
            os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
        self.assert_refused(self.root, "is a folder")

    def test_without_roots_too(self):
        """/dev/zero and the like are no cubes for any worker."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        fifo = pathlib.Path(folder.name) / "fifo.nc"
        os.mkfifo(fifo)
        with Cluster(folder.name, nworkers=1) as cluster:
            for path in ("/dev/zero", "/proc/self/mem", "/proc/self/maps",
                         "/sys/kernel/notes", fifo):
                done = cluster.command("run", "stats", path, "-o",
                                       self.outside / "out.nc", timeout=60)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn("is not a regular file", done.stderr)

    def test_external_links(self):
        def link(file):
            file["red"] = h5py.ExternalLink(str(self.secret), "red")
        self.assert_refused(self.in_root("external.nc", link), "red")

        def soft(file):
            file["out"] = h5py.ExternalLink(str(self.secret), "/")
            file["red"] = h5py.SoftLink("/out/red")
        self.assert_refused(self.in_root("soft.nc", soft),
                            "a link to another file")
        # What it leads to is not opened: a pipe would hold the worker up.
        fifo = self.outside / "fifo"
        os.mkfifo(fifo)
        self.addCleanup(fifo.unlink)

        def pipe(file):
            file["out"] = h5py.ExternalLink(str(fifo), "/")
            file["red"] = h5py.SoftLink("/out/red")
        self.assert_refused(self.in_root("pipe.nc", pipe),
                            "a link to another file")

    def virtual(self, source, dataset="red"):
        def write(file):
            layout = h5py.VirtualLayout(shape=SHAPE, dtype="i2")
            layout[...] = h5py.VirtualSource(str(source), dataset, shape=SHAPE)
            file.create_virtual_dataset("red", layout)
        return write

    def pattern(self, source):
        """A file for each block along an unlimited dimension."""
        def write(file):
            space = h5py.h5s.create_simple(SHAPE, (h5py.h5s.UNLIMITED,) +
                                           SHAPE[1:])
            space.select_hyperslab((0, 0, 0), (h5py.h5s.UNLIMITED, 1, 1),
                                   SHAPE, SHAPE)
            creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            creation.set_virtual(space, os.fsencode(f"{source}%b"), b"red",
                                 h5py.h5s.create_simple(SHAPE))
            space.select_all()
            h5py.h5d.create(file.id, b"red", h5py.h5t.STD_I16LE, space,
                            creation)
        return write

    def test_virtual_sources(self):
        self.assertEqual(
            self.run_on(self.in_root("inside-virtual.nc",
                                     self.virtual(self.good))).returncode, 0)
        self.assertEqual(
            self.run_on(self.in_root("beside-virtual.nc",
                                     self.virtual("good.nc"))).returncode, 0)
        for name, source in (("absolute", self.secret),
                             ("relative", "../outside/secret.nc"),
                             ("device", "/dev/zero"),
                             ("memory", "/proc/self/mem")):
            with self.subTest(name=name):
                self.assert_refused(
                    self.in_root(f"{name}.nc", self.virtual(source)), "red")
        self.assert_refused(
            self.in_root("pattern.nc", self.pattern(self.secret)), "pattern")
        # By way of a second file.
        middle = self.in_root("middle.nc", self.virtual(self.secret))
        self.assert_refused(
            self.in_root("twice.nc", self.virtual(middle)), "further files")

        def link(file):
            file["red"] = h5py.ExternalLink(str(self.secret), "red")
        linked = self.in_root("linked.nc", link)
        self.assert_refused(
            self.in_root("by-link.nc", self.virtual(linked)),
            "links to another file")

    def test_external_storage(self):
        def stored(path):
            def write(file):
                file.create_dataset(
                    "red", shape=SHAPE, dtype="i2",
                    external=[(str(path), 0, h5py.h5f.UNLIMITED)])
            return write
        self.assertEqual(
            self.run_on(self.in_root(
                "raw.nc", stored(self.root / "inside.raw"))).returncode, 0)
        for name, path in (("raw-out", self.outside / "secret.raw"),
                           ("raw-passwd", "/etc/passwd"),
                           ("raw-zero", "/dev/zero"),
                           ("raw-up", f"{self.root}/../outside/secret.raw")):
            with self.subTest(name=name):
                self.assert_refused(self.in_root(f"{name}.nc", stored(path)),
                                    "red")

    def output(self):
        with h5py.File(self.outside / "out.nc") as file:
            return {name: file[name][...].tobytes() for name in file
                    if isinstance(file[name], h5py.Dataset)
                    and file[name].dtype.kind in "if"}

    def test_a_link_that_changes_all_the_time(self):
        """Whoever changes what a name leads to while it is opened."""
        self.assertEqual(self.run_on(self.good).returncode, 0)
        expected = self.output()
        link, new = self.root / "race.nc", self.root / "race.new"
        stop = threading.Event()

        def change():
            targets = [self.good, self.secret]
            while not stop.is_set():
                targets.reverse()
                new.symlink_to(targets[0])
                os.replace(new, link)
        link.symlink_to(self.good)
        self.addCleanup(link.unlink)
        thread = threading.Thread(target=change)
        thread.start()
        try:
            for _ in range(20):
                done = self.run_on(link)
                # Now it is the one inside, now it is refused; the other one
                # gives other numbers, and never these.
                if done.returncode == 0:
                    self.assertEqual(self.output(), expected)
        finally:
            stop.set()
            thread.join()


class PrivilegesTest(unittest.TestCase):

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def test_workers_get_no_new_privileges(self):
        with Cluster(self.folder, nworkers=1) as cluster:
            worker = cluster.workers[0]
            for pid in (worker.pid, *worker.pids()):
                status = pathlib.Path(f"/proc/{pid}/status").read_text()
                self.assertIn("NoNewPrivs:\t1", status)

    def test_filters_are_loaded_from_allowed_folders_only(self):
        """A filter that notes in a file that it was loaded."""
        plugins = self.folder / "plugins"
        plugins.mkdir()
        trace = self.folder / "loaded"
        source = self.folder / "filter.c"
        source.write_text(FILTER.replace("TRACE", str(trace)))
        flags = subprocess.run(
            ["pkg-config", "--cflags", "hdf5"], text=True, capture_output=True,
            check=True).stdout.split()
        subprocess.run(["gcc", "-shared", "-fPIC", *flags, source, "-o",
                        plugins / "libtrace.so"], check=True)
        cube = self.folder / "cube.nc"
        # Written by a process that may load it.
        subprocess.run(
            ["/usr/bin/python3", "-c", WRITE, cube], check=True,
            env=processes.environment(HDF5_PLUGIN_PATH=str(plugins)))
        self.assertTrue(trace.exists())
        trace.unlink()
        os.environ["HDF5_PLUGIN_PATH"] = str(plugins)
        self.addCleanup(os.environ.pop, "HDF5_PLUGIN_PATH")
        for name, words, loaded in (("off", [], False),
                                    ("on", ["--hdf5-plugins", plugins], True)):
            with self.subTest(name=name):
                (self.folder / name).mkdir()
                with Cluster(self.folder / name, nworkers=1,
                             worker_args=words) as cluster:
                    done = cluster.command("run", "stats", cube, "-o",
                                           self.folder / f"{name}.nc")
                    self.assertEqual(done.returncode == 0, loaded, done.stderr)
                    self.assertEqual(trace.exists(), loaded)
                    if not loaded:
                        self.assertIn("filter", done.stderr)


FILTER = """
#include <H5PLextern.h>
#include <fcntl.h>
#include <unistd.h>
static size_t filter(unsigned flags, size_t count, const unsigned values[],
                     size_t bytes, size_t* size, void** buffer) {
  return bytes;
}
static const H5Z_class2_t kClass = {
    H5Z_CLASS_T_VERS, 32761, 1, 1, "trace", NULL, NULL, filter};
H5PL_type_t H5PLget_plugin_type(void) { return H5PL_TYPE_FILTER; }
const void* H5PLget_plugin_info(void) {
  close(open("TRACE", O_CREAT | O_WRONLY, 0600));
  return &kClass;
}
"""

WRITE = """
import sys
import h5py
import numpy as np
with h5py.File(sys.argv[1], "w") as file:
    for name, size in (("time", 8), ("y", 12), ("x", 12)):
        file[name] = np.arange(size, dtype="f8")
        file[name].make_scale(name)
    file["time"].attrs["units"] = "days since 2000-01-01"
    red = file.create_dataset("red", data=np.ones((8, 12, 12), "i2"),
                              chunks=(8, 12, 12), compression=32761)
    for axis, name in enumerate(("time", "y", "x")):
        red.dims[axis].attach_scale(file[name])
"""


if __name__ == "__main__":
    unittest.main()
