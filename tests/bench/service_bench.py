#!/usr/bin/python3
"""Measures the service as a user sees it, and dask.distributed beside it in the
same run. One command:

    tests/bench/service_bench.py --out service_bench.json

prints, and writes, one JSON value: for each measurement the median of
--repeats runs, each run, and the ratio to the peer where it has the same. The
machine should have nothing else to do: `foreign` says which share of its
processors others used.
"""

import argparse
import contextlib
import datetime
import json
import os
import pathlib
import platform
import signal
import statistics
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
import service_rpc  # noqa: E402
from service_rpc import message  # noqa: E402

MANY = 10_000_000
PIXEL_CHUNKS = 1  # CHUNK_KIND_NONE: one pixel a task.


def medians(runs):
    """Of each number in equal structures of dictionaries."""
    first = runs[0]
    if isinstance(first, dict):
        return {key: medians([run[key] for run in runs if key in run])
                for key in first}
    if isinstance(first, bool) or not isinstance(first, (int, float)):
        return first
    return statistics.median(runs)


def busy_seconds():
    """Processor time of the whole machine since it was started."""
    values = pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()
    busy = [int(v) for v in values[1:9]]
    return (sum(busy[:3]) + sum(busy[5:])) / os.sysconf("SC_CLK_TCK")


def thread_nanoseconds(pid):
    """Time that the threads of a process spent on a processor."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            total += int((task / "schedstat").read_text().split()[0])
    return total


def own_bench(name, options):
    """`internode bench NAME`, which starts a local cluster of its own."""
    done = cluster.internode("bench", name, *options, "--output", "json",
                             timeout=600)
    if done.returncode != 0:
        raise SystemExit(f"internode bench {name}: {done.stderr}")
    return json.loads(done.stdout)


class Bench:
    def __init__(self, arguments):
        self.a = arguments

    def tasks(self):
        return own_bench("tasks", ["--nprocs", 2, "--nthreads", 1])

    def latency(self):
        return own_bench("latency", ["--nprocs", 2, "--nthreads", 1])

    def latency_fsync(self):
        """The same, with daemons whose spool and journal are synced."""
        with self.cluster() as c:
            return own_bench("latency", ["--scheduler", c.address])

    def spool(self):
        return own_bench("spool", ["--nprocs", 2, "--nthreads", 1])

    def start(self):
        """A local cluster of two workers: until the command says what it is,
        and then until all is gone."""
        begin = time.perf_counter()
        command = subprocess.Popen(
            [processes.BIN / "internode", "info", "--nprocs", "2",
             "--nthreads", "1"], stdout=subprocess.PIPE, text=True,
            env=processes.environment())
        command.stdout.readline()
        ready = time.perf_counter()
        command.communicate()
        end = time.perf_counter()
        if command.returncode != 0:
            raise SystemExit(f"internode info ended with {command.returncode}")
        return {"start_ms": (ready - begin) * 1e3,
                "close_ms": (end - ready) * 1e3}

    @contextlib.contextmanager
    def cluster(self, **options):
        with tempfile.TemporaryDirectory(
                prefix="internode-bench-", ignore_cleanup_errors=True) as name:
            with cluster.Cluster(name, **options) as started:
                yield started

    def plan_many(self, c):
        """A job of 10 million tasks of one pixel that read nothing."""
        spec = message("JobSpec", function="noop", chunk_kind=PIXEL_CHUNKS)
        spec.shape.add(name="x", size=MANY)
        spec.variables.add(role="bands", variable="none")
        return c.rpc.plan_job(spec=spec).plan

    def submit(self):
        """A job of 10 million tasks, while the workers do not move."""
        with self.cluster() as c:
            plan = self.plan_many(c)
            for pid in c.worker_pids():
                processes.send(pid, signal.SIGSTOP)
            before = processes.resident_bytes(c.scheduler.pid)
            begin = time.perf_counter()
            c.rpc.submit_job(plan=plan, request_id=os.urandom(16))
            seconds = time.perf_counter() - begin
            after = processes.resident_bytes(c.scheduler.pid)
        return {"submit_ms": seconds * 1e3, "growth_mb": (after - before) / 1e6}

    def restart(self):
        """kill -9 of the scheduler when half of 10 million tasks are done."""
        with self.cluster() as c:
            job_id = c.rpc.submit_job(plan=self.plan_many(c),
                                      request_id=os.urandom(16)).job_id
            # More often than a watch tells: it is a matter of a second.
            processes.poll(
                lambda: c.rpc.get_job(job_id=job_id).job.tasks_done >=
                MANY // 2, "half of the job", interval=0.001)
            # Else they would be through before the kill.
            for pid in c.worker_pids():
                processes.send(pid, signal.SIGSTOP)
            half = c.rpc.get_job(job_id=job_id).job
            if half.tasks_done == MANY:
                raise SystemExit("the job ended before its scheduler could be "
                                 "killed")
            c.kill_scheduler()
            for pid in c.worker_pids():
                processes.send(pid, signal.SIGCONT)
            begin = time.perf_counter()
            c.start_scheduler()
            ready = time.perf_counter()
            done = c.rpc.get_job(job_id=job_id).job.tasks_done

            def leased():
                job = c.rpc.get_job(job_id=job_id).job
                return job.tasks_leased > 0 or job.tasks_done > done
            processes.poll(leased, "a lease", interval=0.002)
            end = time.perf_counter()
            c.rpc.await_end(job_id)
        return {"ready_ms": (ready - begin) * 1e3,
                "first_lease_ms": (end - begin) * 1e3,
                "tasks_done_at_restart": done}

    def idle(self):
        """The scheduler's processor time while two workers wait for work."""
        with self.cluster() as c:
            before = thread_nanoseconds(c.scheduler.pid)
            processes.let_pass(self.a.idle_seconds)
            used = thread_nanoseconds(c.scheduler.pid) - before
        return {"cpu_percent": used / 1e7 / self.a.idle_seconds}

    def harness(self):
        """CCDC on a compressed cube with two workers, and reading it and the
        function alone, in a loop: processor time of all processes."""
        with tempfile.TemporaryDirectory(prefix="internode-bench-") as name:
            cube = pathlib.Path(name) / "cube.nc"
            done = cluster.internode(
                "simulate", cube, "--size", "y=200,x=200", "--dates", "448",
                "--storage-chunks", "time=448,y=10,x=10")
            if done.returncode != 0:
                raise SystemExit(f"internode simulate: {done.stderr}")
            before = os.times()
            # Waits for its workers, so that their time is counted.
            done = cluster.internode(
                "run", "ccdc", cube, "-o", pathlib.Path(name) / "out.nc",
                "--nprocs", "2", "--nthreads", "1", timeout=600)
            after = os.times()
            if done.returncode != 0:
                raise SystemExit(f"internode run: {done.stderr}")
            loop = json.loads(subprocess.run(
                [processes.BIN / "internode_function_loop", cube, "ccdc"],
                check=True, capture_output=True, text=True).stdout)
        spent = (after.children_user + after.children_system -
                 before.children_user - before.children_system)
        harness = spent - loop["cpu_s"] - loop["read_cpu_s"]
        return {"cpu_s": spent, "function_cpu_s": loop["cpu_s"],
                "read_cpu_s": loop["read_cpu_s"], "pixels": loop["pixels"],
                "overhead_percent": 100 * harness / spent}

    def simulated(self):
        """What a task costs the scheduling core: 10,000 workers, no frames."""
        done = subprocess.run(
            [ROOT / "tests" / "sim" / "run", "--workers", "10000", "--tasks",
             str(MANY), "--seed", "1"], text=True, capture_output=True,
            check=True)
        return {"said": done.stdout.strip().splitlines()[-1]}


