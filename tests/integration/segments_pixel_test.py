#!/usr/bin/python3
"""`internode segments pixel`: one pixel's records, observations, drawing."""

import unittest
import xml.etree.ElementTree

import h5py
import numpy as np

from internode_command import CommandTest, run

SVG = "{http://www.w3.org/2000/svg}"


class SegmentsPixelTest(CommandTest):

    cube_options = ("--size", "y=6,x=5", "--dates", "300", "--seed", "4",
                    "--storage-chunks", "y=3,x=5")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.segments = cls.folder / "segments.nc"
        made = run("run", "ccdc", cls.cube, "-o", cls.segments)
        assert made.returncode == 0, made.stderr

    def pixel(self, *args):
        return self.json("segments", "pixel", self.segments, *args)

    def test_lists_the_records_of_the_pixel(self):
        pixel = self.pixel("--index", 2, 3)
        self.assertEqual(pixel["index"], {"y": 2, "x": 3})
        self.assertEqual(pixel["status"], "ok")
        with h5py.File(self.segments) as file:
            first = file["segment_first"][2, 3]
            count = file["segment_count"][2, 3]
            self.assertEqual(len(pixel["records"]), count)
            for i, record in enumerate(pixel["records"]):
                day = np.datetime64("1970-01-01") + int(file["t_start"][first + i])
                self.assertEqual(record["t_start"], str(day))
                self.assertEqual(record["n_obs"], file["n_obs"][first + i])
                np.testing.assert_allclose(record["coefs"],
                                           file["coefs"][first + i])
            self.assertIsNone(pixel["records"][-1]["t_break"])

    def test_finds_the_pixel_by_its_coordinates(self):
        with h5py.File(self.segments) as file:
            x, y = file["x"][3], file["y"][2]
            half = abs(file["x"][1] - file["x"][0]) / 2
        for shift in (0, 0.9 * half, -0.9 * half):
            self.assertEqual(
                self.pixel("--xy", x + shift, y)["index"], {"y": 2, "x": 3})
        self.assert_fails(["segments", "pixel", self.segments, "--xy",
                           x + 1e6, y], 2, "is outside the grid")

    def test_reads_the_observations_as_the_function_saw_them(self):
        observed = self.pixel("--index", 2, 3, "--cube",
                              self.cube)["observations"]
        with h5py.File(self.cube) as cube:
            red = cube["red"][:, 2, 3].astype(float)
            red[red == -9999] = np.nan
            clear = np.isin(cube["cfmask"][:, 2, 3], (0, 1))
        values = np.array(observed["bands"]["red"], dtype=float)
        np.testing.assert_array_equal(values, red)
        np.testing.assert_array_equal(observed["clear"], clear)
        self.assertNotIn("cfmask", observed["bands"])

    def test_draws_a_panel_for_each_band(self):
        drawing = self.folder / "pixel.svg"
        pixel = self.pixel("--index", 2, 3, "--cube", self.cube, "--plot",
                           drawing)
        root = xml.etree.ElementTree.parse(drawing).getroot()
        # A background, and a frame per band.
        self.assertEqual(len(root.findall(f"{SVG}rect")), 1 + 7)
        curves = [p for p in root.findall(f"{SVG}path") if p.get("fill")]
        self.assertEqual(len(curves), 7 * len(pixel["records"]))
        breaks = [p for p in root.findall(f"{SVG}path")
                  if p.get("stroke-dasharray")]
        self.assertEqual(len(breaks), 7 * sum(
            r["t_break"] is not None for r in pixel["records"]))
        self.assertGreater(len(root.findall(f"{SVG}circle")), 7 * 50)

    def test_draws_other_functions_curves_too(self):
        out, drawing = self.folder / "harmonic.nc", self.folder / "h.svg"
        self.succeed("run", "harmonic", self.cube, "-o", out)
        self.succeed("segments", "pixel", out, "--index", 0, 0, "--cube",
                     self.cube, "--plot", drawing)
        xml.etree.ElementTree.parse(drawing)

    def test_bad_input_is_one_line(self):
        segments = ["segments", "pixel", self.segments]
        self.assert_fails(segments, 2, "needs --xy X Y or --index ROW COL")
        self.assert_fails([*segments, "--index", 1], 2,
                          "one number per dimension of the grid: y x")
        self.assert_fails([*segments, "--index", 6, 0], 2, "no pixel 6")
        self.assert_fails([*segments, "--index", 0, -1], 2, "no pixel -1")
        self.assert_fails(["segments", "pixel", self.cube, "--index", 0, 0], 2,
                          "cube.nc")
        stats = self.folder / "stats.nc"
        self.succeed("run", "stats", self.cube, "-o", stats)
        self.assert_fails(["segments", "pixel", stats, "--index", 0, 0,
                           "--plot", self.folder / "no.svg"], 2,
                          "has no curves to draw")
        self.assert_fails([*segments, "--index", 0, 0, "--plot",
                           self.folder / "none" / "x.svg"], 1,
                          "cannot write the drawing")


if __name__ == "__main__":
    unittest.main()
