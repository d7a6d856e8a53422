#!/usr/bin/python3
"""A run that SIGINT or SIGTERM ends leaves no file behind."""

import pathlib
import signal
import subprocess
import unittest

from internode_command import INTERNODE, CommandTest, environment, run


class InterruptTest(CommandTest):

    # Many tasks of many records each: seconds of work, told of line by line.
    options = ("--chunks", "1", "--param", "records=2000", "--progress", "json")
    cube_options = ("--size", "y=300,x=300", "--dates", "10",
                    "--storage-chunks", "y=50,x=50")

    def start(self, out, threads):
        return subprocess.Popen(
            [INTERNODE, "run", "noop", str(self.cube), "-o", str(out),
             "--nthreads", str(threads), *self.options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=environment())

    def check(self, signal_number, threads):
        out = self.folder / "out.nc"
        process = self.start(out, threads)
        # The first line of progress says that it is under way.
        process.stderr.readline()
        self.assertTrue(pathlib.Path(f"{out}.partial").exists())
        process.send_signal(signal_number)
        _, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 128 + signal_number, errors)
        self.assertEqual(list(self.folder.glob("out.nc*")), [])
        self.assertIn("error: cancelled", errors)

    def test_sigint(self):
        for threads in (1, 2, 8):
            self.check(signal.SIGINT, threads)

    def test_sigterm(self):
        self.check(signal.SIGTERM, 2)

    def test_the_next_run_is_not_in_its_way(self):
        out = self.folder / "again.nc"
        process = self.start(out, 2)
        process.stderr.readline()
        process.kill()
        process.communicate(timeout=60)
        self.assertFalse(out.exists())
        done = run("run", "noop", self.cube, "-o", out, "--select",
                   "y=0:5,x=0:5")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(list(self.folder.glob("again.nc*")), [out])


if __name__ == "__main__":
    unittest.main()
