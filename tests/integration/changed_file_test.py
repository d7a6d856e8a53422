#!/usr/bin/python3
"""Files that are changed, cut, replaced or removed between and during reads:
a clear error, never a mixture of two states."""

import os
import pathlib
import shutil
import tempfile
import threading
import unittest

import h5py
import numpy as np

from block_server import BlockServer

SHAPE = (20, 32, 32)
# Enough for the writer and the reader to meet often.
ROUNDS = 400


def write(path, value, compressed, size=None):
    """A file whose numbers are all `value`."""
    options = dict(compression="gzip", shuffle=True) if compressed else {}
    with h5py.File(path, "w", libver="latest") as f:
        f.create_dataset("a", data=np.full(size or SHAPE, value, "i2"),
                         chunks=(20, 8, 8), **options)


class ChangedFileTest(unittest.TestCase):

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.path = self.folder / "cube.h5"
        self.other = self.folder / "other.h5"
        self.server = BlockServer()
        self.addCleanup(self.server.close)

    def read(self, size=SHAPE):
        return self.server.read(self.path, ["a"], ["time"], ["y", "x"], [0, 0],
                                size[1:], dims=["time", "y", "x"])

    def assert_holds(self, value, size=SHAPE):
        got = self.read(size)
        self.assertNotIn("error", got)
        self.assertEqual(set(np.unique(got["a", -1])), {value})

    def assert_refused(self, *parts):
        answer = self.read()
        self.assertIn("error", answer)
        self.assertEqual(answer["code"], "FAILED_PRECONDITION")
        self.assertNotIn("\n", answer["error"])
        for part in (str(self.path), *parts):
            self.assertIn(part, answer["error"])

    def check(self, change, *parts, then=None):
        """`change` makes reads fail until the file is opened again."""
        for compressed in (True, False):
            write(self.path, 1, compressed)
            write(self.other, 2, compressed)
            self.assert_holds(1)
            self.assert_holds(1)
            change()
            self.assert_refused(*parts)
            self.assert_refused(*parts)
            self.server.forget()
            if then is not None:
                self.assert_holds(then)
            else:
                self.assertIn("error", self.read())
            self.server.forget()

    def test_replaced_by_rename(self):
        self.check(lambda: os.rename(self.other, self.path), "has changed",
                   then=2)

    def test_overwritten_in_place(self):
        self.check(lambda: shutil.copyfile(self.other, self.path),
                   "has changed", then=2)

    def test_truncated(self):
        for keep in (0, 1, 100, -1):
            self.check(lambda keep=keep: os.truncate(
                self.path, keep % self.path.stat().st_size), "has changed")

    def test_extended(self):
        def extend():
            with open(self.path, "ab") as f:
                f.write(bytes(100))
        self.check(extend, "has changed", then=1)

    def test_one_byte(self):
        """In the data, where no checksum would tell."""
        def flip():
            with open(self.path, "r+b") as f:
                f.seek(-5, os.SEEK_END)
                f.write(b"\x7f")
        for compressed in (True, False):
            write(self.path, 1, compressed)
            self.assert_holds(1)
            flip()
            self.assert_refused("has changed")
            self.server.forget()

    def test_removed(self):
        self.check(self.path.unlink, "has gone")

    def test_became_a_folder(self):
        def change():
            self.path.unlink()
            self.path.mkdir()
        write(self.path, 1, True)
        self.assert_holds(1)
        change()
        self.assert_refused("has changed")

    def test_touched(self):
        """The same bytes at another time may be other bytes."""
        self.check(lambda: os.utime(self.path, ns=(1, 1)), "has changed",
                   then=1)

    def check_meanwhile(self, compressed, change):
        """Reads while `change` puts one state and the other in place."""
        states = []
        for value in (1, 2):
            state = self.folder / f"state{value}.h5"
            write(state, value, compressed)
            states.append(state)
        shutil.copyfile(states[0], self.path)
        done = threading.Event()

        def writer():
            # Changes that lie within a tick of the file system's clock (4 ms
            # mostly) cannot be told apart by anybody.
            turn = 0
            while not done.wait(timeout=0.01):
                turn += 1
                change(states[turn % 2])

        thread = threading.Thread(target=writer)
        thread.start()
        outcomes = {"read": 0, "refused": 0}
        try:
            for _ in range(ROUNDS):
                got = self.read()
                if "error" in got:
                    outcomes["refused"] += 1
                    self.assertNotIn("\n", got["error"])
                    self.server.forget()
                    continue
                outcomes["read"] += 1
                values = set(np.unique(got["a", -1]))
                self.assertIn(values, ({1}, {2}))
        finally:
            done.set()
            thread.join(timeout=60)
        self.assertFalse(thread.is_alive())
        self.server.forget()
        change(states[1])
        self.assert_holds(2)
        self.server.forget()
        self.assertEqual(sum(outcomes.values()), ROUNDS)
        return outcomes

    def test_replaced_while_it_is_read(self):
        def rename(state):
            beside = self.folder / "beside.h5"
            shutil.copyfile(state, beside)
            os.rename(beside, self.path)
        for compressed in (True, False):
            self.check_meanwhile(compressed, rename)

    def test_overwritten_while_it_is_read(self):
        for compressed in (True, False):
            self.check_meanwhile(
                compressed, lambda state: shutil.copyfile(state, self.path))


if __name__ == "__main__":
    unittest.main()
