"""deploy/stack.yaml on a Swarm of one node."""

import os
import pathlib
import sys
import unittest

import docker_engine
import processes
from docker_engine import DEPLOY, IMAGE, docker, run

STACK = f"internode{os.getpid()}"


class SwarmTest(docker_engine.DeployTest):
    """Deployed, updated while it works, removed."""

    SIZE = "y=100,x=100"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        docker("swarm", "init", "--advertise-addr", "127.0.0.1",
               "--listen-addr", "127.0.0.1:2377")
        cls.addClassCleanup(docker, "swarm", "leave", "--force")
        docker("node", "update", "--label-add", "internode.scheduler=true",
               docker("node", "ls", "-q"))
        cls.secrets = cls.folder / "secrets"
        cls.secrets.mkdir()
        docker("run", "--rm", "--network", "none", "-u",
               f"{os.getuid()}:{os.getgid()}", "-v",
               f"{cls.secrets}:/secrets", IMAGE, "internode-secrets",
               "/secrets", "scheduler")
        cls.port = docker_engine.free_port()
        cls.settings = {
            **os.environ, "INTERNODE_IMAGE": IMAGE,
            "INTERNODE_DATA": str(cls.data), "INTERNODE_THREADS": "1",
            "INTERNODE_SECRETS": str(cls.secrets),
            "INTERNODE_PORT": str(cls.port)}
        cls.addClassCleanup(cls.remove)
        cls.deploy()
        cls.where = ["--scheduler", f"127.0.0.1:{cls.port}", "--tls-ca",
                     cls.secrets / "client/ca.crt", "--token-file",
                     cls.secrets / "client/token"]

    @classmethod
    def deploy(cls):
        run("docker", "stack", "deploy", "--resolve-image", "never", "-c",
            DEPLOY / "stack.yaml", STACK, env=cls.settings)

    @classmethod
    def remove(cls):
        docker("stack", "rm", STACK, check=False)
        processes.poll(
            lambda: not docker("ps", "-q", "--filter", f"name={STACK}_"),
            "the end of the stack's containers", 90, 0.5)
        processes.poll(
            lambda: run("docker", "volume", "rm", "-f", f"{STACK}_state",
                        check=False).returncode == 0,
            "the end of the stack's volume", 60, 0.5)

    def test_same_bytes_also_through_a_rolling_update(self):
        self.await_workers(self.where, 1)
        job = self.start_job(self.where, "swarm.nc")
        self.await_tasks(self.where, 10)
        run("docker", "service", "update", "--force", "--quiet",
            f"{STACK}_worker", timeout=300)
        processes.poll(
            lambda: docker("service", "inspect", "-f",
                           "{{.UpdateStatus.State}}",
                           f"{STACK}_worker") == "completed",
            "the end of the update", 120, 0.5)
        self.finish_job(job)
        # The one that was replaced had drained.
        ended = docker("ps", "-a", "--filter", f"name={STACK}_worker",
                       "--filter", "status=exited", "--format", "{{.Status}}")
        self.assertTrue(all(line.startswith("Exited (0)")
                            for line in ended.splitlines()), ended)

    def test_the_overlay_is_encrypted_and_workers_are_global(self):
        self.assertIn("encrypted", docker(
            "network", "inspect", f"{STACK}_internode", "-f", "{{.Options}}"))
        self.assertIn("Global", docker("service", "inspect", "-f",
                                       "{{json .Spec.Mode}}",
                                       f"{STACK}_worker"))


if __name__ == "__main__":
    if docker("info", "-f", "{{.Swarm.LocalNodeState}}") != "inactive":
        print(f"NOT RUN: {pathlib.Path(__file__).name}: this machine is part "
              "of a Swarm already", file=sys.stderr)
        sys.exit(0)
    unittest.main()
