#!/usr/bin/env python3
"""Plants bugs in copies of the product's sources and counts the seeds until the
simulation finds each, or runs the tests, or the loop of power cuts or fault
points, that the table names for it.

One changed source is compiled as the build compiles it, and linked before the
libraries, so that it takes the place of the right one. Nothing in the tree
changes. Exits 1 where a bug is not found, or the median is above its bar.
"""

import argparse
import json
import os
import re
import shlex
import signal
import statistics
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TABLES = [ROOT / "tests/sim/planted_bugs/bugs.toml", ROOT / "tests/unit/engine/planted_bugs.toml"]
SEEDS_MAX = 5000
MEDIAN_MAX = 200
# A program that waits for ever has found nothing.
SECONDS_MAX = 3600
TEST_HISTORIES = 20_000
# How a bug may end the program; anything else is no answer.
CRASHES = {signal.SIGABRT, signal.SIGSEGV, signal.SIGFPE, signal.SIGILL, signal.SIGBUS}
PROGRAM = "bin/fieldsync-sim"
# What the power cuts and the fault points call a failure.
LOOP_FAILURE = re.compile(r".*(, killed after moment|, seed \d+, moment| once: | for ever: )")


def bugs():
    return [bug for table in TABLES for bug in tomllib.loads(table.read_text())["bug"]]


def program_of(bug):
    return bug["test"][0] if "test" in bug else bug["loop"][0] if "loop" in bug else PROGRAM


def check(table):
    """How many do not fit the sources. Says which."""
    wrong = 0
    for bug in table:
        count = (ROOT / bug["file"]).read_text().count(bug["old"])
        if count != 1:
            print(f"{bug['name']}: its text occurs {count} times in {bug['file']}")
            wrong += 1
        if not bug["file"].endswith(".cpp"):
            print(f"{bug['name']}: {bug['file']} is not compiled by itself")
            wrong += 1
    names = [bug["name"] for bug in table]
    if len(set(names)) != len(names):
        print("Two bugs have one name.")
        wrong += 1
    return wrong


def compile_command(build, bug, source, target):
    """The build's own command for the file, with another input and output."""
    for entry in json.loads((build / "compile_commands.json").read_text()):
        if Path(entry["file"]) == ROOT / bug["file"]:
            words = shlex.split(entry["command"])
            words[words.index("-o") + 1] = str(target)
            words[words.index("-c") + 1] = str(source)
            return words + ["-Wno-error"]
    raise SystemExit(f"{bug['file']} is not compiled in {build}")


def link_command(build, bug, target, program):
    commands = subprocess.run(["ninja", "-C", str(build), "-t", "commands", program_of(bug)], check=True, capture_output=True, text=True)
    line = re.sub(r"^.*?: && | && :$", "", commands.stdout.strip().splitlines()[-1])
    words = shlex.split(line)
    words[words.index("-o") + 1] = str(program)
    first_library = next(i for i, word in enumerate(words) if word.endswith(".a"))
    return words[:first_library] + [str(target)] + words[first_library:]


def plant(build, bug):
    folder = build / "planted"
    folder.mkdir(exist_ok=True)
    source = folder / (bug["name"] + ".cpp")
    target = folder / (bug["name"] + ".o")
    program = folder / bug["name"]
    source.write_text((ROOT / bug["file"]).read_text().replace(bug["old"], bug["new"]))
    subprocess.run(compile_command(build, bug, source, target), check=True, cwd=build, capture_output=True, text=True)
    subprocess.run(link_command(build, bug, target, program), check=True, cwd=build, capture_output=True, text=True)
    return program


def hunt(build, bug, seeds_max):
    """How many seeds it took, and how it showed. No seeds but a test or a loop: 0."""
    seeds, how = hunt_quietly(build, bug, seeds_max)
    print(f"{bug['name']:30} {seeds if seeds is not None else '-':>6}  {how[:110]}", flush=True)
    return seeds