class Peer:
    """dask.distributed, by its scripts in a folder of the peers."""

    def __init__(self, folder, repeats, tasks):
        # Its scripts run in it, and their workers elsewhere.
        self.folder = pathlib.Path(folder).resolve()
        self.repeats, self.tasks = repeats, tasks
        missing = []
        if not (self.folder / "bench_tasks.py").is_file():
            missing.append(f"its scripts are not in '{self.folder}' (--peer)")
        if subprocess.run(["/usr/bin/python3", "-c", "import distributed"],
                          capture_output=True, check=False).returncode != 0:
            missing.append("/usr/bin/python3 has no module distributed "
                           "(apt-get install python3-distributed)")
        if missing:
            raise SystemExit("dask.distributed cannot be measured: " +
                             "; ".join(missing) + "; or give --without-peer")

    def run(self, script, *options):
        """The records that a script writes."""
        with tempfile.TemporaryDirectory(prefix="peer-") as name:
            out = pathlib.Path(name) / "out.jsonl"
            subprocess.run(
                ["/usr/bin/python3", script, *map(str, options), "--out", out],
                cwd=self.folder, check=True, stdout=subprocess.DEVNULL,
                env={**os.environ, "QUIET_WAIT": "3",
                     "PYTHONPATH": str(self.folder),
                     "PYTHONDONTWRITEBYTECODE": "1"})
            return [json.loads(line) for line in out.read_text().splitlines()]

    def tasks_and_latency(self):
        records = self.run("bench_tasks.py", "--backend", "dask-tcp",
                           "--sizes", self.tasks, "--repeats", self.repeats,
                           "--latency", 500)
        rates = [r["tasks_per_s"] for r in records
                 if r["test"] == "throughput"]
        [latency] = [r for r in records if r["test"] == "latency"]
        return {"tasks": {"tasks_per_s": statistics.median(rates),
                          "version": records[0]["version"]},
                "latency": {"p50_ms": latency["p50"],
                            "p99_ms": latency["p99"]}}

    def spool(self):
        records = self.run("bench_payload.py", "--backend", "dask-tcp",
                           "--repeats", self.repeats, "--n", 200)
        rates = [r["total_mb_per_s"] for r in records if r["how"] == "stream"]
        return {"spool": {"mb_per_s": statistics.median(rates)}}

    def start(self):
        [record] = self.run("bench_startup.py", "--backend", "dask-local",
                            "--repeats", self.repeats)
        ms = 1e3 * (record["import_s"]["p50"] + record["start_s"]["p50"])
        return {"start": {"start_ms": ms,
                          "close_ms": 1e3 * record["close_s"]["p50"]}}

    def measure(self, wanted):
        found = {}
        if {"tasks", "latency"} & wanted:
            found |= self.tasks_and_latency()
        if "spool" in wanted:
            found |= self.spool()
        if "start" in wanted:
            found |= self.start()
        return found


