#!/usr/bin/python3
"""`cube check` says what reading costs."""

import shlex
import unittest

import h5py

from internode_command import CommandTest, run


class CubeCheckTest(CommandTest):

    cube_options = ("--size", "y=60,x=50", "--dates", "40", "--seed", "3",
                    "--storage-chunks", "y=20,x=25")

    def check(self, *options, cube=None):
        return self.json("cube", "check", cube or self.cube, *options)

    def variable(self, report, name):
        return next(v for v in report["variables"] if v["name"] == name)

    def test_automatic_chunks_read_nothing_twice(self):
        report = self.check()
        self.assertEqual(report["amplification"], 1)
        self.assertEqual(report["advice"]["kind"], "ok")
        self.assertEqual(report["advice"]["command"], "")
        blue = self.variable(report, "blue")
        self.assertEqual((blue["chunks"], blue["reads"]), (6, 6))
        self.assertEqual(blue["needed_bytes"], 60 * 50 * 40 * 2)
        with h5py.File(self.cube) as f:
            for variable in report["variables"]:
                self.assertEqual(variable["stored_bytes"],
                                 f[variable["name"]].id.get_storage_size())
        # As many tasks as a run has.
        plan = self.json("run", "noop", self.cube, "--dry-run")
        self.assertEqual(report["tasks"], plan["chunks"])

    def test_rows(self):
        report = self.check("--chunks", "y=1,x=50", "--variables", "blue,nir")
        self.assertEqual(report["tasks"], 60)
        self.assertEqual(report["task_pixels"], 50)
        # A pixel of two bands of 40 dates.
        self.assertEqual(report["task_bytes"], 50 * 2 * 80)
        blue = self.variable(report, "blue")
        self.assertEqual((blue["chunks"], blue["reads"]), (6, 120))
        self.assertEqual(blue["amplification"], 20)
        # The cache holds a row of storage chunks of this small cube.
        self.assertEqual(blue["cached_amplification"], 1)
        self.assertEqual(len(report["variables"]), 2)
        self.assertIn("20 times", " ".join(report["advice"]["reasons"]))

    def test_selection(self):
        report = self.check("--select", "y=19:21,x=0:25", "--variables", "blue",
                            "--chunks", "2")
        blue = self.variable(report, "blue")
        # Two storage chunks of six, by 13 tasks.
        self.assertEqual((blue["chunks"], blue["reads"]), (2, 26))
        whole = self.variable(self.check(), "blue")["stored_bytes"]
        self.assertAlmostEqual(blue["stored_bytes"], whole / 3, delta=1)

    def test_band_dimension(self):
        cube = self.folder / "bands.nc"
        self.succeed("simulate", cube, "--size", "y=20,x=20", "--dates", 10,
                     "--layout", "band-dim", "--storage-chunks", "y=10,x=10")
        report = self.check("--variables", "red,nir", cube=cube)
        image = self.variable(report, "image")
        self.assertEqual((image["chunks"], image["reads"]), (8, 8))
        self.assertEqual(image["needed_bytes"], 20 * 20 * 10 * 2 * 2)

    def test_advice_can_be_followed(self):
        dates = self.folder / "dates of a year.nc"
        self.json("cube", "rechunk", self.cube, dates, "--overwrite",
                  "--storage-chunks", "time=1,y=60,x=50")
        report = self.check("--chunks", "y=10,x=10", cube=dates)
        self.assertEqual(self.variable(report, "blue")["amplification"], 30)
        self.assertIn("cube rechunk", report["advice"]["command"])
        words = shlex.split(report["advice"]["command"])
        self.assertEqual(words[0], "internode")
        self.succeed(*words[1:])
        better = self.check(cube=self.folder / "dates of a year.rechunked.nc")
        self.assertEqual(better["advice"]["command"], "")

    def test_huge_grids_are_as_fast(self):
        path = self.folder / "huge.h5"
        with h5py.File(path, "w") as f:
            f.create_dataset("a", (100, 1 << 30, 1 << 30), "i2",
                             chunks=(100, 50, 50), compression="gzip")
        report = self.check("--dims", "time,y,x", "--chunks", "1",
                            "--core-dims", "time", cube=path)
        self.assertEqual(report["tasks"], 1 << 60)
        self.assertAlmostEqual(report["amplification"], 2500, delta=0.01)
        self.assertEqual(report["stored_bytes"], 0)

    def test_what_the_library_has_to_read(self):
        path = self.folder / "slow.h5"
        with h5py.File(path, "w") as f:
            f.create_dataset("a", (40, 30, 20), "i2", chunks=(40, 10, 10),
                             scaleoffset=0)
            f.create_dataset("b", (40, 30, 20), "i2", chunks=(40, 10, 10),
                             compression="gzip", shuffle=True)
        report = self.check("--dims", "time,y,x", cube=path)
        slow = self.variable(report, "a")
        self.assertFalse(slow["fast_path"])
        self.assertIn("scaleoffset", slow["fast_path_reason"])
        self.assertTrue(self.variable(report, "b")["fast_path"])
        self.assertIn("a (filter 6", " ".join(report["advice"]["reasons"]))
        self.assertIn("cube rechunk", report["advice"]["command"])
        for variable in self.check()["variables"]:
            self.assertTrue(variable["fast_path"])

    def test_output(self):
        table = self.succeed("cube", "check", self.cube, "--nprocs", 2,
                             "--nthreads", 3).stdout
        for part in ("VARIABLE", "READS PER CHUNK", "for 2 x 3 threads",
                     "advice: run it as it is"):
            self.assertIn(part, table)
        quiet = self.succeed("cube", "check", self.cube, "--output", "quiet")
        self.assertEqual(quiet.stdout, "ok\n")

    def test_errors(self):
        def fails(code, *args):
            *options, part = args
            self.assert_fails(("cube", "check", self.cube, *options), code,
                              part)

        fails(2, "--variables", "blu", "did you mean 'blue'?")
        fails(2, "--chunks", "y=0", "y")
        fails(2, "--core-dims", "tim", "did you mean 'time'?")
        fails(2, "--select", "y=50:70", "not within")
        self.assert_fails(("cube", "check", self.folder / "no.nc"), 2,
                          "no such file")
        done = run("cube", "check", self.cube, "--nthreads", "0")
        self.assertEqual(done.returncode, 2)


if __name__ == "__main__":
    unittest.main()