def hunt_quietly(build, bug, seeds_max):
    try:
        program = plant(build, bug)
    except subprocess.CalledProcessError as error:
        return None, "does not build: " + error.stderr.strip().splitlines()[0]
    try:
        if "test" in bug:
            return hunt_with_test(program, bug["test"][1:])
        if "loop" in bug:
            return hunt_with_loop(program, bug["loop"][1:])
        run = subprocess.run([str(program), "--until", f"1..{seeds_max}"], capture_output=True, text=True, errors="replace", timeout=SECONDS_MAX)
    except subprocess.TimeoutExpired:
        return None, f"neither found nor done after {SECONDS_MAX} s"
    finally:
        program.unlink()
    found = re.match(r"Found after (\d+) seeds: (.*)", run.stdout)
    if found:
        return int(found[1]), found[2]
    # It names each seed before it begins.
    numbers = [line for line in run.stderr.splitlines() if line.isdigit()]
    if -run.returncode in CRASHES and numbers:
        return int(numbers[-1]), f"the program ends with {signal.Signals(-run.returncode).name}"
    if run.returncode != 0:
        raise SystemExit(f"{bug['name']}: the simulation could not run: exit code {run.returncode}")
    return None, "not found"


def hunt_with_test(program, arguments):
    # More histories than in every build: a law must not find a bug by luck.
    environment = {**os.environ, "FIELDSYNC_HISTORIES": str(TEST_HISTORIES)}
    run = subprocess.run([str(program), *arguments], capture_output=True, text=True, errors="replace", timeout=SECONDS_MAX, env=environment)
    summary = run.stdout.strip().splitlines()[-2:]
    failed = [line for line in summary if line.startswith("test cases:") and "failed" in line]
    if failed:
        return 0, "test cases" + failed[0].removeprefix("test cases")
    if -run.returncode in CRASHES:
        return 0, f"the program ends with {signal.Signals(-run.returncode).name}"
    return None, "not found"


def hunt_with_loop(program, arguments):
    run = subprocess.run([str(program), *arguments], capture_output=True, text=True, errors="replace", timeout=SECONDS_MAX)
    if run.returncode == 1:
        return 0, next((line for line in run.stdout.splitlines() if LOOP_FAILURE.match(line)), "it fails")
    if -run.returncode in CRASHES:
        said = run.stderr.strip().splitlines()
        return 0, said[-1].strip() if said else f"the program ends with {signal.Signals(-run.returncode).name}"
    return None, "not found"


def chosen_of(table, names):
    unknown = set(names) - {bug["name"] for bug in table}
    if unknown:
        raise SystemExit("No such bug: " + ", ".join(sorted(unknown)))
    return [bug for bug in table if not names or bug["name"] in names]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="only whether the table fits the sources")
    parser.add_argument("--seeds", type=int, default=SEEDS_MAX, help="give up on a bug after so many (%(default)s)")
    parser.add_argument("build", nargs="?", type=Path, help="a build folder")
    parser.add_argument("names", nargs="*", help="which bugs; all where none is named")
    options = parser.parse_args()
    table = bugs()
    wrong = check(table)
    if options.check:
        print(f"{len(table)} planted bugs, {wrong} that do not fit the sources")
        return 1 if wrong or len(table) < 40 else 0
    if wrong:
        return 1
    if options.build is None:
        parser.error("name a build folder")
    build, chosen = options.build.resolve(), chosen_of(table, options.names)
    with ThreadPoolExecutor(max_workers=2) as pool:
        results = list(pool.map(lambda bug: hunt(build, bug, options.seeds), chosen))
    found = [seeds for seeds in results if seeds is not None]
    by_seeds = [seeds for seeds in found if seeds > 0]
    median = statistics.median(by_seeds) if by_seeds else 0
    print(f"{len(found)} of {len(chosen)} found; median {median:g} seeds, most {max(by_seeds, default=0)}")
    return 0 if len(found) == len(chosen) and median < MEDIAN_MAX else 1


if __name__ == "__main__":
    sys.exit(main())
