"""deploy/compose.yaml: one machine, with TLS and tokens, and what goes wrong."""

import json
import os
import unittest

import docker_engine
from docker_engine import DEPLOY, docker, run


class FilesTest(unittest.TestCase):
    """All files of deploy/, as this Compose reads them."""

    SETTINGS = {"INTERNODE_NAME": "node1", "INTERNODE_SCHEDULER": "node1:8786",
                "INTERNODE_DATA": "/data"}

    def test_are_understood(self):
        for names in (["compose.yaml"], ["compose.scheduler.yaml"],
                      ["compose.worker.yaml"],
                      ["compose.yaml", "compose.monitoring.yaml"],
                      ["stack.yaml"]):
            with self.subTest(names=names):
                project = docker_engine.Project(
                    "files", [DEPLOY / name for name in names],
                    **self.SETTINGS)
                done = project("config", "-q")
                # Docker's stacks need the `version` that Compose v2 does not.
                said = [line for line in done.stderr.splitlines()
                        if "`version` is obsolete" not in line and
                        "use `docker stack deploy`" not in line]
                self.assertEqual(said, [])

    def test_say_what_is_needed(self):
        for name, needed in (("compose.scheduler.yaml", "INTERNODE_NAME"),
                             ("compose.worker.yaml", "INTERNODE_SCHEDULER")):
            done = docker_engine.Project("files", [DEPLOY / name])(
                "config", "-q", check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(needed, done.stderr)


class ComposeTest(docker_engine.DeployTest):
    """A cluster of three workers."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.port = docker_engine.free_port()
        cls.http = docker_engine.free_port()
        cls.project = docker_engine.Project(
            f"internode-compose-{os.getpid()}", [DEPLOY / "compose.yaml"],
            INTERNODE_DATA=cls.data, INTERNODE_PORT=cls.port,
            INTERNODE_HTTP_PORT=cls.http, INTERNODE_THREADS=1)
        cls.addClassCleanup(cls.project.down)
        cls.project("up", "-d", "--scale", "worker=3", timeout=300)
        cls.project.await_health("scheduler")
        cls.project.await_health("worker", 3)
        cls.ca, cls.token = cls.folder / "ca.crt", cls.folder / "token"
        cls.project.secret("client/ca.crt", cls.ca)
        cls.project.secret("client/token", cls.token)
        cls.where = ["--scheduler", f"127.0.0.1:{cls.port}", "--tls-ca",
                     cls.ca, "--token-file", cls.token]

    def setUp(self):
        self.project("up", "-d", "--scale", "worker=3", "--no-recreate")
        self.await_workers(self.where, 3)

    def run(self, result=None):
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            print(self.project.logs())

    def test_the_bytes_are_those_of_one_thread(self):
        self.finish_job(self.start_job(self.where, "plain.nc"))

    def test_nothing_is_open_but_to_this_machine(self):
        for service in ("scheduler", "worker"):
            for container in self.project.containers(service):
                ports = json.loads(docker("inspect", "-f",
                                          "{{json .NetworkSettings.Ports}}",
                                          container))
                for bindings in filter(None, ports.values()):
                    self.assertEqual({one["HostIp"] for one in bindings},
                                     {"127.0.0.1"})

    def test_without_a_token_or_with_a_workers_nothing_is_done(self):
        scheduler = f"127.0.0.1:{self.port}"
        done = self.internode("job", "list", "--scheduler", scheduler,
                              "--tls-ca", self.ca, check=False)
        self.assertEqual(done.returncode, 4, done.stderr)
        worker_token = self.folder / "worker.token"
        self.project.secret("worker/token", worker_token)
        done = self.internode("run", "noop", self.cube, "-o",
                              self.folder / "no.nc", "--scheduler", scheduler,
                              "--tls-ca", self.ca, "--token-file",
                              worker_token, check=False)
        self.assertEqual(done.returncode, 4, done.stderr)

    def test_secrets_lie_with_those_they_are_for(self):
        worker = self.project.containers("worker")[0]
        self.assertEqual(
            set(docker("exec", worker, "ls", "/secrets/worker").split()),
            {"ca.crt", "token", "tokens"})
        self.assertEqual(docker("exec", worker, "ls", "/secrets/ca",
                                "/secrets/client").split(),
                         ["/secrets/ca:", "/secrets/client:"])
        done = run("docker", "exec", worker, "touch", "/data", "/bin/x",
                   check=False)
        self.assertNotEqual(done.returncode, 0)

    def test_killed_restarted_and_scaled_down_meanwhile(self):
        job = self.start_job(self.where, "faults.nc")
        self.await_tasks(self.where, 10)
        docker_engine.crash(self.project.containers("worker")[0])
        self.await_tasks(self.where, 40)
        docker_engine.crash(self.project.containers("scheduler")[0])
        self.await_tasks(self.where, 80)
        self.project("restart", timeout=300)
        self.await_tasks(self.where, 120)
        self.project("up", "-d", "--scale", "worker=1", "--no-recreate",
                     timeout=300)
        self.finish_job(job)

    def test_a_worker_that_is_stopped_drains(self):
        job = self.start_job(self.where, "drain.nc")
        self.await_tasks(self.where, 10)
        worker = self.project.containers("worker")[0]
        docker("stop", "-t", "60", worker)
        self.assertEqual(
            docker("inspect", "-f", "{{.State.ExitCode}}", worker), "0")
        self.finish_job(job)


if __name__ == "__main__":
    unittest.main()
