"""A scheduler and workers as real processes, on free ports, in a private
folder."""

import hashlib
import itertools
import json
import pathlib
import random
import signal
import socket
import subprocess
import urllib.error
import urllib.request

import processes
import service_rpc
from processes import BIN


def digest(path):
    """SHA-256 of a file."""
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


def internode(*args, prefix=(), timeout=240, **kwargs):
    """The finished command; stdout and stderr as text."""
    return subprocess.run([*prefix, BIN / "internode", *map(str, args)],
                          text=True, capture_output=True, timeout=timeout,
                          env=processes.environment(), check=False, **kwargs)


class Worker(processes.Program):
    """A worker daemon: a supervisor and its processes."""

    def pids(self):
        """Of its processes, without the supervisor."""
        return processes.children(self.pid)

    def random_pid(self, chance):
        return chance.choice(processes.poll(
            self.pids, f"a process of {self.name}"))

    def kill_all(self):
        """The machine is lost: the supervisor and its processes at once."""
        family = [self.pid, *self.pids()]
        # None of them sees another one die before it dies itself.
        for pid in family:
            processes.send(pid, signal.SIGSTOP)
        for pid in family:
            processes.send(pid, signal.SIGKILL)
        self.process.wait()
        for pid in family[1:]:
            processes.await_end(pid)


class Cluster:
    """One scheduler, some worker daemons. Use it as a context.

    `scheduler_args` and `worker_args` are added to the command lines;
    `prefixes` are words before those of the scheduler and of the workers;
    `token_file` is what the commands and the calls show.
    """

    def __init__(self, folder, workers=1, nworkers=2, nthreads=1,
                 scheduler_args=(), worker_args=(), state_dir=None,
                 listen="127.0.0.1:0", worker_prefix=(), seed=1,
                 token_file=None):
        self.folder = pathlib.Path(folder)
        self.state_dir = pathlib.Path(state_dir or self.folder / "state")
        self.scheduler_args = list(scheduler_args)
        self.worker_args = list(worker_args)
        self.worker_prefix = list(worker_prefix)
        self.token_file = token_file
        self.nworkers, self.nthreads = nworkers, nthreads
        self.chance = random.Random(seed)
        self.scheduler = None
        self.workers = []
        self.rpc = None
        self._held = []
        self._listen = self._hold(listen)
        self._http = self._hold("127.0.0.1:0")
        self._count = workers
        self._names = itertools.count(1)
        self._closed = []

    def __enter__(self):
        try:
            self.start_scheduler()
            for _ in range(self._count):
                self.start_worker()
            self.await_cores(self._count * self.nworkers * self.nthreads)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.rpc is not None:
            self.rpc.close()
            self.rpc = None
        for program in [*self.workers, self.scheduler, *self._closed]:
            if program is not None:
                program.close()
        while self._held:
            self._held.pop().close()

    def _hold(self, address):
        """The address with a free port for 0, which nobody else is given while
        the scheduler is away: bound here, though not listened to."""
        host, port = address.rsplit(":", 1)
        if port != "0":
            return address
        held = socket.socket()
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind((host, 0))
        self._held.append(held)
        return f"{host}:{held.getsockname()[1]}"

    # The scheduler.

    def start_scheduler(self, await_ready=True):
        """Starts it; the second time, where it was."""
        self.scheduler = processes.Program(
            "scheduler",
            [BIN / "internode-scheduler", "--listen", self._listen, "--http",
             self._http, "--state-dir", self.state_dir, *self.scheduler_args],
            self.folder)
        if not await_ready:
            return
        said = self.scheduler.await_ready()
        self.address = said["address"]
        self.http = said.get("http", "")
        if self.rpc is None:
            token = self.token_file and self.token_file.read_text().strip()
            self.rpc = service_rpc.Rpc(self.address, token)

    def kill_scheduler(self):
        self.scheduler.kill()
        self._closed.append(self.scheduler)

    def restart_scheduler(self):
        self.kill_scheduler()
        self.start_scheduler()

    # Workers.

    def start_worker(self, *args, nworkers=None, prefix=None):
        name = f"worker{next(self._names)}"
        worker = Worker(
            name,
            [BIN / "internode-worker", self.address, "--name", name,
             "--nworkers", nworkers or self.nworkers, "--nthreads",
             self.nthreads, *self.worker_args, *args],
            self.folder, prefix=self.worker_prefix if prefix is None
            else prefix)
        self.workers.append(worker)
        return worker

    def lose_worker(self, worker):
        worker.kill_all()
        self.workers.remove(worker)
        self._closed.append(worker)

    def worker_pids(self):
        return [pid for worker in self.workers for pid in worker.pids()]

    def await_cores(self, cores, seconds=60):
        """Until the workers have so many slots together."""
        return processes.poll(
            lambda: self.rpc.get_cluster(
                peer=service_rpc.peer()).cores == cores,
            f"{cores} cores", seconds)

    def await_workers(self, count, seconds=60):
        """Until the scheduler counts so many worker processes."""
        return processes.poll(
            lambda: len(self.rpc.list_workers().workers) == count,
            f"{count} workers", seconds)

    # What a user does.

    def where(self, token_file=None):
        """The flags by which commands connect."""
        token_file = token_file or self.token_file
        shown = ["--token-file", token_file] if token_file else []
        return ["--scheduler", self.address, *shown]

    def command(self, *args, token_file=None, **kwargs):
        """An `internode` command at this scheduler."""
        return internode(*args, *self.where(token_file), **kwargs)

    def json(self, *args, **kwargs):
        done = self.command(*args, "--output", "json", **kwargs)
        assert done.returncode == 0, done.stderr + done.stdout
        return json.loads(done.stdout)

    def start_command(self, *args, **kwargs):
        """The same, started and not waited for."""
        return subprocess.Popen(
            [BIN / "internode", *map(str, [*args, *self.where()])],
            text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=processes.environment(), **kwargs)

    def await_job_id(self, seconds=60):
        """The id of the one job that has been submitted."""
        return processes.poll(
            lambda: self.rpc.list_jobs().jobs, "a job", seconds)[-1].id

    def get(self, path):
        """Status and text of a page of the scheduler."""
        try:
            with urllib.request.urlopen(self.http + path,
                                        timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def words(self):
        """What the daemons said, for who looks into a failure."""
        return "\n".join(
            f"==== {log.name}\n{log.read_text(errors='replace')[-6000:]}"
            for log in sorted(self.folder.glob("*.log")))
