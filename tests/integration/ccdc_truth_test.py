#!/usr/bin/python3
"""CCDC finds the breaks of simulated cubes as well as it ever did.

The numbers recorded here are those of docs/ccdc.md for smaller cubes. Nothing
is random: if the simulation changes, `true` differs and all have to be
recorded anew; if CCDC changes, it may find more, and not less.
"""

import math
import os
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(os.environ["INTERNODE_SOURCE_DIR"]) /
                       "tools"))
import ccdc_accuracy
from ccdc_accuracy import Accuracy, TrueBreak, judge_pixel, measure

INTERNODE = pathlib.Path(os.environ["INTERNODE_BIN_DIR"]) / "internode"

# By the lower edge of the size: breaks that are judged, and at most how many
# of them are missed; at most how many found ones are late, and baseless.
RECORDED = {
    0: (449, 441, 0, 0),
    2: (287, 242, 40, 0),
    3: (180, 65, 34, 0),
    4: (119, 30, 14, 0),
    5: (69, 17, 6, 0),
    6: (64, 8, 3, 0),
    8: (207, 5, 2, 0),
    12: (206, 0, 0, 0),
    16: (463, 0, 0, 0),
    24: (191, 0, 0, 0),
}


def measure_all(folder, *run_options):
    accuracy = Accuracy()
    for seed, part in ((11, 1), (12, 0.25), (13, 0.12)):
        accuracy.add(measure(INTERNODE, folder,
                             ["--size", "y=32,x=32", "--seed", seed,
                              "--change-size", part], run_options))
    return accuracy


class TruthTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls._folder = tempfile.TemporaryDirectory()
        cls.folder = cls._folder.name
        cls.accuracy = measure_all(cls.folder)

    @classmethod
    def tearDownClass(cls):
        cls._folder.cleanup()

    def test_no_class_of_size_is_worse_than_it_was(self):
        ccdc_accuracy.print_table(self.accuracy)
        ccdc_accuracy.print_facts(self.accuracy)
        self.assertEqual(tuple(RECORDED), ccdc_accuracy.EDGES)
        for recorded, tally in zip(RECORDED.items(), self.accuracy.classes):
            edge, (true, missed, late, baseless) = recorded
            with self.subTest(size=edge):
                self.assertEqual(tally.true, true)
                self.assertLessEqual(tally.missed, missed)
                self.assertLessEqual(tally.late, late)
                self.assertLessEqual(tally.baseless, baseless)

    def test_large_changes_are_found_and_nothing_else(self):
        large = self.accuracy.total(least=8)
        self.assertGreater(large.true, 500)
        self.assertLess(large.omission, 0.01)
        self.assertLess(large.commission, 0.01)
        self.assertGreater(self.accuracy.unchanged, 1000)
        self.assertEqual(self.accuracy.unchanged_but_found, 0)

    def test_breaks_are_dated_to_the_first_observation_of_the_new(self):
        self.assertGreater(self.accuracy.at_first_sight,
                           0.98 * len(self.accuracy.delays))

    def test_a_worse_detector_is_told_from_this_one(self):
        def worse(*options):
            return measure_all(self.folder, *options)

        blunt = worse("--param", "change_probability=0.999999").total(least=4)
        good = self.accuracy.total(least=4)
        self.assertGreater(blunt.missed, good.missed)
        nervous = worse("--param", "change_probability=0.3",
                        "--param", "peek_size=3")
        self.assertGreater(nervous.total().baseless,
                           10 + self.accuracy.total().baseless)


class JudgeTest(unittest.TestCase):
    """What counts as what."""

    @staticmethod
    def judge(true, found):
        accuracy = Accuracy()
        judge_pixel(true, [(day, 5.0) for day in found], accuracy)
        return accuracy, accuracy.total()

    @staticmethod
    def true(day, first_seen=None, judged=True):
        return TrueBreak(day, day if first_seen is None else first_seen, 5.0,
                         judged)

    def test_sixty_days_are_the_limit_on_both_sides(self):
        for day, missed in ((940, 0), (1060, 0), (939, 1), (1061, 1)):
            _, tally = self.judge([self.true(1000)], [day])
            self.assertEqual((tally.true, tally.missed, tally.found),
                             (1, missed, 1), day)
            self.assertEqual(tally.false, missed)

    def test_a_found_break_is_one_true_break_at_most(self):
        _, tally = self.judge([self.true(1000), self.true(1050)], [1030])
        self.assertEqual((tally.true, tally.missed, tally.false), (2, 1, 0))
        _, tally = self.judge([self.true(1000)], [1010, 990])
        self.assertEqual((tally.missed, tally.found, tally.false), (0, 2, 1))

    def test_late_is_what_follows_a_missed_break(self):
        _, tally = self.judge([self.true(1000)], [1400, 1900])
        self.assertEqual((tally.missed, tally.late, tally.baseless),
                         (1, 1, 1))
        _, tally = self.judge([self.true(1000)], [700])
        self.assertEqual((tally.late, tally.baseless), (0, 1))

    def test_where_nothing_changed_every_found_break_is_baseless(self):
        accuracy, tally = self.judge([], [1000])
        self.assertEqual((tally.baseless, tally.commission), (1, 1))
        self.assertEqual((accuracy.unchanged, accuracy.unchanged_but_found),
                         (1, 1))
        self.assertTrue(math.isnan(tally.omission))

    def test_breaks_hidden_by_clouds_do_not_count(self):
        hidden = self.true(1000, first_seen=1080, judged=False)
        accuracy, tally = self.judge([hidden], [1080])
        self.assertEqual((tally.true, tally.found), (0, 0))
        self.assertEqual((accuracy.unjudged, accuracy.unjudged_found), (1, 1))
        accuracy, tally = self.judge([hidden], [])
        self.assertEqual((accuracy.unjudged, accuracy.unjudged_found), (1, 0))
        _, tally = self.judge([hidden], [1141])
        self.assertEqual((tally.found, tally.late), (1, 1))


if __name__ == "__main__":
    unittest.main()
