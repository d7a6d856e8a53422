"""Runs the command `internode` of the build, for the tests of it."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

INTERNODE = str(pathlib.Path(os.environ["INTERNODE_BIN_DIR"]) / "internode")
# Whether the programs are built with a sanitizer, and take several times as long.
SANITIZED = bool(os.environ.get("INTERNODE_SANITIZE"))


def environment(**extra):
    """The environment without what could set options of the command."""
    keep = {k: v for k, v in os.environ.items()
            if not k.startswith("INTERNODE_")}
    return {**keep, **extra}


def run(*args, env=None, **kwargs):
    """The finished process; stdout and stderr as text."""
    return subprocess.run([INTERNODE, *map(str, args)], text=True,
                          capture_output=True, env=environment(**(env or {})),
                          timeout=kwargs.pop("timeout", 240), **kwargs)


class CommandTest(unittest.TestCase):
    """A test with a temporary folder and one small simulated cube."""

    cube_options = ("--size", "y=12,x=10", "--dates", "60", "--seed", "3",
                    "--storage-chunks", "y=5,x=4")

    @classmethod
    def setUpClass(cls):
        cls._folder = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls._folder.name)
        cls.cube = cls.folder / "cube.nc"
        made = run("simulate", cls.cube, *cls.cube_options)
        assert made.returncode == 0, made.stderr

    @classmethod
    def tearDownClass(cls):
        cls._folder.cleanup()

    def succeed(self, *args, **kwargs):
        done = run(*args, **kwargs)
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
        return done

    def json(self, *args, **kwargs):
        """The one JSON value on stdout of a command that succeeds."""
        done = self.succeed(*args, "--output", "json", **kwargs)
        value = json.loads(done.stdout)
        self.assertEqual(value["schema"], 1)
        return value

    def assert_fails(self, args, code, *parts, **kwargs):
        """`args` end with `code` and one error line that has all `parts`."""
        done = run(*args, **kwargs)
        self.assertEqual(done.returncode, code, done.stderr + done.stdout)
        errors = [line for line in done.stderr.splitlines()
                  if line.startswith("error: ")]
        self.assertEqual(len(errors), 1, done.stderr)
        self.assertEqual(done.stderr.strip().splitlines()[-1], errors[0])
        for part in parts:
            self.assertIn(part, errors[0])
        return errors[0]
