"""The image by itself: who runs in it, and its three programs."""

import json
import os
import unittest

import docker_engine
import processes
from docker_engine import IMAGE, digest, docker, run


class ImageTest(unittest.TestCase):
    """The image by itself."""

    def settings(self):
        return json.loads(docker("image", "inspect", IMAGE))[0]["Config"]

    def test_runs_as_nobody_in_particular_under_an_init(self):
        config = self.settings()
        self.assertEqual(config["User"], "10001:10001")
        self.assertEqual(config["Entrypoint"], ["/usr/bin/tini", "--"])
        self.assertEqual(config["Healthcheck"]["Test"],
                         ["CMD", "internode", "healthcheck"])

    def test_has_three_programs_and_no_compiler(self):
        for program in ("internode", "internode-scheduler",
                        "internode-worker"):
            said = docker("run", "--rm", "--network", "none", IMAGE, program,
                          "--version")
            self.assertIn(program, said)
        for program in ("gcc", "g++", "cmake", "curl"):
            done = run("docker", "run", "--rm", "--network", "none",
                       "--entrypoint", program, IMAGE, "--version",
                       check=False)
            self.assertNotEqual(done.returncode, 0, program)

    def test_labels(self):
        labels = self.settings()["Labels"]
        for key in ("title", "description", "licenses", "version", "revision",
                    "base.name"):
            self.assertTrue(labels.get(f"org.opencontainers.image.{key}"), key)
        self.assertIn(
            labels["org.opencontainers.image.version"],
            docker("run", "--rm", "--network", "none", IMAGE, "internode",
                   "--version"))

    def test_any_user_and_a_read_only_file_system(self):
        name = f"internode-user-{os.getpid()}"
        docker("run", "-d", "--name", name, "--read-only", "--user",
               "12345", "--cap-drop", "ALL", "--network", "none",
               "-v", f"{name}:/var/lib/internode", IMAGE)
        try:
            processes.poll(
                lambda: docker("inspect", "-f", "{{.State.Health.Status}}",
                               name) == "healthy", "a healthy scheduler", 120,
                0.5)
            docker("stop", "-t", "30", name)
            self.assertEqual(
                docker("inspect", "-f", "{{.State.ExitCode}}", name), "0")
        finally:
            docker("rm", "-f", "-v", name)
            docker("volume", "rm", name, check=False)


class ProgramsTest(docker_engine.DeployTest):
    """The three programs as any user, on read-only file systems, in one
    network namespace, whose loopback they share."""

    SIZE = "y=40,x=40"

    def test_a_job(self):
        name = f"internode-programs-{os.getpid()}"
        out = self.folder / "out"
        out.mkdir()
        out.chmod(0o777)
        common = ["--read-only", "--user", "12345", "--cap-drop", "ALL",
                  "--security-opt", "no-new-privileges", "-v",
                  f"{self.data}:{self.data}:ro"]
        docker("run", "-d", "--name", name, "--network", "none", "--tmpfs",
               "/var/lib/internode:mode=1777", *common, IMAGE)
        self.addCleanup(docker, "rm", "-f", "-v", name)
        together = [*common, "--network", f"container:{name}"]
        docker("run", "-d", "--name", f"{name}-worker", *together, IMAGE,
               "internode-worker", "127.0.0.1:8786", "--nthreads", "1")
        self.addCleanup(docker, "rm", "-f", f"{name}-worker")
        processes.poll(
            lambda: docker("inspect", "-f", "{{.State.Health.Status}}",
                           name) == "healthy", "a healthy scheduler", 120, 0.5)
        docker("run", "--rm", *together, "-v", f"{out}:{out}", IMAGE,
               "internode", "run", "ccdc", self.cube, "-o", out / "seg.nc",
               "--chunks", "y=10,x=10", "--scheduler", "127.0.0.1:8786",
               timeout=600)
        self.assertEqual(digest(out / "seg.nc"), digest(self.want))
        docker("stop", "-t", "60", f"{name}-worker", name)
        for one in (name, f"{name}-worker"):
            self.assertEqual(
                docker("inspect", "-f", "{{.State.ExitCode}}", one), "0")


if __name__ == "__main__":
    unittest.main()
