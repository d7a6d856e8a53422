"""What the tests of deploying share: Docker's commands, a cube, a job."""

import contextlib
import hashlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

import processes
from processes import BIN

ROOT = pathlib.Path(os.environ["INTERNODE_SOURCE_DIR"])
DEPLOY = ROOT / "deploy"
IMAGE = os.environ.get("INTERNODE_TEST_IMAGE", "internode:test")


def run(*words, timeout=300, check=True, **kwargs):
    """The finished command; stdout and stderr as text."""
    done = subprocess.run(list(map(str, words)), text=True,
                          capture_output=True, timeout=timeout, check=False,
                          **kwargs)
    if check and done.returncode != 0:
        raise AssertionError(f"{words} ended with {done.returncode}:\n"
                             f"{done.stdout}{done.stderr}")
    return done


def docker(*words, **kwargs):
    return run("docker", *words, **kwargs).stdout.strip()


def compose_program():
    """The words of Compose: those that are set, docker-compose, or the plugin
    of docker where there is one."""
    if os.environ.get("INTERNODE_TEST_COMPOSE"):
        return os.environ["INTERNODE_TEST_COMPOSE"].split()
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    return ["docker", "compose"]


def digest(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def crash(container):
    """Ends the container's processes as a fault would; Docker then starts it
    again, which it does not after `docker kill`."""
    pid = int(docker("inspect", "-f", "{{.State.Pid}}", container))
    if pid > 0:
        processes.send(pid, signal.SIGKILL)


class Project:
    """A project of Compose, of some of the files in deploy/."""

    def __init__(self, name, files, **settings):
        self.words = [*compose_program(), "-p", name]
        for file in files:
            self.words += ["-f", str(file)]
        self.settings = {"INTERNODE_IMAGE": IMAGE, **settings}

    def __call__(self, *words, **kwargs):
        environment = {**os.environ, **{k: str(v) for k, v in
                                        self.settings.items()}}
        return run(*self.words, *words, env=environment, **kwargs)

    def containers(self, service):
        return self("ps", "-q", service).stdout.split()

    def await_health(self, service, count=1, seconds=180):
        def healthy():
            ids = self.containers(service)
            return len(ids) == count and all(
                docker("inspect", "-f", "{{.State.Health.Status}}", one)
                == "healthy" for one in ids)
        processes.poll(healthy, f"{count} healthy {service}", seconds, 0.5)

    def secret(self, path, target):
        """A file that the service `secrets` made."""
        text = self("run", "--rm", "-T", "secrets", "cat",
                    f"/secrets/{path}").stdout
        target.touch(0o600)
        target.write_text(text)

    def down(self):
        self("down", "-v", "--timeout", "5", "--remove-orphans", check=False)

    def logs(self):
        return self("logs", "--no-color", "--tail", "60", check=False).stdout


class DeployTest(unittest.TestCase):
    """A folder with a cube, and the file that `--executor sync` makes of it."""

    SIZE = "y=160,x=160"

    @classmethod
    def setUpClass(cls):
        # The engine sees the same files, so not in a private /tmp.
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="internode-deploy-"))
        cls.folder.chmod(0o755)
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.data = cls.folder / "data"
        cls.data.mkdir()
        cls.cube = cls.data / "cube.nc"
        cls.internode("simulate", cls.cube, "--size", cls.SIZE, "--dates",
                      "200", "--seed", "5", "--storage-chunks", "y=10,x=10")
        cls.cube.chmod(0o644)
        cls.want = cls.folder / "sync.nc"
        cls.internode("run", "ccdc", cls.cube, "-o", cls.want, "--chunks",
                      "y=10,x=10", "--executor", "sync", "--progress", "none")

    @staticmethod
    def internode(*words, check=True, timeout=600):
        return run(BIN / "internode", *words, check=check, timeout=timeout,
                   env=processes.environment())

    def start_job(self, where, name):
        """The command that runs the job there, started."""
        out = self.folder / name
        process = subprocess.Popen(
            [BIN / "internode", "run", "ccdc", self.cube, "-o", out,
             "--chunks", "y=10,x=10", "--progress", "none", *map(str, where)],
            text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=processes.environment())
        self.addCleanup(self.end, process)
        return process, out

    @staticmethod
    def end(process):
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.communicate()

    def finish_job(self, job):
        process, out = job
        said = process.communicate(timeout=600)[0]
        self.assertEqual(process.returncode, 0, said)
        self.assertEqual(digest(out), digest(self.want))

    def jobs(self, where):
        done = self.internode("job", "list", "--output", "json",
                              *map(str, where), check=False)
        if done.returncode != 0:
            return []
        return json.loads(done.stdout)["jobs"]

    def await_tasks(self, where, least, seconds=300):
        """Until so many tasks of the newest job are done."""
        def enough():
            jobs = sorted(self.jobs(where), key=lambda job: job["id"])
            return jobs and jobs[-1]["tasks_done"] >= least
        processes.poll(enough, f"{least} tasks", seconds, 0.2)

    def workers(self, where):
        done = self.internode("worker", "list", "--output", "json",
                              *map(str, where), check=False)
        if done.returncode != 0:
            return -1
        return len(json.loads(done.stdout)["workers"])

    def await_workers(self, where, count, seconds=180):
        processes.poll(lambda: self.workers(where) == count,
                       f"{count} workers", seconds, 0.5)
