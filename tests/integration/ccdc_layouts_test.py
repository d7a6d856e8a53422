#!/usr/bin/python3
"""CCDC finds its bands and codes in every layout that `simulate` writes."""

import unittest

import h5py
import numpy as np

from internode_command import CommandTest

COLUMNS = ("t_start", "t_end", "t_break", "n_obs", "change_prob", "category",
           "coefs", "rmse", "magnitude")
BANDS = ["blue", "green", "red", "nir", "swir1", "swir2", "thermal"]
PIXELS = 40
ENCODINGS = {"cfmask": "qa_encoding: cfmask, by the name cfmask",
             "ard": "qa_encoding: landsat_ard, by the name pixel_qa"}


class LayoutsTest(CommandTest):

    def segments(self, layout, qa):
        """The first row's columns in order of pixels, and their status."""
        cube = self.folder / f"{layout}-{qa}.nc"
        out = self.folder / f"{layout}-{qa}-segments.nc"
        size = (f"sample_id={PIXELS}" if layout == "samples" else
                f"y=1,x={PIXELS}")
        self.succeed("simulate", cube, "--layout", layout, "--qa", qa,
                     "--size", size, "--seed", 5)
        done = self.succeed("run", "ccdc", cube, "-o", out)
        self.assertIn(ENCODINGS[qa], done.stdout + done.stderr)
        place = "psample_id" if layout == "samples" else "px"
        with h5py.File(out) as file:
            self.assertEqual(file["band"].asstr()[...].tolist(), BANDS)
            columns = {name: file[name][...] for name in COLUMNS}
            columns["pixel"] = file[place][...]
            status = file["pixel_status"][...].ravel()
        order = np.lexsort((columns["t_start"], columns["pixel"]))
        return {k: v[order] for k, v in columns.items()}, status

    def test_the_layout_and_the_codes_do_not_matter(self):
        expected, status = self.segments("variables", "cfmask")
        # Some pixels have a break and some none.
        self.assertGreater(len(expected["pixel"]), PIXELS + 10)
        self.assertTrue((status == 1).all())
        for layout in ("variables", "band-dim", "samples"):
            for qa in ENCODINGS:
                with self.subTest(layout=layout, qa=qa):
                    columns, same_status = self.segments(layout, qa) if (
                        layout, qa) != ("variables", "cfmask") else (
                            expected, status)
                    np.testing.assert_array_equal(same_status, status)
                    for name, column in expected.items():
                        np.testing.assert_array_equal(columns[name], column,
                                                      err_msg=name)


if __name__ == "__main__":
    unittest.main()
