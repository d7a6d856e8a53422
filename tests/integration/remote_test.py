"""The command with a scheduler and workers, all of them real processes."""

import contextlib
import glob
import json
import os
import pathlib
import select
import signal
import socket
import subprocess
import tempfile
import time
import unittest

import h5py

from internode_command import INTERNODE, CommandTest, environment, run

BIN = pathlib.Path(os.environ["INTERNODE_BIN_DIR"])


def wait_until(condition, seconds=30):
    """Whether `condition()` became true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        select.select([], [], [], 0.01)
    return True


def start(program, *args):
    """A daemon that said that it is ready, and what it said."""
    read, write = os.pipe()
    process = subprocess.Popen(
        [str(BIN / program), *map(str, args), "--ready-fd", str(write)],
        pass_fds=[write], stderr=subprocess.DEVNULL, env=environment())
    os.close(write)
    with os.fdopen(read) as lines:
        line = lines.readline()
    return process, line


@contextlib.contextmanager
def daemons(workers=2):
    """The address of a scheduler of its own, with a worker daemon."""
    with tempfile.TemporaryDirectory() as folder:
        scheduler, line = start(
            "internode-scheduler", "--listen", "127.0.0.1:0", "--http", "off",
            "--state-dir", pathlib.Path(folder) / "state", "--durability",
            "os", "--scheduler-file", pathlib.Path(folder) / "scheduler.json")
        processes = [scheduler]
        try:
            address = json.loads(line)["address"]
            if workers:
                processes.append(start("internode-worker", address,
                                       "--nworkers", workers)[0])
            yield address, pathlib.Path(folder) / "scheduler.json", scheduler
        finally:
            for process in reversed(processes):
                process.kill()
                process.wait()


def children(pid):
    """The descendants of `pid`."""
    parents = {}
    for stat in glob.glob("/proc/[0-9]*/stat"):
        with contextlib.suppress(OSError):
            text = pathlib.Path(stat).read_text()
            fields = text[text.rindex(")") + 2:].split()
            parents[int(text.split()[0])] = int(fields[1])
    found = {pid}
    before = 0
    while before != len(found):
        before = len(found)
        found |= {p for p, parent in parents.items() if parent in found}
    return found - {pid}


def gone(pid):
    """Whether the process has ended, reaped or not."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True
    return text[text.rindex(")") + 2:].split()[0] in "ZX"


