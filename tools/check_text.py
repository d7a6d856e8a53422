#!/usr/bin/python3
"""Checks what no compiler checks in the text of the tracked files.

    tools/check_text.py [FILE...]     by default all files that git tracks

Work that is left open, paths of one machine, tests that are switched off,
tabs, trailing blanks and carriage returns, programs that cannot be started as
they are; Python and shell files are also parsed. Prints one line per finding
and ends with 1 if there is any.
"""

import ast
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]

# This tool and its test have to name what they look for.
ABOUT_MARKERS = {"tools/check_text.py", "tests/integration/check_text_test.py"}

MARKERS = [
    (re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b"), "work left open"),
    (re.compile(r"\b(?:for now|not (?:yet )?implemented|(?<!::)unimplemented"
                r"|placeholder)\b", re.IGNORECASE), "work left open"),
    (re.compile(r"\bDISABLED_\w"), "a test is switched off"),
    (re.compile(r"(?<![\w.~$}/])/(?:work|home/\w+|root|Users/\w+)/"),
     "a path of one machine"),
    (re.compile(r"\b(?:usleep|sleep_for|sleep_until|SleepFor)\s*\("),
     "waits for time to pass instead of for what has to happen"),
    (re.compile(r"^(?:<{7}|>{7}|={7})(?: |$)"), "an unresolved merge"),
]
LAYOUT = [
    (re.compile(r"\r"), "a carriage return"),
    (re.compile(r"[ \t]+$"), "blanks at the end of the line"),
]
NO_TABS = {".h", ".cc", ".c", ".py", ".sh", ".cmake", ".txt", ".md", ".json"}


def line_findings(name, text):
    suffix = pathlib.PurePosixPath(name).suffix
    for number, line in enumerate(text.split("\n"), start=1):
        if name not in ABOUT_MARKERS:
            for pattern, what in MARKERS:
                found = pattern.search(line)
                if found:
                    yield f"{name}:{number}: {what}: {found.group().strip()}"
        for pattern, what in LAYOUT:
            if pattern.search(line):
                yield f"{name}:{number}: {what}"
        if suffix in NO_TABS and "\t" in line:
            yield f"{name}:{number}: a tab"
    if text and not text.endswith("\n"):
        yield f"{name}: no newline at the end"


def is_shell(name, text):
    return name.endswith(".sh") or text.startswith(
        ("#!/bin/sh", "#!/bin/bash", "#!/usr/bin/env bash"))


def syntax_findings(name, text):
    if name.endswith(".py"):
        try:
            ast.parse(text, filename=name)
        except SyntaxError as error:
            yield f"{name}:{error.lineno}: {error.msg}"
    elif is_shell(name, text):
        parsed = subprocess.run(["bash", "-n"], input=text, text=True,
                                capture_output=True, check=False)
        if parsed.returncode != 0:
            yield f"{name}: {parsed.stderr.strip()}"


def mode_findings(name, text, executable):
    """Whether a file can be started says whether it names its interpreter."""
    if text.startswith("#!") and not executable:
        yield f"{name}: names its interpreter, but is not executable"
    elif executable and not text.startswith("#!"):
        yield f"{name}: is executable, but names no interpreter"


def check_text(name, text):
    """All findings in a file of that name with that text."""
    return list(line_findings(name, text)) + list(syntax_findings(name, text))


def tracked_files():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True,
                            capture_output=True, text=True).stdout
    return [name for name in listed.split("\0")
            if name and (ROOT / name).is_file()]


def main():
    names = sys.argv[1:] or tracked_files()
    count = 0
    for name in names:
        raw = (ROOT / name).read_bytes()
        if b"\0" in raw:
            continue
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            print(f"{name}: not UTF-8: {error}")
            count += 1
            continue
        executable = os.access(ROOT / name, os.X_OK)
        for line in [*check_text(name, text),
                     *mode_findings(name, text, executable)]:
            print(line)
            count += 1
    print(f"text: {len(names)} files, {count} findings")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