# Measurement, number, and whether more is better: what the peer has too.
COMPARED = (("tasks", "tasks_per_s", True), ("latency", "p50_ms", False),
            ("latency", "p99_ms", False), ("spool", "mb_per_s", True),
            ("start", "start_ms", False), ("start", "close_ms", False))

MEASUREMENTS = ("tasks", "latency", "latency_fsync", "spool", "start",
                "submit", "restart", "idle", "harness", "simulated")


def machine():
    model = [line.split(":", 1)[1].strip()
             for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
             if line.startswith("model name")]
    return {"processor": model[0] if model else platform.machine(),
            "cores": os.cpu_count(), "load": os.getloadavg()[0],
            "when": datetime.datetime.now(datetime.timezone.utc).isoformat(
                timespec="seconds")}


def repeated(measure, repeats, name):
    runs = []
    for i in range(repeats):
        busy, begin = busy_seconds(), time.perf_counter()
        own = os.times()
        runs.append(measure())
        seconds = time.perf_counter() - begin
        now = os.times()
        spent = (now.children_user + now.children_system -
                 own.children_user - own.children_system)
        share = max(0.0, busy_seconds() - busy - spent) / seconds
        runs[-1]["foreign"] = round(share / os.cpu_count(), 3)
        print(f"{name} {i + 1}/{repeats}: {json.dumps(runs[-1])}",
              file=sys.stderr, flush=True)
    return {"median": medians(runs), "runs": runs}


def compare(result, peer):
    """How many times better than the peer."""
    ratios = {}
    for name, number, more in COMPARED:
        ours = result.get(name, {}).get("median", {}).get(number)
        theirs = peer.get(name, {}).get(number)
        if ours and theirs:
            ratio = ours / theirs if more else theirs / ours
            ratios[f"{name}.{number}"] = round(ratio, 2)
    return ratios


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", action="append", choices=MEASUREMENTS)
    parser.add_argument("--idle-seconds", type=float, default=20)
    parser.add_argument("--peer", type=pathlib.Path,
                        default=ROOT.parent / "shared" / "peers" / "dask",
                        help="folder of its scripts")
    parser.add_argument("--peer-tasks", type=int, default=10_000,
                        help="of one run; a second does some hundred")
    parser.add_argument("--without-peer", action="store_true")
    parser.add_argument("--out", type=pathlib.Path)
    arguments = parser.parse_args()
    wanted = arguments.only or list(MEASUREMENTS)
    peer_bench = None
    if not arguments.without_peer:
        peer_bench = Peer(arguments.peer, arguments.repeats,
                          arguments.peer_tasks)
    result = {"schema": 1, "machine": machine(), "repeats": arguments.repeats}
    bench = Bench(arguments)
    for name in wanted:
        repeats = 1 if name == "simulated" else arguments.repeats
        result[name] = repeated(getattr(bench, name), repeats, name)
    if peer_bench is not None:
        result["peer"] = peer_bench.measure(set(wanted))
        result["times_better_than_peer"] = compare(result, result["peer"])
    text = json.dumps(result, indent=1)
    print(text)
    if arguments.out:
        arguments.out.write_text(text + "\n")


if __name__ == "__main__":
    main()
