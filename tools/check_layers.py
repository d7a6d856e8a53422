#!/usr/bin/python3
"""Checks every #include against the layering of docs/architecture.md.

    tools/check_layers.py [ROOT]     ROOT: the repository, by default this one

Prints one line per violation, `file:line: what`, and ends with 1 if there is
any. Run by ./tests/run.sh; tests/integration/check_layers_test.py proves that
each kind of violation is found.
"""

import dataclasses
import pathlib
import re
import sys

# Standard headers that do what a layer of pure values may not do.
FILES = {"filesystem", "fstream", "cstdio", "stdio.h", "iostream"}
PROCESS = {"unistd.h", "fcntl.h", "dirent.h", "dlfcn.h", "signal.h", "csignal",
           "sys/"}
THREADS = {"thread", "mutex", "shared_mutex", "condition_variable", "future",
           "stop_token", "latch", "barrier", "semaphore", "pthread.h",
           "absl/synchronization/", "base/mutex.h"}
CLOCKS = {"chrono", "ctime", "time.h", "absl/time/clock.h"}
RANDOM = {"random", "absl/random/"}
UNORDERED = {"unordered_map", "unordered_set", "absl/container/flat_hash_",
             "absl/container/node_hash_"}
PURE = FILES | PROCESS | THREADS | CLOCKS | {"base/log.h"}

ABSEIL = {"absl/"}
HDF5 = {"hdf5.h", "hdf5_hl.h", "H5"}
GRPC = {"grpc/", "grpcpp/"}
PROTOBUF = {"google/protobuf/"}


@dataclasses.dataclass(frozen=True)
class Layer:
    """What the files below one folder may include.

    Names are written as in the #include; one that ends in `/` or in no suffix
    that a header has stands for all that begin with it.
    """

    # Folders of this repository, besides the layer's own.
    modules: tuple = ()
    # Libraries; the C++ and C standard libraries and POSIX are always allowed.
    libraries: frozenset = frozenset()
    # Taken away again, from the standard libraries, Abseil and base.
    never: frozenset = frozenset()


# The table. The longest folder that a file lies in counts. Folders that are
# not listed, here or in TESTS and OTHER_FOLDERS, are violations.
LAYERS = {
    "base": Layer(
        libraries=frozenset(ABSEIL)),
    "core": Layer(
        modules=("base",),
        libraries=frozenset(ABSEIL),
        never=frozenset(PURE | RANDOM)),
    "cube": Layer(
        modules=("base", "core"),
        libraries=frozenset(ABSEIL | HDF5 | {"libdeflate.h", "zlib.h", "hwy/",
                                             "nlohmann/"})),
    "functions": Layer(
        modules=("base", "core"),
        libraries=frozenset(ABSEIL | {"nlohmann/", "hwy/", "boost/math/"})),
    "security": Layer(
        modules=("base",),
        libraries=frozenset(ABSEIL | {"openssl/"})),
    "rpc": Layer(
        modules=("base", "core", "proto", "security"),
        libraries=frozenset(ABSEIL | GRPC | PROTOBUF)),
    "http": Layer(
        modules=("base", "security"),
        libraries=frozenset(ABSEIL | {"httplib.h", "prometheus/",
                                      "nlohmann/"})),
    "scheduler/core": Layer(
        modules=("base", "core"),
        libraries=frozenset(ABSEIL),
        never=frozenset(PURE | RANDOM | UNORDERED)),
    "scheduler": Layer(
        modules=("scheduler/core", "base", "core", "http", "rpc", "proto",
                 "security"),
        libraries=frozenset(ABSEIL | GRPC | PROTOBUF
                            | {"sqlite3.h", "nlohmann/", "CLI/"})),
    "worker": Layer(
        modules=("base", "core", "cube", "functions", "http", "rpc", "proto",
                 "security"),
        libraries=frozenset(ABSEIL | GRPC | PROTOBUF | {"nlohmann/", "CLI/"})),
    "client": Layer(
        modules=("base", "core", "cube", "functions", "rpc", "proto",
                 "security"),
        libraries=frozenset(ABSEIL | GRPC | PROTOBUF | {"nlohmann/"})),
    # Public: a user needs the headers of neither HDF5 nor gRPC.
    "client/include/internode": Layer(
        modules=(),
        libraries=frozenset({"absl/status/status.h", "absl/status/statusor.h",
                             "absl/strings/string_view.h",
                             "absl/types/span.h"}),
        never=frozenset({"unistd.h", "fcntl.h", "dirent.h", "dlfcn.h",
                         "pthread.h", "sys/"})),
    # Examples see what an installed Internode has.
    "docs/examples": Layer(
        modules=("client/include/internode",),
        libraries=frozenset(ABSEIL | {"CLI/"})),
}

