"""deploy/install.sh: programs, units of systemd, settings."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from processes import BIN

ROOT = pathlib.Path(os.environ["INTERNODE_SOURCE_DIR"])
UNITS = ("internode-scheduler.service", "internode-worker@.service")


class InstallTest(unittest.TestCase):
    """deploy/install.sh, below a folder."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="internode-install-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def install(self, *words, code=0):
        done = subprocess.run(
            [ROOT / "deploy" / "install.sh", "--build", BIN.parent,
             *map(str, words)], text=True, capture_output=True, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def files(self):
        return sorted(str(path.relative_to(self.folder))
                      for path in self.folder.rglob("*") if path.is_file())

    def test_twice_is_once_and_settings_stay(self):
        self.install("--destdir", self.folder)
        first = self.files()
        for file in ("usr/local/bin/internode", "usr/local/bin/internode-worker",
                     "usr/local/bin/internode-scheduler",
                     "usr/local/bin/internode-secrets",
                     "etc/systemd/system/internode-scheduler.service",
                     "etc/systemd/system/internode-worker@.service",
                     "etc/internode/scheduler.env",
                     "etc/internode/worker.env"):
            self.assertIn(file, first)
        settings = self.folder / "etc/internode/worker.env"
        settings.write_text("INTERNODE_WORKER_NWORKERS=7\n")
        self.assertIn("kept", self.install("--destdir", self.folder).stdout)
        self.assertEqual(self.files(), first)
        self.assertEqual(settings.read_text(), "INTERNODE_WORKER_NWORKERS=7\n")
        self.install("--destdir", self.folder, "--uninstall")
        self.assertEqual(self.files(), ["etc/internode/scheduler.env",
                                        "etc/internode/worker.env"])

    def test_another_prefix_is_in_the_units(self):
        self.install("--destdir", self.folder, "--prefix", "/opt/internode")
        unit = self.folder / "etc/systemd/system/internode-worker@.service"
        self.assertIn("ExecStart=/opt/internode/bin/internode-worker\n",
                      unit.read_text())

    def test_wrong_use_is_one_line(self):
        for words, code in ((["--no-such"], 2), (["--prefix", "relative"], 2),
                            (["--destdir"], 2), (["--build", "/nowhere"], 1)):
            done = self.install(*words, code=code)
            self.assertTrue(done.stderr.startswith("error: "), done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)

    def test_every_setting_is_there_commented(self):
        for program in ("scheduler", "worker"):
            text = (ROOT / "deploy/systemd" / f"{program}.env").read_text()
            known = subprocess.run(
                [BIN / f"internode-{program}", "--help"], text=True,
                capture_output=True, check=True).stdout
            flags = set(re.findall(r"--([a-z][a-z0-9-]+)", known)) - {
                "help", "version", "ready-fd", "lifeline-fd"}
            wanted = {f"INTERNODE_{program}_{flag}".upper().replace("-", "_")
                      for flag in flags}
            there = set(re.findall(r"^#(INTERNODE_\w+)=", text, re.MULTILINE))
            self.assertEqual(wanted - there, set(), program)
            self.assertEqual(there - wanted - {"INTERNODE_WORKER_SCHEDULER"},
                             set(), program)
            self.assertEqual(re.findall(r"^[^#\n].*", text, re.MULTILINE), [])

    @unittest.skipUnless(shutil.which("systemd-analyze"),
                         "NOT RUN: there is no systemd-analyze")
    def test_systemd_finds_no_fault_in_the_units(self):
        # Where their programs are.
        self.install("--destdir", self.folder, "--prefix", self.folder / "p")
        units = self.folder / "etc/systemd/system"
        for unit in units.iterdir():
            text = unit.read_text().replace(f"{self.folder}/p/bin",
                                            f"{self.folder}{self.folder}/p/bin")
            unit.write_text(text)
        shutil.copy(units / UNITS[1], units / "internode-worker@1.service")
        names = [units / UNITS[0], units / "internode-worker@1.service"]
        done = subprocess.run(["systemd-analyze", "verify", *names], text=True,
                              capture_output=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for name in names:
            done = subprocess.run(
                ["systemd-analyze", "security", "--offline=true",
                 "--threshold=15", "--no-pager", name], text=True,
                capture_output=True, check=False)
            self.assertEqual(done.returncode, 0, done.stdout[-300:])


if __name__ == "__main__":
    unittest.main()
