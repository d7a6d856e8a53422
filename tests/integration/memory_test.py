#!/usr/bin/python3
"""Peak memory does not grow with the cube: 2 GiB of raw data, below 512 MiB."""

import os
import pathlib
import subprocess
import tempfile
import unittest

from internode_command import INTERNODE, environment

# 8 variables of int16 over 384 dates, 600 x 600 pixels.
SIZE = "y=600,x=600"
DATES = 384
LIMIT_BYTES = 512 << 20


def peak_bytes(*args):
    """Runs the command and returns the most memory it had."""
    process = subprocess.Popen([INTERNODE, *map(str, args)],
                               env=environment(), stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, args
    return usage.ru_maxrss * 1024


class MemoryTest(unittest.TestCase):

    def test_a_large_cube(self):
        with tempfile.TemporaryDirectory() as folder:
            cube = pathlib.Path(folder) / "cube.nc"
            made = peak_bytes("simulate", cube, "--size", SIZE, "--dates",
                              DATES, "--deflate", 1)
            self.assertLess(made, LIMIT_BYTES, "simulate")
            ran = peak_bytes("run", "stats", cube, "-o",
                             pathlib.Path(folder) / "stats.nc", "--progress",
                             "none")
            self.assertLess(ran, LIMIT_BYTES, "run")
            print(f"simulate {made >> 20} MiB, run {ran >> 20} MiB")


if __name__ == "__main__":
    unittest.main()
