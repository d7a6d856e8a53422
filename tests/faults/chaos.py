#!/usr/bin/python3
"""Kills workers and the scheduler at random moments of one job, and compares
what comes out with the quiet run's.

    tests/faults/chaos.py --kills 200 --tasks 100000 --seed 7

Kill k of n happens at a random moment of the k-th of n + 1 equal parts of the
job, so that all of them hit it, however fast the machine is. The last line is
JSON. Ends with 0 if nothing was lost or doubled.
"""

import argparse
import json
import math
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "support")]
os.environ.setdefault("INTERNODE_BIN_DIR",
                      str(ROOT / "build" / "release" / "bin"))

import cluster  # noqa: E402
import processes  # noqa: E402

# What is killed, and how often of a hundred times.
VICTIMS = {"process": 55, "scheduler": 30, "machine": 10, "supervisor": 5}


def make_inputs(folder, tasks):
    """A cube with at least `tasks` pixels, and the function."""
    rows = math.isqrt(tasks)
    columns = -(-tasks // rows)
    cube = folder / "cube.nc"
    made = cluster.internode("simulate", cube, "--size",
                             f"y={rows},x={columns}", "--dates", 20, "--seed",
                             3, "--storage-chunks", "y=40,x=40", timeout=600)
    assert made.returncode == 0, made.stderr
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", f"-I{ROOT}",
                    ROOT / "tests" / "faults" / "trouble.c", "-o",
                    folder / "trouble.so"], check=True)
    return cube, rows * columns


class Chaos:
    def __init__(self, arguments, folder):
        self.arguments = arguments
        self.folder = folder
        self.chance = random.Random(arguments.seed)
        self.cube, self.tasks = make_inputs(folder, arguments.tasks)
        self.job = ["run", "trouble", self.cube, "--variables", "bands=nir",
                    "--chunks", "1", "--param", f"micros={arguments.micros}"]
        self.counts = dict.fromkeys(VICTIMS, 0)

    def quiet(self):
        """SHA-256 of what one process makes; the time of the function is in
        its parameters, so that it is spent here too, by many threads."""
        out = self.folder / "quiet.nc"
        done = cluster.internode(
            *self.job, "-o", out, "--nthreads", 16, "--function-path",
            self.folder, timeout=3600)
        assert done.returncode == 0, done.stderr
        return cluster.digest(out)

    def kill_one(self, c):
        [victim] = self.chance.choices(list(VICTIMS), VICTIMS.values())
        self.counts[victim] += 1
        if victim == "scheduler":
            c.restart_scheduler()
            return
        worker = self.chance.choice(c.workers)
        if victim == "process":
            processes.send(worker.random_pid(self.chance), signal.SIGKILL)
            return
        if victim == "machine":
            c.lose_worker(worker)
        else:
            c.workers.remove(worker)
            worker.kill()
            worker.close()
        c.start_worker()

    def disturbed(self):
        out = self.folder / "disturbed.nc"
        a = self.arguments
        with cluster.Cluster(
                self.folder, workers=2, nworkers=2,
                worker_args=["--function-path", self.folder],
                scheduler_args=["--durability", a.durability]) as c:
            run = c.start_command(*self.job, "-o", out)
            try:
                job_id = c.await_job_id()
                for kill in range(a.kills):
                    least = int((kill + self.chance.random()) * self.tasks /
                                (a.kills + 1))
                    info = c.rpc.await_job(
                        job_id, lambda job: job.tasks_done >= least,
                        f"{least} tasks", a.deadline)
                    self.kill_one(c)
                    if kill % 20 == 19:
                        print(f"{kill + 1} kills at {info.tasks_done} of "
                              f"{self.tasks} tasks", file=sys.stderr,
                              flush=True)
                _, errors = run.communicate(timeout=a.deadline)
            except BaseException:
                run.kill()
                print(run.communicate()[1], c.words(), file=sys.stderr)
                raise
            if run.returncode != 0:
                print(c.words(), file=sys.stderr)
                raise SystemExit(f"internode run ended with {run.returncode}: "
                                 f"{errors}")
        return cluster.digest(out)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--tasks", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--micros", type=int, default=1000,
                        help="how long the function dawdles over a pixel")
    parser.add_argument("--durability", default="fsync",
                        choices=["fsync", "os"])
    parser.add_argument("--deadline", type=float, default=600,
                        help="seconds for the next kill, and for the end")
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(prefix="internode-chaos-",
                                     ignore_cleanup_errors=True) as name:
        chaos = Chaos(arguments, pathlib.Path(name))
        expected = chaos.quiet()
        begin = time.monotonic()
        got = chaos.disturbed()
        print(json.dumps({
            "schema": 1, "seed": arguments.seed, "tasks": chaos.tasks,
            "kills": chaos.counts, "seconds": round(time.monotonic() - begin,
                                                    1),
            "sha256": got, "same": got == expected}))
    return 0 if got == expected else 1


if __name__ == "__main__":
    sys.exit(main())
