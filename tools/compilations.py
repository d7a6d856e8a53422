"""What a build compiles, read from its compile_commands.json."""

import dataclasses
import json
import pathlib
import re
import shlex

ROOT = pathlib.Path(__file__).resolve().parents[1]
INCLUDED_SOURCE = re.compile(r'^#include "(.*\.(?:cc|cpp|c))"$', re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Compilation:
    source: str  # from the root of the repository
    flags: tuple  # the compiler and its flags, without files
    folder: str
    joined: bool  # compiled behind other sources in one unit (CMake's unity)


def flags_of(words, file):
    """A compile command without its files and its launcher."""
    if words[0].endswith("ccache"):
        words = words[1:]
    flags, skip = [], False
    for word in words:
        if skip or word in ("-o", "-c", "-MF", "-MT"):
            skip = not skip and word != "-c"
        elif word not in ("-MD", file):
            flags.append(word)
    return tuple(flags)


def compilations(build):
    """A Compilation of each source of the repository that `build` compiles."""
    for entry in json.loads((build / "compile_commands.json").read_text()):
        path = pathlib.Path(entry["file"]).resolve()
        sources = [path]
        if "/Unity/unity_" in entry["file"]:
            sources = [pathlib.Path(name).resolve()
                       for name in INCLUDED_SOURCE.findall(path.read_text())]
        flags = flags_of(shlex.split(entry["command"]), entry["file"])
        for place, source in enumerate(sources):
            if (source.is_relative_to(ROOT)
                    and not source.is_relative_to(ROOT / "build")):
                yield Compilation(source.relative_to(ROOT).as_posix(), flags,
                                  entry["directory"], place > 0)
