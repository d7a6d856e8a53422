"""deploy/compose.scheduler.yaml and compose.worker.yaml: several machines.

Each machine is a network of Docker of its own: a worker reaches the scheduler
only through the port that the scheduler's machine publishes.
"""

import ipaddress
import os
import shutil
import unittest

import docker_engine
from docker_engine import DEPLOY, docker


class HostsTest(docker_engine.DeployTest):
    """One machine with the scheduler, two with a worker each."""

    SIZE = "y=80,x=80"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # The address by which containers of any network reach this machine.
        subnet = docker("network", "inspect", "bridge", "-f",
                        "{{(index .IPAM.Config 0).Subnet}}")
        cls.address = str(next(ipaddress.ip_network(subnet).hosts()))
        cls.port = docker_engine.free_port()
        name = f"internode-hosts-{os.getpid()}"
        cls.scheduler = docker_engine.Project(
            f"{name}-scheduler", [DEPLOY / "compose.scheduler.yaml"],
            INTERNODE_NAME=cls.address, INTERNODE_BIND=cls.address,
            INTERNODE_PORT=cls.port,
            INTERNODE_HTTP_PORT=docker_engine.free_port())
        cls.addClassCleanup(cls.scheduler.down)
        cls.scheduler("up", "-d", timeout=300)
        cls.scheduler.await_health("scheduler")
        cls.secrets = cls.folder / "secrets"
        cls.secrets.mkdir(mode=0o700)
        for path, target in (("worker/ca.crt", "ca.crt"),
                             ("worker/token", "worker.token"),
                             ("client/token", "client.token")):
            cls.scheduler.secret(path, cls.secrets / target)
        cls.machines = []
        for number in (1, 2):
            # What a worker's machine has: a Compose file and two others.
            machine = cls.folder / f"machine{number}"
            machine.mkdir()
            for file in (DEPLOY / "compose.worker.yaml",
                         cls.secrets / "ca.crt", cls.secrets / "worker.token"):
                shutil.copy(file, machine)
            worker = docker_engine.Project(
                f"{name}-worker{number}", [machine / "compose.worker.yaml"],
                INTERNODE_SCHEDULER=f"{cls.address}:{cls.port}",
                INTERNODE_USER=f"{os.getuid()}:{os.getgid()}",
                INTERNODE_DATA=cls.data, INTERNODE_THREADS=1)
            cls.addClassCleanup(worker.down)
            worker("up", "-d", timeout=300)
            cls.machines.append(worker)
        cls.where = ["--scheduler", f"{cls.address}:{cls.port}", "--tls-ca",
                     cls.secrets / "ca.crt", "--token-file",
                     cls.secrets / "client.token"]

    def test_same_bytes_and_a_lost_machine(self):
        self.await_workers(self.where, 2)
        for worker in self.machines:
            worker.await_health("worker")
            for container in worker.containers("worker"):
                self.assertEqual(
                    docker("inspect", "-f", "{{len .HostConfig.PortBindings}}",
                           container), "0")
        job = self.start_job(self.where, "hosts.nc")
        self.await_tasks(self.where, 10)
        container = self.machines[0].containers("worker")[0]
        docker("kill", container)
        self.await_workers(self.where, 1)
        self.finish_job(job)


if __name__ == "__main__":
    unittest.main()
