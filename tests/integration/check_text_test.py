"""tools/check_text.py finds each thing that it looks for."""

import pathlib
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import check_text  # noqa: E402


class CheckTextTest(unittest.TestCase):

    def test_each_kind_of_finding_is_found_once(self):
        for name, text in (
            ("base/a.cc", "int a;  // TODO: more\n"),
            ("base/a.cc", "// FIXME\n"),
            ("docs/a.md", "This is good enough for now.\n"),
            ("base/a.cc", "// Not yet implemented.\n"),
            ("base/a.cc", "// A placeholder.\n"),
            ("tests/unit/a_test.cc", "TEST(Grid, DISABLED_IsFast) {}\n"),
            ("tests/a.py", "PATH = '/home/someone/data'\n"),
            ("docs/a.md", "See /root/notes.\n"),
            ("tests/unit/a_test.cc", "std::this_thread::sleep_for(one);\n"),
            ("docs/a.md", "<<<<<<< HEAD\n"),
            ("base/a.cc", "int a;\r\n"),
            ("base/a.cc", "\tint a;\n"),
            ("base/a.cc", "int a;"),
            ("docs/a.md", "word \n"),
            ("tools/a.py", "def f(:\n    pass\n"),
            ("deploy/a.sh", "if true; then\n"),
            (".ci/run", "#!/usr/bin/env bash\nfor\n"),
        ):
            with self.subTest(name=name, text=text):
                found = check_text.check_text(name, text)
                self.assertEqual(len(found), 1, found)
                self.assertTrue(found[0].startswith(name + ":"), found)

    def test_a_program_can_be_started(self):
        program = "#!/usr/bin/python3\n"
        for text, executable, count in ((program, True, 0), (program, False, 1),
                                        ("x = 1\n", False, 0),
                                        ("x = 1\n", True, 1)):
            with self.subTest(text=text, executable=executable):
                found = list(check_text.mode_findings("tools/a.py", text,
                                                      executable))
                self.assertEqual(len(found), count, found)

    def test_ordinary_text_passes(self):
        for name, text in (
            ("base/a.cc", "// Hacking is fine; so is mkstemp(\"aXXXXXX\").\n"),
            ("docs/a.md", "From `build/home/x` to https://a.b/root/c.\n"),
            ("tools/a.py", "def f():\n    pass\n"),
            ("deploy/a.sh", "if true; then :; fi\n"),
            ("Makefile", "\ttabs belong here\n"),
            ("docs/empty.md", ""),
        ):
            with self.subTest(name=name, text=text):
                self.assertEqual(check_text.check_text(name, text), [])


if __name__ == "__main__":
    unittest.main()