# Highway has a source include itself, through a macro.
WITH_HIGHWAY = ("cube", "functions")

# What single files or folders may include beyond their layer, and why.
EXCEPTIONS = {
    ("base/heap.cc", "malloc.h"):
        "what the system's heap keeps, hidden behind base/heap.h",
    ("base/log.cc", "spdlog/"):
        "the log's library, hidden behind base/log.h",
    ("core/crc32c.cc", "isa-l/"):
        "the checksum's library, arithmetic alone, hidden behind "
        "core/crc32c.h",
    ("cube/streaming_copy.cc", "emmintrin.h"):
        "stores past the cache, hidden behind cube/streaming_copy.h",
    ("scheduler/http/", "httplib.h"):
        "the handlers of requests",
    ("worker/http/", "httplib.h"):
        "the handlers of requests",
    ("client/cli/http_probe.cc", "httplib.h"):
        "the health check of a daemon by HTTP",
    ("client/cli/", "CLI/"):
        "the command, and the option helpers that a user's own program adds "
        "to its CLI11 app",
}

# Code that may include everything.
TESTS = ("tests",)

# Folders at the root without layered code.
OTHER_FOLDERS = ("proto", "deploy", "docs", "cmake", "tools", "build", "changes")

SOURCE_SUFFIXES = {".h", ".hh", ".hpp", ".inc", ".c", ".cc", ".cpp", ".cxx"}
INCLUDE = re.compile(r'^[ \t]*#[ \t]*(?:include|import)[ \t]*(["<])([^">]+)[">]')
# #include MACRO would hide a name from this check; highway's way of compiling
# a file once per instruction set is the one use of it.
INCLUDE_MACRO = re.compile(r"^[ \t]*#[ \t]*include[ \t]+([A-Za-z_]\w*)")

# Everything that an angle include may name and that is no library: headers
# without a suffix are the C++ standard library's.
STANDARD_C = re.compile(
    r"^(?:assert|complex|ctype|errno|fenv|float|inttypes|iso646|limits|locale"
    r"|math|setjmp|signal|stdalign|stdarg|stdatomic|stdbool|stddef|stdint"
    r"|stdio|stdlib|stdnoreturn|string|tgmath|threads|time|uchar|wchar|wctype"
    r"|dirent|dlfcn|elf|fcntl|glob|link|poll|pthread|pwd|sched|semaphore|spawn|strings"
    r"|syslog|termios|unistd|netdb|sys/\w+|netinet/\w+|arpa/\w+|linux/\w+"
    r"|sanitizer/\w+|immintrin|cpuid|arm_neon)\.h$")


def matches(name, patterns):
    """Whether `name` is one of `patterns`, or begins with one that is open."""
    for pattern in patterns:
        open_ended = pattern.endswith(("/", "_")) or pattern == "H5"
        if name == pattern or (open_ended and name.startswith(pattern)):
            return True
    return False


def is_standard(name):
    return bool(re.fullmatch(r"[a-z_0-9]+", name) or STANDARD_C.match(name)
                or name.startswith(("sys/", "bits/")))


def layer_of(path):
    """The folder in LAYERS that counts for `path`, or None."""
    folders = [f for f in LAYERS if path.startswith(f + "/")]
    return max(folders, key=len, default=None)


def includes_of(text):
    """(line number, bracket, name) of each #include outside comments."""
    uncommented = re.sub(
        r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"',
        lambda m: m.group() if m.group()[0] == '"'
        else "\n" * m.group().count("\n"),
        text, flags=re.DOTALL)
    for number, line in enumerate(uncommented.splitlines(), start=1):
        found = INCLUDE.match(line)
        if found:
            yield number, found.group(1), found.group(2)
            continue
        found = INCLUDE_MACRO.match(line)
        if found:
            yield number, "macro", found.group(1)


def module_of(name, root):
    """The folder of the repository that `name` points into, or None."""
    layer = layer_of(name)
    if layer:
        return layer
    top = name.split("/")[0]
    if "/" in name and (top in TESTS + OTHER_FOLDERS or (root / top).is_dir()):
        return top
    # Public headers are included as users include them.
    if name.startswith("internode/"):
        if name.endswith(".pb.h"):
            return "proto"
        return "client/include/internode"
    return None


def module_violation(layer, name, target):
    rule = LAYERS[layer]
    allowed = {layer, *rule.modules}
    # A layer sees the layers inside its own folder that it does not forbid:
    # client sees client/include/internode.
    if layer == "client" and target == "client/include/internode":
        return None
    if target not in allowed:
        return f"{layer} may not include {target}: {name}"
    if matches(name, rule.never):
        return f"{layer} may never include {name}"
    return None


