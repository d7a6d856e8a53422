#!/usr/bin/python3
"""Functions in shared libraries: built as their authors would, run, refused."""

import os
import pathlib
import re
import shutil
import subprocess
import unittest

import h5py
import numpy as np

from internode_command import CommandTest

ROOT = pathlib.Path(os.environ["INTERNODE_SOURCE_DIR"])
EXAMPLES = ROOT / "docs" / "examples"
SOURCES = ROOT / "tests" / "unit" / "functions" / "plugins"
MISSING = -9999
# A pixel without any observation, and one without any of nir.
DARK, HALF_DARK = (2, 3), (11, 9)
OK, TOO_FEW_OBSERVATIONS = 1, 3


def build(*command):
    done = subprocess.run([*map(str, command)], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout


def compile_library(source, out, *options):
    build("cc", "-std=c11", "-O2", "-fPIC", "-shared", *options, source, "-o",
          out)


class PluginTest(CommandTest):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with h5py.File(cls.cube, "r+") as cube:
            for name in ("red", "nir"):
                cube[name][:, *DARK] = MISSING
            cube["nir"][:, *HALF_DARK] = MISSING
            cls.red, cls.nir = cube["red"][...], cube["nir"][...]
            assert cube["time"].attrs["units"] == b"days since 1970-01-01"
            cls.days = cube["time"][...]
        # The header alone, where an installation has it.
        cls.include = cls.folder / "include"
        (cls.include / "internode").mkdir(parents=True)
        shutil.copy(ROOT / "functions" / "internode_function.h",
                    cls.include / "internode")
        cls.above = cls.build_example("function_c")
        cls.greenest = cls.build_example("function_cpp")

    @classmethod
    def build_example(cls, name):
        """Builds it as its README says; returns the folder of the library."""
        folder = cls.folder / name
        build("cmake", "-G", "Ninja", "-S", EXAMPLES / name, "-B", folder,
              f"-DINTERNODE_INCLUDE_DIR={cls.include}")
        build("cmake", "--build", folder)
        return folder

    def folder_with(self, **files):
        """A new folder: name.so for each file, which is text, a path of one to
        copy, or None for a folder."""
        folder = self.folder / self.id().split(".")[-1]
        folder.mkdir()
        for name, content in files.items():
            path = folder / f"{name}.so"
            if content is None:
                path.mkdir()
            elif isinstance(content, pathlib.Path):
                shutil.copy(content, path)
            else:
                path.write_text(content)
        return folder

    def out(self):
        return self.folder / f"{self.id().split('.')[-1]}.nc"

    def assert_refused(self, folder, *parts):
        """`run` and `functions` refuse it in one line, with exit code 2."""
        out = self.out()
        for args in (["functions"], ["functions", "stats"],
                     ["run", "stats", self.cube, "-o", out]):
            self.assert_fails([*args, "--function-path", folder], 2, *parts)
        self.assertEqual(list(self.folder.glob(f"{out.name}*")), [])

    # What they compute.

    def test_the_c_example_gives_numpys_shares(self):
        out = self.out()
        report = self.json("run", "above", self.cube, "-o", out,
                           "--function-path", self.above, "--variables",
                           "red,nir", "--param", "threshold=2500")
        self.assertEqual(report["pixels"]["ok"], 119)
        self.assertEqual(report["pixels"]["too_few_observations"], 1)
        with h5py.File(out) as file:
            py, px = file["py"][...], file["px"][...]
            shares = file["above"][...]
            status = file["pixel_status"][...]
            self.assertEqual(file["band"].asstr()[...].tolist(),
                             ["red", "nir"])
            self.assertEqual(file["above"].attrs["units"], b"1")
        self.assertEqual(sorted(zip(py.tolist(), px.tolist())),
                         list(np.ndindex(12, 10)))
        for k, band in enumerate((self.red, self.nir)):
            valid = band != MISSING
            with np.errstate(invalid="ignore"):
                share = ((band > 2500) & valid).sum(0) / valid.sum(0)
            self.assertTrue(0 < np.nanmean(share) < 1)
            np.testing.assert_array_equal(shares[:, k], share[py, px])
        self.assertEqual(status[DARK], TOO_FEW_OBSERVATIONS)
        self.assertEqual(int((status == OK).sum()), 119)

    def test_the_cpp_example_gives_numpys_maximum(self):
        out = self.out()
        report = self.json("run", "greenest", self.cube, "-o", out,
                           "--function-path", self.greenest, "--nthreads", "2")
        self.assertIn("nir", " ".join(report["notes"]))
        self.assertEqual(report["records"], 118)
        self.assertEqual(report["pixels"]["too_few_observations"], 2)
        with h5py.File(out) as file:
            py, px = file["py"][...], file["px"][...]
            day, value = file["day"][...], file["value"][...]
            status = file["pixel_status"][...]
            count = file["segment_count"][...]
        self.assertEqual(day.dtype, np.int32)
        self.assertEqual(value.dtype, np.float32)
        nir = self.nir[:, py, px]
        np.testing.assert_array_equal(value, nir.max(0))
        np.testing.assert_array_equal(day, self.days[nir.argmax(0)])
        for pixel in np.ndindex(12, 10):
            dark = pixel in (DARK, HALF_DARK)
            self.assertEqual(count[pixel], 0 if dark else 1, pixel)
            self.assertEqual(status[pixel],
                             TOO_FEW_OBSERVATIONS if dark else OK, pixel)

    def test_one_compiler_call_is_enough(self):
        """The line in docs/functions.md."""
        line = re.search(r"^    (gcc .*above\.c.*)$",
                         (ROOT / "docs" / "functions.md").read_text(), re.M)
        words = line.group(1).replace("PREFIX/include", str(self.include))
        folder = self.folder_with()
        shutil.copy(EXAMPLES / "function_c" / "above.c", folder)
        subprocess.run(words.split(), cwd=folder, check=True)
        shown = self.json("functions", "above", "--function-path", folder)
        self.assertEqual(shown["name"], "above")

    # What they declare.

    def test_functions_describes_them(self):
        above = self.json("functions", "above", "--function-path", self.above)
        self.assertEqual(above["version"], "1")
        self.assertFalse(above["needs_time"])
        [threshold] = above["parameters"]
        self.assertEqual(threshold["name"], "threshold")
        self.assertEqual(threshold["default"], 0)
        self.assertEqual([threshold["min"], threshold["max"]], [-1e30, 1e30])
        self.assertTrue(above["roles"][0]["repeated"])
        greenest = self.json("functions", "greenest", "--function-path",
                             self.greenest)
        self.assertTrue(greenest["needs_time"])
        self.assertEqual(greenest["parameters"], [])
        self.assertEqual(greenest["roles"][0]["guesses"], ["nir"])
        table = self.succeed("functions", "above", "--function-path",
                             self.above).stdout
        for word in ("above 1:", "threshold", "bands", "required"):
            self.assertIn(word, table)

    def test_functions_lists_them_with_the_built_in_ones(self):
        names = self.succeed("functions", "--output", "quiet",
                             "--function-path", self.above, "--function-path",
                             self.greenest).stdout.split()
        self.assertEqual(names, ["above", "ccdc", "greenest", "harmonic",
                                 "noop", "stats"])

    def test_only_named_folders_are_searched(self):
        self.assert_fails(["functions", "above"], 2, "above")
        self.assert_fails(["run", "above", self.cube, "-o", self.out()], 2,
                          "above")
        self.assert_fails(["run", "abov", self.cube, "-o", self.out(),
                           "--function-path", self.above], 2, "'abov'",
                          "did you mean 'above'?")

    def test_parameters_are_checked_by_the_declaration(self):
        start = ["run", "above", self.cube, "-o", self.out(),
                 "--function-path", self.above, "--variables", "nir"]
        self.assert_fails([*start, "--param", "treshold=1"], 2, "treshold",
                          "did you mean 'threshold'?")
        self.assert_fails([*start, "--param", "threshold=much"], 2,
                          "threshold", "much")
        self.assert_fails([*start, "--param", "threshold=1e31"], 2,
                          "threshold", "1e+30")

    def test_the_librarys_own_error_is_the_commands(self):
        self.assert_fails(["run", "greenest", self.cube, "-o", self.out(),
                           "--function-path", self.greenest, "--variables",
                           "cfmask"], 2,
                          "variable 'cfmask' must have the type int16")
        self.assertFalse(self.out().exists())

    # What is refused.

    def test_a_file_that_is_no_library_is_refused(self):
        self.assert_refused(self.folder_with(notes="not a library\n"),
                            "notes.so' is not a function library")

    def test_an_empty_file_is_refused(self):
        self.assert_refused(self.folder_with(empty=""),
                            "empty.so' is not a function library")

    def test_a_truncated_library_is_refused(self):
        folder = self.folder_with(above=self.above / "above.so")
        with open(folder / "above.so", "r+b") as file:
            file.truncate(1000)
        self.assert_refused(folder, "above.so' is not a function library: it "
                            "is cut off after 1000 bytes")

    def test_a_folder_called_like_a_library_is_refused(self):
        self.assert_refused(self.folder_with(folder=None),
                            "folder.so' is not a function library: not a file")

    def test_a_library_without_the_symbol_is_refused(self):
        folder = self.folder_with()
        compile_library(SOURCES / "without_symbol.c", folder / "other.so")
        self.assert_refused(folder, "other.so' is not a function library: it "
                            "does not export internode_function")

    def test_a_library_of_another_version_is_refused(self):
        folder = self.folder_with()
        compile_library(SOURCES / "other_version.c", folder / "new.so",
                        f"-I{ROOT}")
        self.assert_refused(folder, "new.so' is not a function library",
                            "version 2", "version 1")

    def test_one_bad_library_among_good_ones_is_named(self):
        self.assert_refused(
            self.folder_with(above=self.above / "above.so", bad="no library"),
            "bad.so' is not a function library")

    def test_two_functions_of_one_name_are_refused(self):
        library = self.above / "above.so"
        self.assert_refused(self.folder_with(one=library, two=library),
                            "two.so'", "above")

    def test_a_missing_folder_is_refused(self):
        self.assert_refused(self.folder / "nowhere", "nowhere")

    def test_a_file_in_the_place_of_a_folder_is_refused(self):
        self.assert_refused(self.above / "above.so", "above.so")

    def test_files_of_other_names_are_ignored(self):
        folder = self.folder_with(above=self.above / "above.so")
        (folder / "README.txt").write_text("not a library\n")
        (folder / "above.so.bak").write_text("not a library\n")
        self.json("functions", "above", "--function-path", folder)


if __name__ == "__main__":
    unittest.main()
