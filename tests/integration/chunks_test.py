#!/usr/bin/python3
"""`internode chunks` against the rules of stems, written a second time here."""

import itertools
import json
import random
import signal
import subprocess
import unittest

from internode_command import (INTERNODE, SANITIZED, CommandTest, environment,
                               run)


def iter_chunks(dim_sizes, chunk_sizes=None):
    """stems' iter_chunks: a list of selections of {name: size}."""
    if chunk_sizes is None:
        return [dict(zip(dim_sizes, index)) for index in
                itertools.product(*map(range, dim_sizes.values()))]
    if isinstance(chunk_sizes, int):
        chunk_sizes = {dim: chunk_sizes for dim in dim_sizes}
    ranges = []
    for dim, size in dim_sizes.items():
        step = chunk_sizes.get(dim, 1)
        ranges.append([[i, min(i + step, size)] for i in range(0, size, step)])
    return [dict(zip(dim_sizes, selection))
            for selection in itertools.product(*ranges)]


def sizes_text(sizes):
    return ",".join(f"{name}={size}" for name, size in sizes.items())


def arguments(dim_sizes, chunk_sizes, core_dims=()):
    args = ["--dims", sizes_text(dim_sizes)]
    if isinstance(chunk_sizes, int):
        args += ["--chunks", str(chunk_sizes)]
    elif chunk_sizes is not None:
        args += ["--chunks", sizes_text(chunk_sizes)]
    if core_dims:
        args += ["--core-dims", ",".join(core_dims)]
    return args


def printed(args):
    done = run("chunks", *args, "--output", "json")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