def library_violation(layer, name):
    rule = LAYERS[layer]
    if matches(name, rule.never):
        return f"{layer} may never include {name}"
    if is_standard(name) or matches(name, rule.libraries):
        return None
    return f"{layer} may not include the library header {name}"


def is_exception(path, name):
    return any(
        (path.startswith(where) if where.endswith("/") else path == where)
        and matches(name, {what})
        for where, what in EXCEPTIONS)


def violation(path, bracket, name, root):
    """What is wrong with `path` including `name`, or None."""
    layer = layer_of(path)
    if bracket == "macro":
        if layer in WITH_HIGHWAY and name == "HWY_TARGET_INCLUDE":
            return None
        return f"the name of an included file is a macro: {name}"
    if name == "hwy/foreach_target.h" and layer in WITH_HIGHWAY:
        return None
    if ".." in pathlib.PurePosixPath(name).parts:
        return f"an include is written from the root, without '..': {name}"
    if is_exception(path, name):
        return None
    target = module_of(name, root)
    if target is not None:
        return module_violation(layer, name, target)
    if bracket == '"' and "/" not in name:
        if name == "libdeflate.h" or matches(name, HDF5 | {"sqlite3.h"}):
            return library_violation(layer, name)
        return f"an include is written from the root of the repository: {name}"
    return library_violation(layer, name)


def sources(root):
    for path in sorted(root.rglob("*")):
        relative = path.relative_to(root).as_posix()
        top = relative.split("/")[0]
        if top == "build" or top.startswith("."):
            continue
        if path.is_file() and path.suffix in SOURCE_SUFFIXES:
            yield relative, path


def folder_violations(root):
    known = {f.split("/")[0] for f in LAYERS} | set(TESTS + OTHER_FOLDERS)
    for path in sorted(root.iterdir()):
        if path.is_dir() and not path.name.startswith("."):
            if path.name not in known:
                yield (f"{path.name}/: unknown folder at the root; it has to be "
                       "named in docs/architecture.md and in this tool")


def find_cycle(graph):
    """The first cycle in {node: {nodes}}, as a list that ends where it began."""
    done, trail = set(), []

    def visit(node):
        if node in trail:
            return trail[trail.index(node):] + [node]
        if node in done:
            return None
        trail.append(node)
        for after in sorted(graph.get(node, ())):
            cycle = visit(after)
            if cycle:
                return cycle
        trail.pop()
        done.add(node)
        return None

    for node in sorted(graph):
        cycle = visit(node)
        if cycle:
            return cycle
    return None


def table_violations():
    """The table itself may not allow a cycle."""
    cycle = find_cycle({name: set(l.modules) for name, l in LAYERS.items()})
    if cycle:
        yield "tools/check_layers.py: the table has a cycle: " + " -> ".join(
            cycle)


def resolve(name, files):
    """The repository's file that an #include of `name` reads, or None."""
    for candidate in (name, "client/include/" + name):
        if candidate in files:
            return candidate
    return None


def indirect_violations(includes, files):
    """What a layer may never include, reached through other layers' headers."""
    for start in sorted(includes):
        layer = layer_of(start)
        if layer is None or not LAYERS[layer].never:
            continue
        seen, waiting = {start}, [(start, [start])]
        while waiting:
            path, trail = waiting.pop()
            for _, _, name in includes[path]:
                target = resolve(name, files)
                if target and target not in seen:
                    seen.add(target)
                    waiting.append((target, trail + [target]))
                elif (not target and len(trail) > 1
                      and layer_of(path) != layer
                      and matches(name, LAYERS[layer].never)):
                    yield (f"{start}: {layer} may never include {name}, "
                           f"which comes with {' -> '.join(trail[1:])}")


def check(root):
    """All violations below `root`, as lines."""
    found = list(table_violations()) + list(folder_violations(root))
    files = dict(sources(root))
    includes = {
        relative: list(includes_of(path.read_text(encoding="utf-8")))
        for relative, path in files.items()
    }
    for relative in files:
        if relative.split("/")[0] in TESTS:
            continue
        if layer_of(relative) is None:
            found.append(f"{relative}: code lies in a folder that is no module")
            continue
        for number, bracket, name in includes[relative]:
            what = violation(relative, bracket, name, root)
            if what:
                found.append(f"{relative}:{number}: {what}")
    found.extend(indirect_violations(includes, files))
    cycle = find_cycle({
        relative: {resolve(name, files) for _, _, name in names} - {None}
        for relative, names in includes.items()
    })
    if cycle:
        found.append(f"{cycle[0]}: includes itself: " + " -> ".join(cycle))
    return found


def main():
    default = pathlib.Path(__file__).resolve().parents[1]
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else default
    found = check(root)
    for line in found:
        print(line)
    count = sum(1 for _ in sources(root))
    print(f"layers: {count} files, {len(found)} violations")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
