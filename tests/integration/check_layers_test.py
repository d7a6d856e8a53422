"""tools/check_layers.py finds every kind of forbidden include, and no other."""

import os
import pathlib
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import check_layers  # noqa: E402


def violations(files):
    """What the check says of a repository with these {path: text}."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name in ("base", "core", "cube", "functions", "client", "rpc",
                     "scheduler", "worker", "proto", "tests"):
            (root / name).mkdir()
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")
        return check_layers.check(root)


FORBIDDEN = [
    # core: values without files, processes, threads, clocks, chance, log.
    *[("core/a.h", header) for header in (
        "<fstream>", "<filesystem>", "<iostream>", "<cstdio>", "<stdio.h>",
        "<thread>", "<mutex>", "<shared_mutex>", "<condition_variable>",
        "<future>", "<stop_token>", "<pthread.h>", "<chrono>", "<ctime>",
        "<time.h>", "<sys/time.h>", "<unistd.h>", "<fcntl.h>", "<dlfcn.h>",
        "<random>", '"absl/synchronization/mutex.h"', '"absl/time/clock.h"',
        '"absl/random/random.h"', '"base/mutex.h"', '"base/log.h"',
        "<hdf5.h>", '"hdf5.h"', "<H5Cpp.h>", "<grpcpp/grpcpp.h>",
        "<google/protobuf/message.h>", "<spdlog/spdlog.h>",
        '"nlohmann/json.hpp"', '"cube/a.h"', '"functions/a.h"',
        '"client/a.h"', '"internode/executor.h"', '"tests/support/a.h"')],
    # base: nothing of ours; spdlog in log.cc alone.
    *[("base/a.cc", header) for header in (
        '"core/a.h"', '"cube/a.h"', '"client/a.h"', "<spdlog/spdlog.h>",
        '"CLI/CLI.hpp"', "<hdf5.h>", "<grpcpp/grpcpp.h>")],
    # cube alone has HDF5, and has no rpc.
    *[("cube/a.cc", header) for header in (
        '"functions/a.h"', '"client/a.h"', "<grpcpp/grpcpp.h>",
        "<google/protobuf/message.h>", '"internode/v1/job.pb.h"')],
    *[("functions/a.cc", header) for header in (
        '"cube/a.h"', "<hdf5.h>", "<H5public.h>", '"client/a.h"',
        "<grpcpp/grpcpp.h>", "<google/protobuf/message.h>")],
    *[("functions/ccdc/a.cc", header) for header in (
        '"cube/a.h"', "<hdf5.h>")],
    *[("rpc/a.cc", header) for header in (
        '"scheduler/a.h"', '"worker/a.h"', '"client/a.h"', '"cube/a.h"')],
    *[("scheduler/core/a.cc", header) for header in (
        "<grpcpp/grpcpp.h>", "<google/protobuf/message.h>", "<sqlite3.h>",
        "<thread>", "<chrono>", "<random>", "<unordered_map>",
        '"absl/container/flat_hash_map.h"', '"absl/random/random.h"',
        '"absl/time/clock.h"', '"base/mutex.h"', '"scheduler/engine/a.h"',
        '"rpc/a.h"', '"cube/a.h"')],
    *[("scheduler/engine/a.cc", header) for header in (
        '"cube/a.h"', '"functions/a.h"', '"worker/a.h"', '"client/a.h"',
        "<hdf5.h>")],
    *[("worker/a.cc", header) for header in (
        '"scheduler/core/a.h"', '"client/a.h"', "<hdf5.h>")],
    *[("client/a.cc", header) for header in (
        '"scheduler/core/a.h"', '"worker/a.h"', "<hdf5.h>", '"CLI/CLI.hpp"')],
    ("client/cli/a.cc", "<hdf5.h>"),
    # Public headers: std and four headers of Abseil.
    *[("client/include/internode/a.h", header) for header in (
        '"base/quantity.h"', '"core/a.h"', '"cube/a.h"', '"client/a.h"',
        "<hdf5.h>", '"CLI/CLI.hpp"', '"absl/strings/str_cat.h"',
        '"absl/container/flat_hash_map.h"', "<nlohmann/json.hpp>",
        "<grpcpp/grpcpp.h>", "<unistd.h>")],
    *[("docs/examples/one/a.cc", header) for header in (
        '"core/a.h"', '"functions/a.h"', "<hdf5.h>")],
    # Ways round the check.
    ("core/a.h", '"../cube/a.h"'),
    ("core/a.h", '"neighbour.h"'),
    ("core/a.h", "HEADER_NAME"),
    ("core/a.h", "<somelibrary/a.h>"),
]

ALLOWED = [
    ("core/a.h", "<vector>"),
    ("core/a.h", "<cstdint>"),
    ("core/a.h", '"absl/status/status.h"'),
    ("core/a.h", '"absl/time/time.h"'),
    ("core/a.h", '"base/quantity.h"'),
    ("core/a.h", '"core/b.h"'),
    ("base/a.cc", "<thread>"),
    ("base/a.cc", '"absl/synchronization/mutex.h"'),
    ("base/log.cc", "<spdlog/spdlog.h>"),
    ("cube/a.cc", "<hdf5.h>"),
    ("cube/a.cc", "<libdeflate.h>"),
    ("cube/a.cc", "<sys/stat.h>"),
    ("functions/a.cc", "<dlfcn.h>"),
    ("functions/ccdc/a.cc", '"functions/function.h"'),
    ("functions/ccdc/a.cc", '"hwy/highway.h"'),
    ("functions/ccdc/a.cc", "<boost/math/distributions/chi_squared.hpp>"),
    ("client/a.cc", '"internode/executor.h"'),
    ("client/cli/a.cc", '"CLI/CLI.hpp"'),
    ("client/include/internode/a.h", '"internode/b.h"'),
    ("client/include/internode/a.h", "<functional>"),
    ("client/include/internode/a.h", '"absl/status/statusor.h"'),
    ("scheduler/core/a.cc", "<map>"),
    ("scheduler/engine/a.cc", '"scheduler/core/a.h"'),
    ("docs/examples/one/a.c", '"internode/internode_function.h"'),
    ("tests/unit/core/a_test.cc", "<hdf5.h>"),
]


class CheckLayersTest(unittest.TestCase):

    def test_the_repository_itself_is_clean(self):
        self.assertEqual(check_layers.check(ROOT), [])

    def test_each_forbidden_include_is_found(self):
        for path, header in FORBIDDEN:
            with self.subTest(path=path, header=header):
                found = violations({path: f"\n#include {header}\n"})
                self.assertEqual(len(found), 1, found)
                self.assertIn(f"{path}:2: ", found[0])
                self.assertIn(header.strip('<>"'), found[0])

    def test_each_allowed_include_passes(self):
        for path, header in ALLOWED:
            with self.subTest(path=path, header=header):
                self.assertEqual(
                    violations({path: f"#include {header}\n"}), [])

    def test_spacing_does_not_hide_an_include(self):
        for line in ("#include<thread>", "  #  include <thread>",
                     "/* why */ #include <thread>", "#include <thread>  // x"):
            with self.subTest(line=line):
                self.assertEqual(len(violations({"core/a.h": line})), 1)

    def test_comments_are_no_includes(self):
        self.assertEqual(
            violations({"core/a.h": "// #include <thread>\n"
                        "/*\n#include <mutex>\n*/\n"}), [])

    def test_a_forbidden_header_behind_another_layer_is_found(self):
        found = violations({
            "core/a.h": '#include "base/b.h"\n',
            "base/b.h": '#include "base/c.h"\n',
            "base/c.h": "#include <thread>\n",
        })
        self.assertEqual(len(found), 1, found)
        self.assertIn("core/a.h", found[0])
        self.assertIn("base/b.h -> base/c.h", found[0])

    def test_a_cycle_of_headers_is_found(self):
        found = violations({
            "core/a.h": '#include "core/b.h"\n',
            "core/b.h": '#include "core/c.h"\n',
            "core/c.h": '#include "core/a.h"\n',
        })
        self.assertEqual(len(found), 1, found)
        self.assertIn("core/a.h -> core/b.h -> core/c.h -> core/a.h", found[0])

    def test_a_cycle_in_the_table_is_found(self):
        self.assertEqual(
            check_layers.find_cycle({"a": {"b"}, "b": {"c"}, "c": {"b"}}),
            ["b", "c", "b"])

    def test_an_unknown_folder_at_the_root_is_found(self):
        found = violations({"misc/notes.txt": ""})
        self.assertEqual(len(found), 1, found)
        self.assertIn("misc/", found[0])

    def test_code_outside_the_modules_is_found(self):
        for path in ("tools/a.cc", "deploy/a.h", "docs/a.cc", "a.cc"):
            with self.subTest(path=path):
                found = violations({path: "int a;\n"})
                self.assertEqual(len(found), 1, found)
                self.assertIn(path, found[0])

    def test_each_exception_is_needed_and_has_a_reason(self):
        for (where, what), reason in check_layers.EXCEPTIONS.items():
            with self.subTest(where=where):
                self.assertTrue(reason)
                if not (ROOT / where).exists():
                    continue
                used = any(
                    check_layers.matches(name, {what})
                    for path, file in check_layers.sources(ROOT)
                    if path.startswith(where)
                    for _, _, name in check_layers.includes_of(
                        file.read_text(encoding="utf-8")))
                self.assertTrue(used, f"{where} does not include {what}")


if __name__ == "__main__":
    os.chdir(tempfile.gettempdir())
    unittest.main()
