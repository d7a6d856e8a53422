#!/usr/bin/python3
"""`internode simulate --change-size`: how far a break goes."""

import unittest

import h5py
import numpy as np

from internode_command import CommandTest

BANDS = ("blue", "green", "red", "nir", "swir1", "swir2", "thermal")


class ChangeSizeTest(CommandTest):

    def simulated(self, name, *options):
        path = self.folder / name
        self.succeed("simulate", path, "--size", "y=20,x=20", "--seed", 4,
                     "--dates", 120, "--overwrite", *options)
        with h5py.File(path) as file:
            cube = {k: file[k][...] for k in file if file[k].shape}
            cube["change_size"] = file.attrs["change_size"]
        return cube

    def test_by_default_a_break_goes_all_the_way(self):
        given = self.simulated("given.nc", "--change-size", 1)
        usual = self.simulated("usual.nc")
        self.assertEqual(usual["change_size"], 1)
        for name in (*BANDS, "cfmask", "true_break_magnitude"):
            np.testing.assert_array_equal(given[name], usual[name], name)

    def test_the_first_change_is_the_given_part_of_the_whole(self):
        whole = self.simulated("whole.nc")
        tenth = self.simulated("tenth.nc", "--change-size", 0.1)
        self.assertAlmostEqual(float(tenth["change_size"][0]), 0.1)
        for name in ("true_break_count", "true_break_date", "time"):
            np.testing.assert_array_equal(tenth[name], whole[name], name)
        broken = whole["true_break_count"] > 0
        self.assertGreater(broken.sum(), 100)
        # The later ones begin from another model.
        np.testing.assert_allclose(
            tenth["true_break_magnitude"][broken][:, 0],
            0.1 * whole["true_break_magnitude"][broken][:, 0], atol=0.6)

    def test_up_to_the_first_break_nothing_differs(self):
        whole = self.simulated("whole.nc")
        tenth = self.simulated("tenth.nc", "--change-size", 0.1)
        first = np.where(whole["true_break_count"] > 0,
                         whole["true_break_date"][..., 0], 2**31 - 1)
        before = whole["time"][:, None, None] < first
        for name in (*BANDS, "cfmask"):
            same = whole[name] == tenth[name]
            self.assertTrue(same[before].all(), name)
        self.assertFalse((whole["nir"] == tenth["nir"])[~before].all())

    def test_small_changes_leave_water_water(self):
        codes = self.simulated("small.nc", "--change-size", 0.4)["cfmask"]
        seen = ((codes == 0).any(axis=0), (codes == 1).any(axis=0))
        self.assertFalse((seen[0] & seen[1]).any())
        codes = self.simulated("large.nc", "--change-size", 0.6)["cfmask"]
        self.assertTrue(((codes == 0).any(axis=0) &
                         (codes == 1).any(axis=0)).any())

    def test_no_change_is_no_change(self):
        cube = self.simulated("none.nc", "--change-size", 0)
        some = cube["true_break_magnitude"][cube["true_break_count"] > 0][:, 0]
        self.assertTrue((some == 0).all())

    def test_refuses_sizes_out_of_range(self):
        for size in ("1.5", "-0.1"):
            self.assert_fails(["simulate", self.folder / "x.nc",
                               f"--change-size={size}"], 2, "change size",
                              "between 0 and 1")


if __name__ == "__main__":
    unittest.main()
