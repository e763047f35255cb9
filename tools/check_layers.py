#!/usr/bin/env python3
"""Who may include whom: reads every #include and prints what the table forbids.

    tools/check_layers.py              exits 1 with `file:line: X may not include Y`
    tools/check_layers.py --self-test  plants violations and fails where one is missed

A folder that is not in the table is a violation too: add it below, and say why
in ARCHITECTURE.md.
"""

import re
import sys
import tempfile
from pathlib import Path

ANYTHING = "anything"

# Folder: what it may include besides itself and the C++ standard library. An
# entry is a folder, one header, or a library. The most specific folder counts.
# "posix" is the operating system's headers: `core` must do without.
ALLOWED = {
    "client-lib/core": [],
    "client-lib/include/fieldsync": ["client-lib/core"],
    "client-lib/codec": ["client-lib/core", "proto", "protobuf", "openssl", "sodium", "zstd"],
    # What devices, the server and `verify` know of the audit log: pure, like codec.
    "client-lib/audit": ["client-lib/core", "client-lib/codec", "proto", "openssl", "sodium"],
    "client-lib/sqlite": ["client-lib/core", "sqlite3", "posix"],
    "client-lib/seal": ["client-lib/core", "sodium"],
    "client-lib/storage": ["client-lib/core", "client-lib/codec", "client-lib/audit", "client-lib/seal", "client-lib/sqlite", "proto", "sodium",
                           "posix"],
    # The scheduler is pure, and public: an app may drive it itself, and `fieldsync schedule` simulates it.
    "client-lib/engine": ["client-lib/core", "client-lib/include/fieldsync/sync_scheduler.h"],
    "client-lib/tls": ["client-lib/core", "openssl", "posix"],
    "client-lib/boost": ["boost"],
    "client-lib/transport": ["client-lib/engine", "client-lib/core", "boost", "openssl", "posix"],
    "client-lib/zeroing": ["sodium", "posix"],
    "client-lib/api": ["client-lib", "proto", "protobuf", "sodium", "utf8proc", "posix"],
    "sync-server/http": ["client-lib/core", "boost", "openssl", "posix"],
    "sync-server/store": ["client-lib/core"],
    "sync-server/store/sqlite": ["sync-server/store", "client-lib/core", "client-lib/sqlite", "posix"],
    "sync-server/store/files": ["sync-server/store", "client-lib/core", "posix"],
    "sync-server/service": ["client-lib/core", "client-lib/codec", "client-lib/audit", "proto", "sync-server/store/store.h",
                            "sync-server/store/attachment_files.h", "sodium"],
    "sync-server/handlers": ["sync-server/http/message.h", "sync-server/service", "sync-server/store/store.h",
                             "client-lib/core", "client-lib/codec", "proto", "protobuf"],
    "sync-server/app": ["sync-server", "client-lib/core", "client-lib/codec", "client-lib/audit", "client-lib/tls", "proto",
                        "client-lib/engine/enrolment_text.h", "boost", "cli11", "sodium", "spdlog", "tomlplusplus",
                        "posix"],
    "tools/fieldsync": ["client-lib/include/fieldsync", "client-lib/core", "boost", "cli11", "sodium", "utf8proc", "posix"],
    # Developers' tools work on the formats, not on stores or servers.
    "tools": ["client-lib/core", "client-lib/codec", "proto", "protobuf", "zstd", "posix"],
    "tools/demo_data": ["client-lib/core", "sync-server/app/csv_reader.h", "boost", "sodium"],
    "tests": [ANYTHING],
}

# The start of a header's name in angle brackets, and the library it belongs to.
LIBRARIES = {
    "boost/": "boost", "openssl/": "openssl", "google/protobuf/": "protobuf", "sodium": "sodium", "sqlite3": "sqlite3",
    "zstd": "zstd", "zdict": "zstd", "CLI/": "cli11", "spdlog/": "spdlog", "fmt/": "spdlog", "toml++/": "tomlplusplus",
    "utf8proc": "utf8proc", "catch2/": "catch2", "rapidcheck": "rapidcheck",
}

# As the build gives them to the compiler.
INCLUDE_FOLDERS = ["client-lib", "client-lib/include", "sync-server", "tools", "tests"]
SOURCES = ["client-lib", "sync-server", "tools", "tests"]
PUBLIC = "client-lib/include/fieldsync"
# Tests that use the installed package have include paths of their own.
SKIPPED = ["tests/consumer"]

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def is_in(path, folder):
    return path == folder or path.startswith(folder + "/")


def folder_of(path):
    """The most specific folder of the table that `path` is in, or None."""
    return max((folder for folder in ALLOWED if is_in(path, folder)), key=len, default=None)


def library_of(name):
    for start, library in LIBRARIES.items():
        if name.startswith(start):
            return library
    if name.endswith(".h"):
        return "posix"
    return name if "/" in name else None  # None: the C++ standard library


class Include:
    def __init__(self, root, source, line, bracket, name):
        self.source, self.line, self.name = source, line, name
        self.target = None   # a file of ours, relative to the root
        self.library = None  # or a library
        if name.startswith("fieldsync/v1/") and name.endswith(".pb.h"):
            self.target = "proto/" + name
        else:
            for folder in [str(Path(source).parent)] + INCLUDE_FOLDERS:
                if (root / folder / name).is_file():
                    self.target = f"{folder}/{name}"
                    break
            else:
                self.library = library_of(name) if bracket == "<" else name

    def allowed(self):
        if self.target is None and self.library is None:
            return True
        source = folder_of(self.source)
        if source is None:
            return False
        entries = ALLOWED[source]
        if ANYTHING in entries:
            return True
        if self.library is not None:
            return self.library in entries
        return folder_of(self.target) == source or any(is_in(self.target, entry) for entry in entries)


