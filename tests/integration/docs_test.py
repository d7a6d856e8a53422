"""The documents name only files, commands and options that exist."""

import functools
import os
import pathlib
import re
import shlex
import subprocess
import unittest

ROOT = pathlib.Path(os.environ["INTERNODE_SOURCE_DIR"])
INTERNODE = pathlib.Path(os.environ["INTERNODE_BIN_DIR"]) / "internode"

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"),
                    *ROOT.glob("tests/**/*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")
# `internode …` in a line of its own, perhaps after a prompt or in a code span.
COMMAND = re.compile(r"(?:^\s{4,}(?:\$ )?|`)(internode [a-z][^`]*)")
OPTION = re.compile(r"^--?[a-zA-Z][-a-zA-Z]*")


@functools.cache
def help_text(*words):
    """What `internode WORDS --help` prints, or None where it fails."""
    done = subprocess.run([INTERNODE, *words, "--help"], capture_output=True,
                          text=True, check=False)
    return done.stdout if done.returncode == 0 else None


@functools.cache
def subcommands(*words):
    """The names of the subcommands of `internode WORDS`."""
    names, inside = set(), False
    for line in (help_text(*words) or "").splitlines():
        if re.match(r"(sub)?commands:", line, re.IGNORECASE):
            inside = True
        elif inside and line.startswith("  "):
            names.update(re.findall(r"^  ([a-z]+)", line))
        elif inside and line.strip():
            inside = False
    return names


def logical_lines(text):
    """(number, line) with lines joined that end in a backslash."""
    number, held = 0, ""
    for i, line in enumerate(text.splitlines(), start=1):
        number = number if held else i
        held += line[:-1] + " " if line.endswith("\\") else line
        if not line.endswith("\\"):
            yield number, held
            held = ""


def commands(text):
    """(line number, words) of each command `internode …` in a document."""
    for number, line in logical_lines(text):
        for found in COMMAND.finditer(line):
            try:
                words = shlex.split(found.group(1), comments=True)
            except ValueError:
                words = found.group(1).split()
            yield number, words[1:]


def split_command(words):
    """(subcommand, the rest); "info|merge" stands for both."""
    command = []
    while words and subcommands(*command):
        alternatives = words[0].split("|")
        if not set(alternatives) <= subcommands(*command):
            return command, words
        command.append(alternatives[0])
        words = words[1:]
    return command, words


class DocsTest(unittest.TestCase):

    def test_the_command_tells_its_subcommands(self):
        self.assertIn("run", subcommands())
        self.assertIn("info", subcommands("cube"))
        self.assertNotIn("no-such-command", subcommands())

    def test_links_lead_to_files(self):
        for document in DOCUMENTS:
            for link in LINK.findall(document.read_text(encoding="utf-8")):
                target = link.split("#")[0]
                if not target or re.match(r"[a-z]+:", target):
                    continue
                with self.subTest(document=document.name, link=link):
                    self.assertTrue((document.parent / target).exists(), link)

    def test_commands_and_options_exist(self):
        seen = 0
        for document in DOCUMENTS:
            text = document.read_text(encoding="utf-8")
            for number, words in commands(text):
                where = f"{document.name}:{number}: {' '.join(words)}"
                with self.subTest(where=where):
                    command, rest = split_command(words)
                    self.assertTrue(command, f"no such command: {where}")
                    # A group alone (`internode job`) has nothing to check.
                    known = help_text(*command)
                    self.assertIsNotNone(known, where)
                    for word in rest:
                        option = OPTION.match(word)
                        if option:
                            self.assertRegex(
                                known,
                                rf"(?<![-\w]){option.group()}(?![-\w])", where)
                    if subcommands(*command) and rest:
                        self.fail(f"no such subcommand: {where}")
                    seen += 1
        self.assertGreater(seen, 10)


if __name__ == "__main__":
    unittest.main()
