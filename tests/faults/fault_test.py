"""What the tests of faults share: a cube, the function `trouble`, gates, and
the bytes of the undisturbed run."""

import contextlib
import os
import pathlib
import random
import select
import subprocess
import tempfile
import unittest

import h5py
import numpy as np

import cluster
import processes
from cluster import digest, internode

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Same seed, same kills: printed with every failure.
SEED = int(os.environ.get("FAULTS_SEED", "1"))


class Gate:
    """A FIFO at which the function waits on one pixel, until it is opened. Who
    comes says so through a second one."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self._fds = []
        self._arrivals = b""
        self.open_for_ever()

    def shut(self):
        """From now on the function waits here."""
        os.unlink(self.path)
        for path in (self.path, f"{self.path}.arrivals"):
            os.mkfifo(path)
            self._fds.append(os.open(path, os.O_RDWR))

    def open_for_ever(self):
        """Nobody waits any more."""
        free = self.path.with_suffix(".free")
        free.write_bytes(b"")
        os.replace(free, self.path)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{self.path}.arrivals")
        for fd in self._fds:
            os.close(fd)
        self._fds = []

    def await_function(self, seconds=60):
        """Until the function comes here once more; its process."""
        deadline = processes.Deadline(seconds)
        while b"\n" not in self._arrivals:
            ready = select.select([self._fds[1]], [], [],
                                  deadline.left("the function at the gate"))
            if ready[0]:
                self._arrivals += os.read(self._fds[1], 4096)
        pid, _, self._arrivals = self._arrivals.partition(b"\n")
        return int(pid)


class FaultTest(unittest.TestCase):
    """A test with a temporary folder, one small cube and the function."""

    cube_options = ("--size", "y=20,x=24", "--dates", "30", "--seed", "3",
                    "--storage-chunks", "y=5,x=4")
    # Where the gate is: about the middle.
    pixel = (11, 13)
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="internode-faults-")
        cls.addClassCleanup(folder.cleanup)
        cls.shared = pathlib.Path(folder.name)
        cls._undisturbed = {}
        cls.functions = cls.shared / "functions"
        cls.functions.mkdir()
        subprocess.run(
            ["cc", "-shared", "-fPIC", "-O2", f"-I{ROOT}",
             ROOT / "tests" / "faults" / "trouble.c", "-o",
             cls.functions / "trouble.so"], check=True)
        cls.cube = cls.shared / "cube.nc"
        made = internode("simulate", cls.cube, *cls.cube_options)
        assert made.returncode == 0, made.stderr

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="internode-fault-",
                                             ignore_cleanup_errors=True)
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.gate = Gate(self.folder / "gate")
        self.addCleanup(self.gate.open_for_ever)
        self.chance = random.Random(f"{SEED} {self.id()}")

    def run(self, result=None):
        """Like unittest's; a failure is followed by what the daemons said."""
        self._clusters = []
        before = len(result.failures) + len(result.errors) if result else 0
        done = super().run(result)
        after = len(result.failures) + len(result.errors) if result else 0
        if after > before:
            print(f"seed {SEED}: {self.id()}", flush=True)
            for words in self._clusters:
                print(words, flush=True)
        return done

    def start_cluster(self, **options):
        """A cluster that ends with the test."""
        options.setdefault("seed", SEED)
        folder = self.folder / "cluster"
        folder.mkdir(exist_ok=True)
        options["worker_args"] = ["--function-path", self.functions,
                                  *options.get("worker_args", ())]
        made = cluster.Cluster(folder, **options)
        self.addCleanup(made.close)
        # Before the folder is gone.
        self.addCleanup(lambda: self._clusters.append(made.words()))
        return made.__enter__()

    # Jobs.

    def job(self, action="none", pixel=None, micros=0, chunks="y=5,x=4",
            cube=None, options=()):
        """The arguments of `internode run`, but the output's."""
        row, column = pixel or self.pixel
        arguments = ["run", "trouble", cube or self.cube, "--variables",
                     "bands=nir,red", "--chunks", chunks, "--param",
                     f"action={action}", "--param", f"micros={micros}",
                     *options]
        if action != "none":
            arguments += ["--param", f"row={row}", "--param",
                          f"column={column}"]
        if action == "gate":
            arguments += ["--param", f"path={self.gate.path}"]
        return arguments

    def undisturbed(self, job, code=0):
        """The file of the same job run by one thread in one process."""
        key = tuple(map(str, job))
        # The folder's cube is always the same.
        if key in self._undisturbed:
            return self._undisturbed[key]
        kept = str(self.cube) in key
        out = (self.shared / f"undisturbed{len(self._undisturbed)}.nc" if kept
               else self.folder / "undisturbed.nc")
        done = internode(*job, "-o", out, "--executor", "sync",
                         "--function-path", self.functions, "--overwrite")
        self.assertEqual(done.returncode, code, done.stderr)
        if kept:
            self._undisturbed[key] = out
        return out

    def start_run(self, cluster_, job, name="out.nc"):
        """`internode run` at a cluster: the process and its output file."""
        out = self.folder / name
        run = cluster_.start_command(*job, "-o", out, "--overwrite")
        self.addCleanup(self.end_process, run)
        return run, out

    def start_detached(self, cluster_, job):
        """Submits the job; its id."""
        done = cluster_.command(*job, "--detach")
        self.assertEqual(done.returncode, 0, done.stderr)
        job_id = cluster_.await_job_id()
        self.assertIn(job_id, done.stdout)
        return job_id

    def assert_fetched(self, cluster_, job_id, expected, code=0):
        """`job fetch` gives the bytes of `expected`; its stderr."""
        out = self.folder / f"{job_id}.nc"
        done = cluster_.command("job", "fetch", job_id, "-o", out,
                                "--overwrite")
        self.assertEqual(done.returncode, code, done.stderr)
        self.assert_same(out, expected)
        return done.stderr

    @staticmethod
    def spool_bytes(cluster_):
        return sum(file.stat().st_size
                   for file in cluster_.state_dir.glob("spool/*/*.frames"))

    @staticmethod
    def end_process(process):
        if process.poll() is None:
            process.kill()
        process.communicate()

    def finish(self, run, seconds=120, code=0):
        """Its stderr."""
        try:
            out, err = run.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.fail("internode run does not end")
        self.assertEqual(run.returncode, code, err + out)
        return err

    def assert_same(self, out, expected):
        self.assertEqual(digest(out), digest(expected),
                         self.difference(out, expected))

    @staticmethod
    def difference(out, expected):
        """The names of what differs between two segment files."""
        names = []
        with h5py.File(out) as got, h5py.File(expected) as wanted:
            for name in sorted(set(got) | set(wanted)):
                if (name not in got or name not in wanted or
                        got[name].shape != wanted[name].shape or
                        got[name][...].tobytes() !=
                        wanted[name][...].tobytes()):
                    names.append(name)
            names += [f"attribute {name}" for name in wanted.attrs
                      if name not in got.attrs or
                      str(got.attrs[name]) != str(wanted.attrs[name])]
        return f"differ: {names}"

    def assert_lacks_only(self, out, expected, pixels):
        """`out` has the records of `expected` in its order, but those of
        `pixels`, which have the status failed (4)."""
        with h5py.File(out) as got, h5py.File(expected) as wanted:
            status = got["pixel_status"][...]
            lost = np.zeros(status.shape, bool)
            for pixel in pixels:
                lost[pixel] = True
            np.testing.assert_array_equal(status == 4, lost)
            kept = ~lost[wanted["py"][...], wanted["px"][...]]
            self.assertLess(kept.sum(), kept.size)
            for name in ("row", "column", "sum", "py", "px"):
                np.testing.assert_array_equal(got[name][...],
                                              wanted[name][...][kept], name)

    def assert_done_once(self, cluster_, job_id=None):
        """Every task of the (only) job is done, and none is held."""
        job = cluster_.rpc.get_job(
            job_id=job_id or cluster_.await_job_id()).job
        self.assertEqual(job.tasks_done, job.tasks, job)
        self.assertEqual(job.tasks_leased, 0, job)
        self.assertEqual(job.tasks_failed, 0, job)