class RemoteTest(CommandTest):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sync = cls.folder / "sync.nc"
        done = run("run", "harmonic", cls.cube, "-o", cls.sync, "--executor",
                   "sync")
        assert done.returncode == 0, done.stderr

    def assert_same_bytes(self, path):
        self.assertEqual(path.read_bytes(), self.sync.read_bytes())

    def test_a_scheduler_gives_the_bytes_of_one_process(self):
        with daemons() as (address, file, _):
            for i, options in enumerate((
                    ["--scheduler", address], ["--scheduler-file", file],
                    ["--executor", "distributed", address])):
                out = self.folder / f"scheduler{i}.nc"
                report = self.json("run", "harmonic", self.cube, "-o", out,
                                   *options)
                self.assert_same_bytes(out)
                self.assertEqual(report["executor"], "distributed")
                self.assertEqual(report["job"], f"j{i + 1:06}")
            # The folder is another one for the workers.
            out = self.folder / "relative.nc"
            self.succeed("run", "harmonic", self.cube.name, "-o", out,
                         env={"INTERNODE_SCHEDULER": address},
                         cwd=self.folder)
            self.assert_same_bytes(out)

    def test_parts_joined_are_the_whole(self):
        with daemons() as (address, _, _):
            parts = []
            for i in (1, 2, 3):
                parts.append(self.folder / f"part{i}.nc")
                self.succeed("run", "harmonic", self.cube, "-o", parts[-1],
                             "--job-id", i, "--job-total", 3, "--scheduler",
                             address)
            out = self.folder / "merged.nc"
            self.succeed("segments", "merge", *parts, "-o", out)
            self.assert_same_bytes(out)

    def test_a_local_cluster_gives_the_bytes_of_one_process(self):
        for i, options in enumerate((["--nprocs", "2", "--nthreads", "2"],
                                     ["--executor", "processes", "1"])):
            out = self.folder / f"local{i}.nc"
            report = self.json("run", "harmonic", self.cube, "-o", out,
                               *options)
            self.assert_same_bytes(out)
            self.assertEqual(report["executor"], "processes")
            self.assertIsNone(report["job"] or None)

    def test_info_lines(self):
        done = self.succeed("info", "--nprocs", "2", "--nthreads", "3")
        names = [line.split(":")[0] for line in done.stdout.splitlines()]
        self.assertEqual(names, ["Scheduler", "Host", "Dashboard", "Workers",
                                 "Cores", "Memory"])
        self.assertIn("Workers: 2\nCores: 6\n", done.stdout)
        for kind, cores in (("sync", 1), ("threads", 3)):
            done = self.succeed("info", "--executor", kind, str(cores))
            self.assertEqual(len(done.stdout.splitlines()), 6)
            self.assertIn("Scheduler: none\n", done.stdout)
            self.assertIn(f"Workers: 1\nCores: {cores}\n", done.stdout)
        with daemons(workers=0) as (address, _, _):
            for options, lines in (([], 6), (["--no-ip"], 4),
                                   (["--no-ip", "--no-dashboard"], 3)):
                done = self.succeed("info", "--scheduler", address, *options)
                self.assertEqual(len(done.stdout.splitlines()), lines)
                self.assertIn("Workers: 0\nCores: 0\n", done.stdout)
            info = self.json("info", "--scheduler", address)
            self.assertEqual(info["scheduler"], address)

    def test_workers_describe_cubes_and_functions(self):
        with daemons(workers=1) as (address, _, _):
            at = ["--scheduler", address]
            for options in ([], ["--output", "json"], ["--output", "quiet"]):
                for words in (["cube", "info", self.cube], ["functions"],
                              ["functions", "ccdc"]):
                    local = self.succeed(*words, *options)
                    there = self.succeed(*words, *options, *at)
                    self.assertEqual(there.stdout, local.stdout, words)
            # The worker's folder is another one.
            self.succeed("cube", "info", self.cube.name, *at, cwd=self.folder)
            self.assert_fails(["cube", "info", "/nonexistent.nc", *at], 2,
                              "/nonexistent.nc")
            self.assert_fails(["functions", "harmonik", *at], 2, "'harmonik'",
                              "did you mean 'harmonic'?")
            self.assert_fails(["functions", "--function-path", self.folder,
                               *at], 2, "internode-worker")
        with daemons(workers=0) as (address, _, _):
            self.assert_fails(["functions", "--scheduler", address], 1,
                              "no worker is connected")

    def test_names_that_are_not_utf_8_are_described(self):
        path = self.folder / "latin1.nc"
        path.write_bytes(self.cube.read_bytes())
        with h5py.File(path, "r+") as file:
            file.attrs["place"] = b"M\xfcnchen"
        with daemons(workers=1) as (address, _, _):
            local = self.json("cube", "info", path)
            self.assertEqual(self.json("cube", "info", path, "--scheduler",
                                       address), local)
            self.assertIn("M\ufffdnchen", local["attributes"]["place"])

    def test_a_run_needs_no_file_of_the_client(self):
        hidden = self.folder / "hidden"
        hidden.mkdir()
        cube = hidden / "cube.nc"
        cube.write_bytes(self.cube.read_bytes())
        # There the folder is empty.
        elsewhere = ["unshare", "--mount", "sh", "-c",
                     'mount -t tmpfs none "$0" && exec "$@"', str(hidden)]
        if subprocess.run([*elsewhere, "true"], capture_output=True,
                          check=False).returncode != 0:
            self.skipTest("this user may not mount")
        out = self.folder / "elsewhere.nc"
        with daemons() as (address, _, _):
            for words in (["run", "harmonic", cube, "-o", out],
                          ["cube", "info", cube]):
                done = subprocess.run(
                    [*elsewhere, str(INTERNODE), *map(str, words),
                     "--scheduler", address], capture_output=True, text=True,
                    timeout=120, env=environment(), check=False)
                self.assertEqual(done.returncode, 0, done.stderr)
        with h5py.File(out) as got, h5py.File(self.sync) as wanted:
            for name in wanted:
                if wanted[name].dtype.kind != "O":
                    self.assertEqual(got[name][...].tobytes(),
                                     wanted[name][...].tobytes(), name)

    def test_a_detached_job_is_taken_up_again(self):
        with daemons() as (address, _, _):
            at = ["--scheduler", address]
            left = self.json("run", "harmonic", self.cube, "--detach",
                             "--job-name", "mine", *at)
            job = left["job"]
            self.assertEqual(self.json("job", "wait", job, *at)["state"],
                             "completed")
            out = self.folder / "fetched.nc"
            self.succeed("job", "fetch", job, "-o", out, *at)
            self.assert_same_bytes(out)
            jobs = self.json("job", "list", *at)["jobs"]
            self.assertEqual([(j["id"], j["name"]) for j in jobs],
                             [(job, "mine")])
            info = self.json("job", "info", job, *at)
            self.assertEqual(info["history"], left["history"])
            self.assertEqual(info["tasks_done"], info["tasks"])
            self.assertEqual(self.json("job", "failures", job, *at)["total"],
                             0)
            self.assertTrue(self.json("job", "explain", job, *at)["reasons"])
            self.assertTrue(
                self.json("job", "explain", job, "--task", "0",
                          *at)["reasons"])
            self.assertEqual(
                json.loads(self.succeed("job", "progress", job, "--output",
                                        "json", *at).stdout.splitlines()[-1])
                ["state"], "completed")
            self.assert_fails(["job", "fetch", job, "-o", out, *at], 2,
                              "exists")
            self.succeed("job", "forget", job, *at)
            for command in ("info", "wait", "cancel", "forget", "retry"):
                self.assert_fails(["job", command, job, *at], 2, job)

    def test_a_job_waits_for_workers_and_can_be_cancelled(self):
        with daemons(workers=0) as (address, _, scheduler):
            at = ["--scheduler", address]
            worker, _ = start("internode-worker", address)
            job = self.json("run", "harmonic", self.cube, "--detach", "--chunks",
                            "none", *at)["job"]
            worker.kill()
            worker.wait()
            state = self.json("job", "cancel", job, "--reason", "no more",
                              *at)["state"]
            self.assertIn(state, ("cancelled", "completed"))
            if state == "cancelled":
                done = run("job", "wait", job, *at)
                self.assertEqual(done.returncode, 5, done.stderr)
                self.assert_fails(["job", "fetch", job, "-o",
                                   self.folder / "none.nc", *at], 5,
                                  "no more")
                self.assertFalse((self.folder / "none.nc").exists())
            self.assertIsNone(scheduler.poll())

    def test_a_run_waits_for_the_first_worker_and_says_so(self):
        with daemons(workers=0) as (address, _, _):
            out = self.folder / "late.nc"
            waiting = subprocess.Popen(
                [INTERNODE, "run", "harmonic", str(self.cube), "-o", str(out),
                 "--scheduler", address], stderr=subprocess.PIPE,
                stdout=subprocess.DEVNULL, text=True, env=environment())
            worker = None
            try:
                self.assertIn("waiting for one", waiting.stderr.readline())
                worker, _ = start("internode-worker", address)
                errors = waiting.stderr.read()
                self.assertEqual(waiting.wait(), 0, errors)
            finally:
                waiting.kill()
                waiting.communicate()
                if worker is not None:
                    worker.kill()
                    worker.wait()
            self.assert_same_bytes(out)

    def test_workers_are_listed_and_drained(self):
        with daemons(workers=2) as (address, _, _):
            at = ["--scheduler", address]
            workers = self.json("worker", "list", *at)["workers"]
            self.assertEqual(len(workers), 2)
            self.json("worker", "drain", workers[0]["id"], *at)
            self.assert_fails(["worker", "drain", "w99999", *at], 2, "w99999")

    def test_interrupts_ask_once_and_then_detach(self):
        with daemons(workers=1) as (address, _, _):
            at = ["--scheduler", address]
            out = self.folder / "interrupted.nc"

            def jobs():
                return {job["function"]: job for job in
                        self.json("job", "list", *at)["jobs"]}

            # Keeps the worker busy, so that the run with a lower priority
            # waits.
            busy = subprocess.Popen(
                [INTERNODE, "bench", "tasks", "--tasks", "4000000000", *at],
                stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                env=environment())
            waiting = None
            try:
                self.assertTrue(wait_until(
                    lambda: jobs().get("noop", {}).get("tasks") == 4000000000))
                waiting = subprocess.Popen(
                    [INTERNODE, "run", "harmonic", str(self.cube), "-o",
                     str(out), "--progress", "none", "--priority", "-100",
                     *at], stderr=subprocess.PIPE,
                    stdout=subprocess.DEVNULL, text=True, env=environment())
                self.assertTrue(wait_until(lambda: "harmonic" in jobs()))
                # The file is made after the question is known.
                self.assertTrue(wait_until(
                    pathlib.Path(f"{out}.partial").exists))
                waiting.send_signal(signal.SIGINT)
                line = "…"
                while line and "press Ctrl-C again" not in line:
                    line = waiting.stderr.readline()
                self.assertIn("press Ctrl-C again", line)
                self.assertIsNone(waiting.poll())
                waiting.send_signal(signal.SIGINT)
                rest = waiting.stderr.read()
                self.assertEqual(waiting.wait(), 130, rest)
            finally:
                busy.kill()
                busy.wait()
                if waiting is not None:
                    waiting.kill()
                    waiting.wait()
                    waiting.stderr.close()
            job = jobs()["harmonic"]["id"]
            self.assertIn(f"internode job fetch {job} -o {out} --scheduler "
                          f"{address}", rest)
            self.assertFalse(out.exists())
            self.assertFalse(pathlib.Path(f"{out}.partial").exists())
            self.json("job", "cancel", jobs()["noop"]["id"], *at)
            self.succeed("job", "fetch", job, "-o", out, *at)
            self.assert_same_bytes(out)

    def test_a_killed_client_leaves_no_local_cluster(self):
        with tempfile.TemporaryDirectory() as temporary:
            process = subprocess.Popen(
                [INTERNODE, "bench", "latency", "--rounds", "1000000",
                 "--nprocs", "1"], env=environment(TMPDIR=temporary),
                stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            # The scheduler, the supervisor and its one process.
            self.assertTrue(wait_until(lambda: len(children(process.pid)) >= 3
                                       or process.poll() is not None))
            self.assertIsNone(process.poll())
            started = children(process.pid)
            process.kill()
            process.wait()
            self.assertTrue(wait_until(lambda: all(map(gone, started))))
            # The next cluster removes what the killed client left.
            self.succeed("info", "--nprocs", "1", env={"TMPDIR": temporary})
            self.assertEqual(os.listdir(temporary), [])

    def test_daemons_that_do_not_start_are_one_clear_line(self):
        with tempfile.TemporaryDirectory() as folder:
            program = pathlib.Path(folder) / "internode-scheduler"
            program.write_text("#!/bin/sh\necho 'no more paper' >&2\nexit 7\n")
            program.chmod(0o755)
            self.assert_fails(["info", "--nprocs", "1"], 1, "scheduler",
                              "exit code 7", "no more paper",
                              env={"INTERNODE_BIN_DIR": folder})

    def test_bad_addresses(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            nobody = f"127.0.0.1:{taken.getsockname()[1]}"
            self.assert_fails(["info", "--scheduler", nobody], 4, nobody,
                              "no scheduler answers")
            # What takes connections and says nothing.
            taken.listen()
            self.assert_fails(["job", "list", "--scheduler", nobody], 4,
                              nobody)
        self.assert_fails(["info", "--scheduler", "nowhere"], 2,
                          "not a scheduler's address")
        self.assert_fails(["info", "--scheduler-file", "/nonexistent/file"], 2,
                          "/nonexistent/file")

    def test_options_that_have_no_meaning_are_refused(self):
        for options in (["--detach"], ["--priority", "5"], ["--fail-fast"]):
            self.assert_fails(
                ["run", "stats", self.cube, "-o", self.folder / "x.nc",
                 "--executor", "sync", *options], 2, "--scheduler")
        self.assert_fails(["bench", "tasks", "--executor", "sync"], 2,
                          "--nprocs")
        with daemons() as (address, _, _):
            at = ["--scheduler", address]
            out = ["-o", self.folder / "x.nc"]
            self.assert_fails(["run", "stats", self.cube, *out,
                               "--function-path", self.folder, *at], 2,
                              "internode-worker --function-path")
            self.assert_fails(["run", "stats", self.cube, *out, "--chunks",
                               "z=3", *at], 2, "'z'")
            self.assert_fails(["run", "statz", self.cube, *out, *at], 2,
                              "did you mean 'stats'?")
            self.assert_fails(["run", "stats", "/nonexistent.nc", *out, *at],
                              2, "/nonexistent.nc")
            self.assert_fails(["job", "info", "j999999", *at], 2, "j999999")
            self.assert_fails(["job", "failures", "j1", "--limit", "0", *at],
                              2, "--limit")

    def test_benchmarks_print_json(self):
        tasks = json.loads(self.succeed(
            "bench", "tasks", "--tasks", "20000", "--submit-tasks", "1000000",
            "--nprocs", "2").stdout)
        self.assertEqual(tasks["cluster"]["cores"], 2)
        self.assertGreater(tasks["tasks_per_s"], 0)
        self.assertGreater(tasks["submit"]["ms"], 0)
        # The command, the scheduler, the supervisor and two workers.
        self.assertGreaterEqual(len(tasks["processes"]), 5)
        with daemons() as (address, _, _):
            latency = json.loads(self.succeed(
                "bench", "latency", "--rounds", "5", "--scheduler",
                address).stdout)
            self.assertLessEqual(latency["p50_ms"], latency["p99_ms"])
            spool = json.loads(self.succeed(
                "bench", "spool", "--mib", "4", "--scheduler",
                address).stdout)
            self.assertEqual(spool["bytes"], 4 << 20)
            # What was measured is not left on the scheduler.
            self.assertEqual(
                self.json("job", "list", "--scheduler", address)["jobs"], [])


if __name__ == "__main__":
    unittest.main()