def read_includes(root):
    includes = []
    for top in SOURCES:
        for path in sorted((root / top).rglob("*")):
            source = path.relative_to(root).as_posix()
            if path.suffix not in (".h", ".cpp") or any(is_in(source, folder) for folder in SKIPPED):
                continue
            for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                if match := INCLUDE.match(text):
                    includes.append(Include(root, source, number, *match.groups()))
    return includes


def find_loops(graph):
    """One path for each loop that a walk along the arrows closes."""
    loops, done = [], set()

    def walk(node, trail):
        if node in trail:
            loops.append(trail[trail.index(node):] + [node])
            return
        if node in done:
            return
        for following in sorted(graph.get(node, ())):
            walk(following, trail + [node])
        done.add(node)

    for node in sorted(graph):
        walk(node, [])
    return loops


def graph_of(pairs):
    graph = {}
    for source, target in pairs:
        graph.setdefault(source, set()).add(target)
    return graph


def public_reach(includes):
    """The public headers and every header of ours that they include."""
    by_source = {}
    for include in includes:
        by_source.setdefault(include.source, []).append(include)
    reached = {source for source in by_source if is_in(source, PUBLIC)}
    waiting = list(reached)
    while waiting:
        for include in by_source.get(waiting.pop(), []):
            if include.target and include.target not in reached:
                reached.add(include.target)
                waiting.append(include.target)
    return reached


def violations(root):
    includes = read_includes(root)
    found = []
    for include in includes:
        if not include.allowed():
            folder = folder_of(include.source)
            who = folder or f"{Path(include.source).parent.as_posix()}, which is not in the table,"
            found.append(f"{include.source}:{include.line}: {who} may not include {include.target or include.name}")
    reached = public_reach(includes)
    for include in includes:
        foreign = include.library is not None or (include.target or "").startswith("proto/")
        if include.source in reached and foreign:
            found.append(f"{include.source}:{include.line}: a public header may not include {include.name}")
    ours = [include for include in includes if include.target]
    for loop in find_loops(graph_of((i.source, i.target) for i in ours)):
        found.append(f"{loop[0]}:1: may not include itself, by way of {' -> '.join(loop)}")
    between = [(folder_of(i.source), folder_of(i.target) or "proto") for i in ours if folder_of(i.source)]
    for loop in find_loops(graph_of((a, b) for a, b in between if a != b)):
        found.append(f"{loop[0]}:1: folders may not include each other: {' -> '.join(loop)}")
    return found


def self_test():
    sound = {
        "client-lib/core/id.h": "#include <string>\n",
        "client-lib/storage/outbox.h": '#include "core/id.h"\n#include "fieldsync/v1/sync.pb.h"\n',
        "client-lib/include/fieldsync/database.h": '#include "core/id.h"\n',
        "sync-server/http/http_server.h": "#include <boost/asio.hpp>\n",
        "sync-server/http/message.h": "#include <string>\n",
        "sync-server/handlers/router.cpp": '#include "http/message.h"\n',
        "tools/fieldsync/draft.h": '#include "fieldsync/database.h"\n',
    }
    planted = [
        ("a folder below includes one above", "client-lib/core/bad.h", '#include "storage/outbox.h"',
         "client-lib/core/bad.h:1: client-lib/core may not include client-lib/storage/outbox.h"),
        ("core reaches for the system", "client-lib/core/bad.cpp", "#include <unistd.h>", "client-lib/core may not include unistd.h"),
        ("a library that the folder does not have", "client-lib/engine/bad.cpp", "\n#include <boost/asio.hpp>",
         "client-lib/engine/bad.cpp:2: client-lib/engine may not include boost/asio.hpp"),
        ("another header of a folder than the one allowed", "sync-server/handlers/bad.cpp", '#include "http/http_server.h"',
         "sync-server/handlers may not include sync-server/http/http_server.h"),
        ("a tool goes behind the public API", "tools/fieldsync/bad.cpp", '  #  include "storage/outbox.h"',
         "tools/fieldsync may not include client-lib/storage/outbox.h"),
        ("a database's type in a public header", "client-lib/include/fieldsync/bad.h", "#include <sqlite3.h>",
         "bad.h:1: a public header may not include sqlite3.h"),
        ("a folder that nobody entered", "sync-server/utils/bad.h", '#include "http/message.h"',
         "sync-server/utils, which is not in the table, may not include sync-server/http/message.h"),
        ("a header that includes itself", "client-lib/core/bad.h", '#include "core/bad.h"', "may not include itself"),
    ]
    missed = []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)

        def put(name, text):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")

        for name, text in sound.items():
            put(name, text)
        if found := violations(root):
            missed.append(f"a sound tree is refused: {found}")
        for what, name, text, expected in planted:
            put(name, text + "\n")
            if not any(expected in line for line in violations(root)):
                missed.append(f"not found: {what}")
            (root / name).unlink()
    loops = find_loops({"storage": {"codec"}, "codec": {"core"}, "core": {"storage"}})
    if not any({"storage", "codec", "core"} <= set(loop) for loop in loops):
        missed.append("not found: folders that include each other")
    return missed


def main():
    arguments = sys.argv[1:]
    if arguments not in ([], ["--self-test"]):
        print(__doc__.strip())
        return 0 if arguments in (["--help"], ["-h"]) else 2
    found = self_test() if arguments else violations(Path(__file__).resolve().parent.parent)
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
