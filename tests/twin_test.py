#!/usr/bin/python3
"""Does tests/twin.py notice? Runs it on one program with loaders that are wrong in one way each.

A "loader" here is a shell script that starts the program after all, then spoils what is seen of it;
a harness that finds nothing wrong with one of them would find nothing wrong with ours.
"""
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
LOADERS = {  # what it does, and whether the harness should be content
    "right": ('exec "$@"', True),
    "another status": ('"$@"; exit $(($? + 1))', False),
    "no status": ('"$@"; exit 0', False),
    "something more on stdout": ('"$@"; s=$?; echo; exit $s', False),
    "nothing on stdout": ('"$@" > /dev/null', False),
    "something on stderr": ('echo warning >&2; exec "$@"', False),
    "a signal": ('"$@"; kill -SEGV $$', False),
    "an argument lost": ('p=$1; shift 2; exec "$p" "$@"', False),
    "the environment lost": ('exec env -i "$@"', False),
    "no end": ('"$@"; exec sleep 600', False),
}
PROGRAM = r"""
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char** argv) {
  printf("%d %s %s\n", argc, argv[argc - 1], getenv("SEEN") ? getenv("SEEN") : "none");
  return 3;
}
"""
CASE = """
about = "a program whose output and status depend on its arguments and environment"
[[build]]
out = "prog"
src = ["prog.c"]
[[run]]
args = ["first", "last"]
env = {SEEN = "seen"}
timeout = 2
expect = {status = 3}
"""


def main():
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        case = pathlib.Path(folder) / "case"
        case.mkdir()
        (case / "prog.c").write_text(PROGRAM)
        (case / "case.toml").write_text(CASE)
        for name, (script, content) in LOADERS.items():
            loader = pathlib.Path(folder) / "loader"
            loader.write_text(f"#!/bin/sh\n{script}\n")
            loader.chmod(0o755)
            done = subprocess.run([HERE / "twin.py", "--programs", folder, "--loader", loader, "--via",
                                   "direct"], capture_output=True, text=True)
            wanted = "1 passed, 0 failed" if content else "0 passed, 1 failed"
            right = done.stdout.endswith(wanted + "\n") and (done.returncode == 0) == content
            print(f"{'ok' if right else 'FAIL':4}  a loader with {name}")
            if not right:
                print(done.stdout, done.stderr)
                failed += 1
    print(f"{len(LOADERS) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


main()
