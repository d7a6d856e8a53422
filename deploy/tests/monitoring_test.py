"""deploy/compose.monitoring.yaml: Prometheus beside a cluster.

Its image is made of this machine's Prometheus, where no registry is reached.
"""

import json
import os
import pathlib
import shutil
import sys
import tempfile
import unittest
import urllib.parse
import urllib.request

import docker_engine
import processes
from docker_engine import DEPLOY, IMAGE, docker

DOCKERFILE = f"""\
FROM {IMAGE}
COPY prometheus /bin/prometheus
USER root
RUN install -d -o 65534 -g 65534 -m 775 /prometheus
USER 65534:65534
HEALTHCHECK NONE
ENTRYPOINT ["/bin/prometheus"]
"""


class MonitoringTest(docker_engine.DeployTest):
    """A scheduler, two workers and a Prometheus."""

    SIZE = "y=40,x=40"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        prometheus = f"internode-prometheus:{os.getpid()}"
        with tempfile.TemporaryDirectory() as context:
            shutil.copy(shutil.which("prometheus"), context)
            pathlib.Path(context, "Dockerfile").write_text(DOCKERFILE)
            docker("build", "-q", "-t", prometheus, context)
        cls.addClassCleanup(docker, "rmi", "-f", prometheus)
        cls.ports = [docker_engine.free_port() for _ in range(3)]
        cls.project = docker_engine.Project(
            f"internode-monitoring-{os.getpid()}",
            [DEPLOY / "compose.yaml", DEPLOY / "compose.monitoring.yaml"],
            INTERNODE_DATA=cls.data, INTERNODE_PORT=cls.ports[0],
            INTERNODE_HTTP_PORT=cls.ports[1], INTERNODE_THREADS=1,
            INTERNODE_PROMETHEUS_IMAGE=prometheus,
            INTERNODE_PROMETHEUS_PORT=cls.ports[2])
        cls.addClassCleanup(cls.project.down)
        cls.project("up", "-d", "--scale", "worker=2", timeout=300)
        cls.project.await_health("worker", 2)

    def ask(self, path):
        """What Prometheus answers, or nothing while it starts."""
        try:
            with urllib.request.urlopen(
                    f"http://127.0.0.1:{self.ports[2]}/api/v1/{path}",
                    timeout=30) as answer:
                return json.load(answer)["data"]
        except OSError:
            return {}

    def values(self, query):
        return sorted(float(one["value"][1]) for one in self.ask(
            f"query?query={urllib.parse.quote(query)}").get("result", []))

    def await_values(self, query, want):
        processes.poll(lambda: self.values(query) == want,
                       f"{query} to be {want}: {self.values(query)}\n"
                       f"{self.project.logs()}", 120, 1)

    def test_it_sees_the_scheduler_and_every_worker(self):
        ca, token = self.folder / "ca.crt", self.folder / "token"
        self.project.secret("client/ca.crt", ca)
        self.project.secret("client/token", token)
        self.finish_job(self.start_job(
            ["--scheduler", f"127.0.0.1:{self.ports[0]}", "--tls-ca", ca,
             "--token-file", token], "monitored.nc"))
        self.await_values('up{job="internode-scheduler"}', [1])
        self.await_values('up{job="internode-worker"}', [1, 1])
        self.await_values("internode_worker_connected", [1, 1])
        self.await_values('internode_tasks{state="done"}', [16])
        self.await_values('internode_jobs{state="completed"}', [1])
        processes.poll(
            lambda: {rule["health"] for group in self.ask("rules")["groups"]
                     for rule in group["rules"]} == {"ok"},
            "all rules to be evaluated", 60, 1)
        self.assertEqual(self.ask("alerts")["alerts"], [])
        # The scheduler is gone: its alert waits for a while, then is raised.
        self.project("stop", "scheduler")
        self.await_values('up{job="internode-scheduler"}', [0])
        processes.poll(
            lambda: [one["labels"]["alertname"]
                     for one in self.ask("alerts").get("alerts", [])],
            "an alert", 120, 1)


if __name__ == "__main__":
    if shutil.which("prometheus") is None:
        print(f"NOT RUN: {pathlib.Path(__file__).name}: there is no prometheus",
              file=sys.stderr)
        sys.exit(0)
    unittest.main()
