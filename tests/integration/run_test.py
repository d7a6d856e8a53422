#!/usr/bin/python3
"""`internode run` and its neighbours, as a user calls them."""

import hashlib
import json
import os
import pathlib
import shlex
import shutil
import subprocess
import tempfile
import unittest

import h5py
import numpy as np

from internode_command import INTERNODE, CommandTest, run


def digest(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


class RunTest(CommandTest):

    def out(self, name):
        path = self.folder / f"{self.id().split('.')[-1]}-{name}"
        return path

    def test_stats_equal_numpys(self):
        out = self.out("stats.nc")
        report = self.json("run", "stats", self.cube, "-o", out,
                           "--variables", "nir,red")
        self.assertEqual(report["pixels"]["ok"], 120)
        self.assertEqual(report["records"], 120)
        self.assertEqual(report["exit_code"], 0)
        with h5py.File(self.cube) as cube, h5py.File(out) as stats:
            nir = cube["nir"][...].astype(float)
            nir[nir == cube["nir"].attrs["_FillValue"]] = np.nan
            py, px = stats["py"][...], stats["px"][...]
            mean = stats["mean"][...]
            expected = np.nanmean(nir, axis=0)[py, px]
            np.testing.assert_allclose(mean[:, 0], expected, rtol=1e-5)

    def test_the_same_bytes_for_any_number_of_threads(self):
        digests = set()
        for i, options in enumerate((
                ["--executor", "sync"], ["--nthreads", "1"],
                ["--nthreads", "2"], ["--nthreads", "8"],
                ["--executor", "threads", "3"], [])):
            out = self.out(f"{i}.nc")
            self.succeed("run", "harmonic", self.cube, "-o", out,
                         "--chunks", "y=3,x=4", *options)
            digests.add(digest(out))
        self.assertEqual(len(digests), 1)

    def test_what_ran_it_is_named(self):
        for options, name in ((["--executor", "sync"], "sync"),
                              (["--nthreads", "1"], "1 thread"),
                              (["--nthreads", "2"], "2 threads")):
            out = self.out(f"{name.replace(' ', '_')}.nc")
            done = self.succeed("run", "stats", self.cube, "-o", out, *options)
            self.assertRegex(done.stdout, rf"pixels/s, {name}\n$")

    def test_an_executors_value_is_not_mistaken_for_the_function(self):
        out = self.out("a.nc")
        self.succeed("run", "--executor", "sync", "stats", self.cube, "-o", out)
        self.succeed("run", "--executor", "threads", "2", "stats", self.cube,
                     "-o", out, "--overwrite")
        self.succeed("run", "--param", "records=2", "noop", self.cube, "-o",
                     out, "--overwrite")

    def test_parts_merged_are_the_bytes_of_one_run(self):
        whole = self.out("whole.nc")
        options = ["--chunks", "y=3,x=4"]
        self.succeed("run", "stats", self.cube, "-o", whole, *options)
        parts = []
        for i in range(1, 8):
            parts.append(self.out(f"part{i}.nc"))
            self.succeed("run", "stats", self.cube, "-o", parts[-1], *options,
                         "--job-id", i, "--job-total", 7)
        merged = self.out("merged.nc")
        # In another order than theirs.
        self.succeed("segments", "merge", *reversed(parts), "-o", merged)
        self.assertEqual(digest(merged), digest(whole))
        self.assert_fails(["segments", "merge", *parts[1:], "-o",
                           self.out("x.nc")], 2)
        self.assert_fails(["segments", "merge", *parts, "-o", merged], 2,
                          "exists")

    def test_chunk_sizes_do_not_change_the_records_of_a_pixel(self):
        tables = []
        for chunks in ("auto", "1", "y=12,x=10", "y=5,x=3", "none"):
            out = self.out(f"{chunks}.nc")
            self.succeed("run", "stats", self.cube, "-o", out, "--chunks",
                         chunks)
            with h5py.File(out) as stats:
                order = np.lexsort((stats["px"][...], stats["py"][...]))
                tables.append(stats["mean"][...][order])
        for table in tables[1:]:
            np.testing.assert_array_equal(table, tables[0])

    def test_a_selection_keeps_its_place_in_the_cube(self):
        out = self.out("selected.nc")
        report = self.json("run", "stats", self.cube, "-o", out, "--select",
                           "y=2:4,x=7")
        self.assertEqual(report["records"], 2)
        with h5py.File(out) as stats:
            self.assertEqual(stats["py"][...].tolist(), [2, 3])
            self.assertEqual(stats["px"][...].tolist(), [7, 7])
            status = stats["pixel_status"][...]
            self.assertEqual(int((status != 0).sum()), 2)

    def test_the_history_is_the_command_without_what_bytes_do_not_need(self):
        out = self.out("h.nc")
        report = self.json("run", "stats", self.cube, "-o", out, "--nthreads",
                           "2", "--progress", "json")
        self.assertIn("internode run stats", report["history"])
        for word in (str(out), "nthreads", "progress"):
            self.assertNotIn(word, report["history"])
        # It makes the same file again.
        again = self.out("again.nc")
        self.succeed(*shlex.split(report["history"])[1:], "-o", again)
        self.assertEqual(digest(out), digest(again))

    def test_parameters_from_a_file_and_the_command_line(self):
        file = self.folder / "params.json"
        file.write_text('{"records": 2}')
        out = self.out("noop.nc")
        report = self.json("run", "noop", self.cube, "-o", out, "--params",
                           file)
        self.assertEqual(report["records"], 240)
        report = self.json("run", "noop", self.cube, "-o", out, "--params",
                           file, "--param", "records=3", "--overwrite")
        self.assertEqual(report["records"], 360)
        self.assert_fails(["run", "noop", self.cube, "-o", out, "--params",
                           self.folder / "none.json"], 2, "none.json")
        file.write_text("[1]")
        self.assert_fails(["run", "noop", self.cube, "-o", out, "--params",
                           file], 2, "params.json")

    def test_options_come_from_the_environment(self):
        out = self.out("env.nc")
        report = self.json("run", "stats", self.cube,
                           env={"INTERNODE_OUT": str(out),
                                "INTERNODE_CHUNKS": "y=6",
                                "INTERNODE_EXECUTOR": "threads 2"})
        self.assertTrue(out.exists())
        self.assertEqual(report["chunks"], 20)
        self.assertEqual(report["workers"], 2)

    def test_dry_run_writes_nothing(self):
        out = self.out("dry.nc")
        plan = self.json("run", "stats", self.cube, "-o", out, "--dry-run")
        self.assertEqual(plan["pixels"], 120)
        self.assertFalse(out.exists())

    def test_progress_goes_to_stderr_and_json_to_stdout(self):
        done = run("run", "stats", self.cube, "-o", self.out("p.nc"),
                   "--progress", "json", "--output", "json")
        self.assertEqual(done.returncode, 0, done.stderr)
        json.loads(done.stdout)
        last = json.loads(done.stderr.splitlines()[-1])
        self.assertEqual(last["pixels_done"], 120)
        done = run("run", "stats", self.cube, "-o", self.out("b.nc"),
                   "--progress", "bar", "--output", "quiet")
        self.assertIn("100%|██████████| 120/120 px", done.stderr)
        self.assertEqual(done.stdout, "")

    def test_samples_and_band_dimension(self):
        for layout, size in (("samples", "sample_id=30"),
                             ("band-dim", "y=5,x=6")):
            cube = self.folder / f"{layout}.nc"
            self.succeed("simulate", cube, "--layout", layout, "--size", size,
                         "--dates", "60")
            report = self.json("run", "stats", cube, "-o",
                               self.out(f"{layout}.nc"))
            self.assertEqual(report["pixels"]["ok"], 30)


class BadInputTest(CommandTest):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.out = cls.folder / "out.nc"

    def run_fails(self, code, *parts, cube=None, function="stats", options=()):
        line = self.assert_fails(
            ["run", function, cube or self.cube, "-o", self.out, *options],
            code, *parts)
        self.assertFalse(self.out.exists())
        self.assertFalse(pathlib.Path(f"{self.out}.partial").exists())
        return line

    def test_no_such_file(self):
        self.run_fails(2, "none.nc", cube=self.folder / "none.nc")

    def test_not_hdf5(self):
        text = self.folder / "text.nc"
        text.write_text("not a cube\n" * 100)
        self.run_fails(2, "text.nc", cube=text)
        text.write_text("")
        self.run_fails(2, "text.nc", cube=text)
        self.run_fails(2, cube=self.folder)

    def test_truncated_file(self):
        short = self.folder / "short.nc"
        data = self.cube.read_bytes()
        short.write_bytes(data[:len(data) // 2])
        self.run_fails(1, "short.nc", cube=short)

    def test_unknown_names_are_answered_with_the_nearest(self):
        self.run_fails(2, "'statz'", "did you mean 'stats'?", function="statz")
        self.run_fails(2, "'nirr'", "did you mean 'nir'?",
                       options=["--variables", "nirr"])
        self.run_fails(2, "'tim'", "did you mean 'time'?",
                       options=["--core-dims", "tim"])
        self.run_fails(2, "'yy'", "did you mean 'y'?",
                       options=["--chunks", "yy=3"])
        self.run_fails(2, "'yy'", options=["--select", "yy=0:3"])
        self.run_fails(2, "'record'", "did you mean 'records'?",
                       function="noop", options=["--param", "record=1"])
        self.run_fails(2, "'--chunk'", "did you mean '--chunks'?",
                       options=["--chunk", "3"])
        self.assert_fails(["rum"], 2, "'rum'", "did you mean 'run'?")

    def test_wrong_types_and_sizes(self):
        self.run_fails(2, "records", function="noop",
                       options=["--param", "records=many"])
        self.run_fails(2, "key=value", options=["--param", "records"])
        self.run_fails(2, "at least 1", options=["--chunks", "y=0"])
        self.run_fails(2, "at least 1", options=["--chunks", "-5"])
        self.run_fails(2, options=["--select", "y=5:5"])
        self.run_fails(2, options=["--select", "y=0:1000"])
        self.run_fails(2, "--select", options=["--select", "y=a:b"])
        self.run_fails(2, "--select", options=["--select", "y"])

    def test_missing_arguments(self):
        self.assert_fails(["run"], 2, "FUNCTION")
        self.assert_fails(["run", "stats", self.cube], 2, "-o")
        self.assert_fails([], 2, "command")
        self.assert_fails(["cube"], 2)

    def test_executors(self):
        for options in (["--executor", "distributed", "127.0.0.1:0"],
                        ["--scheduler", "nowhere"]):
            self.run_fails(2, "not a scheduler's address", options=options)
        self.run_fails(2, "number of workers",
                       options=["--executor", "processes", "0"])
        self.run_fails(2, "did you mean 'threads'?",
                       options=["--executor", "thread"])
        self.run_fails(2, "--nthreads", options=["--nthreads", "0"])
        self.run_fails(2, "combined", options=["--executor", "sync",
                                               "--nthreads", "2"])

    def test_parts_outside_the_total(self):
        self.run_fails(2, "--job-id", options=["--job-id", "8",
                                               "--job-total", "7"])
        self.run_fails(2, "--job-id", options=["--job-id", "0"])
        self.run_fails(2, "--job-total", options=["--job-total", "0"])

    def test_variables_with_unequal_dimensions(self):
        cube = self.folder / "unequal.nc"
        shutil.copy(self.cube, cube)
        with h5py.File(cube, "a") as file:
            other = file.create_dataset("other", data=np.zeros((60, 12), "i2"))
            other.dims[0].attach_scale(file["time"])
            other.dims[1].attach_scale(file["y"])
        self.run_fails(2, "other", cube=cube,
                       options=["--variables", "nir,other"])

    def test_time_without_units(self):
        cube = self.folder / "nounits.nc"
        shutil.copy(self.cube, cube)
        with h5py.File(cube, "a") as file:
            del file["time"].attrs["units"]
        self.run_fails(2, "time", "units", cube=cube, function="harmonic")

    def test_the_output_exists(self):
        existing = self.folder / "existing.nc"
        existing.write_text("precious")
        self.assert_fails(["run", "stats", self.cube, "-o", existing], 2,
                          "existing.nc", "exists", "--overwrite")
        self.assertEqual(existing.read_text(), "precious")
        self.succeed("run", "stats", self.cube, "-o", existing, "--overwrite")

    def test_the_output_folder_is_missing_or_a_file(self):
        self.assert_fails(["run", "stats", self.cube, "-o",
                           self.folder / "no" / "out.nc"], 2, "no")
        self.assert_fails(["run", "stats", self.cube, "-o",
                           self.cube / "out.nc"], 2)
        self.assert_fails(["run", "stats", self.cube, "-o", self.folder], 2)

    def test_the_output_folder_is_read_only(self):
        # Root may write everywhere, so that another user runs a copy of the
        # program, in folders that everyone can enter.
        nobody = []
        if os.geteuid() == 0:
            nobody = ["setpriv", "--reuid=65534", "--regid=65534",
                      "--clear-groups"]
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            folder.chmod(0o755)
            program = shutil.copy(INTERNODE, folder)
            cube = shutil.copy(self.cube, folder)
            closed = folder / "closed"
            closed.mkdir()
            closed.chmod(0o555)
            done = subprocess.run(
                [*nobody, program, "run", "stats", cube, "-o",
                 str(closed / "out.nc")],
                text=True, capture_output=True, timeout=120, cwd=folder)
            self.assertEqual(list(closed.iterdir()), [])
        errors = [line for line in done.stderr.splitlines()
                  if line.startswith("error: ")]
        self.assertEqual(len(errors), 1, done.stderr)
        self.assertIn(str(closed), errors[0])
        self.assertIn("permission denied", errors[0])
        self.assertEqual(done.returncode, 1, done.stderr)

    def test_a_full_disk(self):
        # /dev/full is no regular file; a limit on the size of files is what a
        # quota does.
        done = subprocess.run(
            ["bash", "-c",
             'ulimit -f 8; trap "" XFSZ; exec "$@"', "bash",
             INTERNODE, "run", "stats",
             str(self.cube), "-o", str(self.out)],
            text=True, capture_output=True, timeout=120)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("error: ", done.stderr)
        self.assertFalse(self.out.exists())
        self.assertFalse(pathlib.Path(f"{self.out}.partial").exists())

    def test_a_corrupt_storage_chunk_fails_its_pixels_alone(self):
        cube = self.folder / "corrupt.nc"
        shutil.copy(self.cube, cube)
        with h5py.File(cube) as file:
            dataset = file["nir"].id
            info = dataset.get_chunk_info(0)
            row, column = info.chunk_offset[-2:]
            offset, size = info.byte_offset, info.size
        with open(cube, "r+b") as raw:
            raw.seek(offset + size // 3)
            raw.write(b"\xff" * (size // 3))
        out = self.folder / "rest.nc"
        done = run("run", "stats", cube, "-o", out, "--variables", "nir",
                   "--chunks", "y=5,x=4", "--output", "json")
        self.assertEqual(done.returncode, 3, done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual(report["pixels"]["failed"], 20)
        self.assertEqual(report["pixels"]["ok"], 100)
        self.assertEqual(report["failed_chunks"], 1)
        self.assertEqual(report["failures"][0]["index"],
                         {"y": row, "x": column})
        self.assertIn("nir", report["failures"][0]["message"])
        with h5py.File(out) as file:
            status = file["pixel_status"][...]
        self.assertTrue((status[row:row + 5, column:column + 4] == 4).all())
        self.assertEqual(int((status == 1).sum()), 100)
        done = run("run", "stats", cube, "-o", out, "--variables", "nir",
                   "--chunks", "y=5,x=4", "--overwrite", "--max-fails", "20")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_errors_as_json(self):
        done = run("run", "statz", self.cube, "-o", self.out, "--output",
                   "json")
        error = json.loads(done.stdout)
        self.assertEqual(error["schema"], 1)
        self.assertEqual(error["error"]["code"], "not_found")
        self.assertIn("statz", error["error"]["message"])
        done = run("run", "--output", "json", "--chunk", "3")
        self.assertEqual(json.loads(done.stdout)["error"]["code"],
                         "invalid_argument")


class OtherCommandsTest(CommandTest):

    def test_version(self):
        self.assertRegex(self.succeed("--version").stdout,
                         r"^internode \d+\.\d+\.\d+\n$")
        self.assertRegex(self.json("--version")["version"], r"^\d+\.\d+\.\d+$")

    def test_every_command_has_help_with_examples(self):
        for command in ([], ["run"], ["chunks"], ["cube", "info"],
                        ["functions"], ["segments", "info"],
                        ["segments", "merge"], ["simulate"], ["completion"]):
            done = self.succeed(*command, "--help")
            self.assertIn("Examples:", done.stdout, command)
            self.assertEqual(self.succeed(*command, "-h").stdout, done.stdout)

    def test_cube_info(self):
        info = self.json("cube", "info", self.cube)
        self.assertEqual(info["dims"]["y"], 12)
        self.assertEqual(info["time"]["size"], 60)
        names = [variable["name"] for variable in info["variables"]]
        self.assertIn("nir", names)
        nir = info["variables"][names.index("nir")]
        self.assertEqual(nir["dims"], ["time", "y", "x"])
        text = self.succeed("cube", "info", self.cube).stdout
        self.assertIn("nir", text)
        self.assertEqual(
            self.succeed("cube", "info", self.cube, "--output",
                         "quiet").stdout, "")
        self.assert_fails(["cube", "info", self.folder / "no.nc"], 2, "no.nc")

    def test_functions(self):
        listed = self.json("functions")["functions"]
        names = [function["name"] for function in listed]
        self.assertLessEqual({"noop", "stats", "harmonic"}, set(names))
        self.assertEqual(names, sorted(names))
        harmonic = self.json("functions", "harmonic")
        self.assertEqual(harmonic["name"], "harmonic")
        self.assertTrue(harmonic["parameters"])
        self.assertIn("harmonic",
                      self.succeed("functions", "harmonic").stdout)
        self.assert_fails(["functions", "harmonik"], 2,
                          "did you mean 'harmonic'?")

    def test_segments_info(self):
        out = self.folder / "seg.nc"
        self.succeed("run", "stats", self.cube, "-o", out)
        info = self.json("segments", "info", out)
        self.assertEqual(info["records"], 120)
        self.assertEqual(info["pixels"]["ok"], 120)
        self.assertEqual(info["algorithm"], "stats")
        self.assertIn("120 records", self.succeed("segments", "info",
                                                  out).stdout)
        self.assert_fails(["segments", "info", self.cube], 2, "cube.nc")

    def test_simulate_is_reproducible(self):
        a, b, c = (self.folder / f"{name}.nc" for name in "abc")
        options = ["--size", "y=6,x=6", "--dates", "40"]
        self.succeed("simulate", a, *options, "--seed", "5")
        self.succeed("simulate", b, *options, "--seed", "5")
        self.succeed("simulate", c, *options, "--seed", "6")
        self.assertEqual(digest(a), digest(b))
        self.assertNotEqual(digest(a), digest(c))
        self.assert_fails(["simulate", a, *options], 2, "exists")
        self.assert_fails(["simulate", self.folder / "d.nc", "--start",
                           "tomorrow"], 2, "'tomorrow'")
        self.assert_fails(["simulate", self.folder / "d.nc", "--size", "y"], 2,
                          "--size")

    def test_completion_scripts_know_every_option(self):
        helps = self.succeed("run", "--help").stdout
        for shell in ("bash", "zsh", "fish"):
            script = self.succeed("completion", shell).stdout
            for word in ("simulate", "merge", "job-total", "max-fails"):
                self.assertIn(word, script)
            checker = shutil.which(shell)
            if checker is None:
                continue
            done = subprocess.run([checker, "-n"], input=script, text=True,
                                  capture_output=True)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("--max-fails", helps)
        self.assert_fails(["completion", "csh"], 2, "csh")

    def test_bash_completes(self):
        script = self.folder / "completion.bash"
        script.write_text(self.succeed("completion", "bash").stdout)

        def complete(*words):
            program = (
                f"source {script}; COMP_WORDS=({' '.join(words)});"
                f"COMP_CWORD={len(words) - 1}; _internode;"
                'echo "${COMPREPLY[@]}"')
            # The last word may be empty.
            program = program.replace("@empty", "''")
            return subprocess.run(["bash", "-c", program], text=True,
                                  capture_output=True).stdout.split()

        self.assertEqual(complete("internode", "si"), ["simulate"])
        self.assertEqual(complete("internode", "segments", "@empty"),
                         ["info", "merge", "pixel"])
        self.assertEqual(complete("internode", "run", "stats", "--max"),
                         ["--max-fails", "--max-retries"])


if __name__ == "__main__":
    unittest.main()
