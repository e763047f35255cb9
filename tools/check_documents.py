#!/usr/bin/env python3
"""Whether the documents name what there is: every file and folder in backticks exists, and SECURITY.md has each
requirement once.

A name without a slash is looked for in the whole repository, because documents shorten what they have just named.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCUMENTS = ("ARCHITECTURE.md", "README.md", "SECURITY.md")
NAMED = re.compile(r"`([A-Za-z0-9_./*{},-]+\.(?:cpp|h|py|js|proto|toml|txt|md|textproto)|(?:tests|tools|sync-server|"
                   r"client-lib|proto)/[A-Za-z0-9_./*-]*)`")
# Of the program's own folders, or of somebody else's.
ELSEWHERE = {"fieldsync-server.toml", "server.log"}
REQUIREMENTS = [f"F{n}" for n in range(1, 19)] + [f"T{n}" for n in range(1, 9)] + [f"A{n}" for n in range(1, 17)] + \
               [f"Z{n}" for n in range(1, 10)] + [f"R{n}" for n in range(1, 6)] + [f"W{n}" for n in range(1, 12)] + \
               [f"O{n}" for n in range(1, 8)]


def files():
    skipped = {".git", "build", "node_modules"}
    return [path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*")
            if not skipped.intersection(path.relative_to(ROOT).parts)]


def exists(name, known):
    """`a/b/{c,d}.*` and `x_*_test.cpp` name at least one file each."""
    alternatives = re.search(r"\{([^}]*)\}", name)
    if alternatives:
        return all(exists(name.replace(alternatives.group(0), one), known) for one in alternatives.group(1).split(","))
    pattern = re.compile("(?:.*/)?" + re.escape(name.rstrip("/")).replace(r"\*", "[^/]*") + "$")
    return any(pattern.match(path) for path in known)


def missing_names(known):
    for document in DOCUMENTS:
        for number, line in enumerate((ROOT / document).read_text(encoding="utf-8").splitlines(), 1):
            for name in NAMED.findall(line):
                if name not in ELSEWHERE and not exists(name, known):
                    yield f"{document}:{number}: there is no {name}"


def rows_of(text):
    """The requirements that the table rows begin with: `| F3, F4 |`, `| A11 to A15 |`."""
    for line in text.splitlines():
        first = re.match(r"\| ([A-Z]\d+(?:(?:, | to )[A-Z]\d+)*)(?: ★)? \|", line)
        if not first:
            continue
        for part in first.group(1).split(", "):
            span = re.match(r"([A-Z])(\d+)(?: to [A-Z](\d+))?$", part)
            letter, begin, end = span.group(1), int(span.group(2)), int(span.group(3) or span.group(2))
            yield from (f"{letter}{number}" for number in range(begin, end + 1))


def wrong_rows():
    rows = list(rows_of((ROOT / "SECURITY.md").read_text(encoding="utf-8")))
    for requirement in REQUIREMENTS:
        if rows.count(requirement) != 1:
            yield f"SECURITY.md: {requirement} has {rows.count(requirement)} rows"


def main():
    problems = list(missing_names(files())) + list(wrong_rows())
    print("\n".join(problems) if problems else "The documents name what there is.")
    return 1 if problems else 0


sys.exit(main())