class ChunksTest(unittest.TestCase):

    def check(self, dim_sizes, chunk_sizes, expected):
        self.assertEqual(iter_chunks(dim_sizes, chunk_sizes), expected)
        self.assertEqual(printed(arguments(dim_sizes, chunk_sizes)), expected)

    def test_no_chunk_sizes_give_every_element_once_by_index(self):
        self.check({"y": 2, "x": 2}, None,
                   [{"y": 0, "x": 0}, {"y": 0, "x": 1},
                    {"y": 1, "x": 0}, {"y": 1, "x": 1}])

    def test_an_integer_gives_ranges_in_every_dimension(self):
        self.check({"y": 3, "x": 2}, 2,
                   [{"y": [0, 2], "x": [0, 2]}, {"y": [2, 3], "x": [0, 2]}])

    def test_a_dimension_that_the_mapping_lacks_gets_ranges_of_one(self):
        self.check({"y": 3, "x": 2}, {"y": 3},
                   [{"y": [0, 3], "x": [0, 1]}, {"y": [0, 3], "x": [1, 2]}])

    def test_the_last_range_is_cut(self):
        self.check({"y": 5}, {"y": 3}, [{"y": [0, 3]}, {"y": [3, 5]}])
        self.check({"y": 2}, {"y": 100}, [{"y": [0, 2]}])

    def test_a_dimension_of_size_0_yields_nothing(self):
        self.check({"y": 0, "x": 3}, 2, [])
        self.check({"y": 3, "x": 0}, None, [])

    def test_no_dimensions_yield_one_empty_selection(self):
        self.check({}, None, [{}])
        self.check({}, 3, [{}])

    def test_core_dimensions_are_whole_names(self):
        self.assertEqual(
            printed(arguments({"time": 9, "t": 2}, None, ["time"])),
            [{"t": 0}, {"t": 1}])

    def test_core_dimensions_are_taken_out_in_the_order_of_the_data(self):
        self.assertEqual(
            printed(arguments({"x": 2, "time": 9, "y": 1, "band": 7}, {"x": 2},
                              ["band", "time"])),
            [{"x": [0, 2], "y": [0, 1]}])

    def test_thousands_of_random_cases(self):
        rng = random.Random(20)
        for _ in range(200 if SANITIZED else 2000):
            names = rng.sample(["y", "x", "sample_id", "tile", "t"],
                               rng.randint(0, 3))
            sizes = {name: rng.choice([0, 1, 1, 2, 3, 5, 8]) for name in names}
            kind = rng.randint(0, 2)
            chunks = (None if kind == 0 else rng.randint(1, 9) if kind == 1
                      else {n: rng.randint(1, 9) for n in names
                            if rng.random() < 0.7} or None)
            core = [n for n in names if rng.random() < 0.2]
            if isinstance(chunks, dict):
                chunks = {n: s for n, s in chunks.items()
                          if n not in core} or None
            rest = {n: s for n, s in sizes.items() if n not in core}
            self.assertEqual(printed(arguments(sizes, chunks, core)),
                             iter_chunks(rest, chunks),
                             (sizes, chunks, core))

    def test_parts_are_contiguous_and_make_up_the_whole(self):
        whole = printed(arguments({"y": 7, "x": 5}, 2))
        parts = []
        for i in range(1, 6):
            parts += printed(arguments({"y": 7, "x": 5}, 2)
                             + ["--job-id", str(i), "--job-total", "5"])
        self.assertEqual(parts, whole)

    def test_a_billion_selections_are_printed_as_they_are_read(self):
        process = subprocess.Popen(
            [INTERNODE, "chunks", "--dims", "y=40000,x=40000", "--output",
             "json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=environment(), restore_signals=True)
        first = process.stdout.readline()
        process.stdout.close()
        errors = process.stderr.read()
        process.stderr.close()
        self.assertEqual(json.loads(first), {"y": 0, "x": 0})
        self.assertEqual(process.wait(timeout=60), -signal.SIGPIPE)
        self.assertEqual(errors, b"")

    def test_table_and_quiet(self):
        done = run("chunks", "--dims", "y=5", "--chunks", "3")
        self.assertEqual(done.stdout, "y=0:3\ny=3:5\n")
        done = run("chunks", "--dims", "y=5,x=2", "--output", "quiet")
        self.assertEqual(done.stdout, "10\n")


class ChunksErrorsTest(CommandTest):

    def test_bad_chunk_sizes_name_the_dimension(self):
        base = ["chunks", "--dims", "y=5,x=7", "--chunks"]
        self.assert_fails(base + ["y=0"], 2, "'y'", "at least 1")
        self.assert_fails(base + ["y=-3"], 2, "'y'", "at least 1")
        self.assert_fails(base + ["0"], 2, "at least 1")
        self.assert_fails(base + ["yy=3"], 2, "'yy'", "did you mean 'y'?")
        self.assert_fails(base + ["y"], 2, "--chunks", "y=100,x=100")
        self.assert_fails(base + ["1.5"], 2, "--chunks")
        self.assert_fails(base + ["auto"], 2, "needs a cube file")
        self.assert_fails(base + ["99999999999999999999"], 2, "--chunks")

    def test_bad_dimensions(self):
        self.assert_fails(["chunks", "--dims", "y=5,y=7"], 2, "'y'", "twice")
        self.assert_fails(["chunks", "--dims", "y=-5"], 2, "'y'", "negative")
        self.assert_fails(["chunks", "--dims", "y"], 2, "--dims", "y=5,x=7")
        self.assert_fails(["chunks"], 2, "--dims")
        self.assert_fails(["chunks", "--dims", "time=3,y=5", "--core-dims",
                           "tim"], 2, "'tim'", "did you mean 'time'?")
        huge = "y=9223372036854775807,x=2"
        self.assert_fails(["chunks", "--dims", huge], 2, "2^63")

    def test_a_file_is_cut_as_run_cuts_it(self):
        done = self.succeed("chunks", self.cube, "--chunks", "y=6,x=10",
                            "--output", "json")
        self.assertEqual([json.loads(line) for line in done.stdout.split("\n")
                          if line],
                         [{"y": [0, 6], "x": [0, 10]},
                          {"y": [6, 12], "x": [0, 10]}])


if __name__ == "__main__":
    unittest.main()
