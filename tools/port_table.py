#!/usr/bin/python3
"""Writes the table of arch/PORTING.md: how many lines a port has, and how many are shared.

    port_table.py           brings the table up to date
    port_table.py --print   only prints it
    port_table.py --check   fails when a number of it is wrong by more than a fifth
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
GUIDE = ROOT / "arch/PORTING.md"
PORTS = ["x86_64", "aarch64", "riscv64"]
BEGIN, END = "<!-- made by tools/port_table.py -->\n", "<!-- end -->\n"
# What a port consists of: a name for people, and where it is.
PARTS = [("arch: constants and relocation table", "arch/{}/traits.hpp"),
         ("arch: C++", "arch/{}/c*.?pp"), ("arch: system calls, IFUNC calls", "arch/{}/syscall.hpp"),
         ("arch: assembly", "arch/{}/*.[Si]*"), ("glibc: exported names", "rtld/glibc/exports/{}.map"),
         ("glibc: CPU features, tunables", "rtld/glibc/{}/*.cpp"),
         ("tests: assembly", "tests/modules/{}/*.S")]
SHARED = ["arch/*.hpp", "loader/**/*.[ch]pp", "rtld/**/*.[ch]pp"]


def lines(pattern):
    return sum(len(file.read_text().splitlines()) for file in ROOT.glob(pattern))


def table():
    rows = ["| lines of | " + " | ".join(PORTS) + " |", "|---|" + "---:|" * len(PORTS)]
    sums = [0] * len(PORTS)
    for name, pattern in PARTS:
        counts = [lines(pattern.format(port)) for port in PORTS]
        sums = [a + b for a, b in zip(sums, counts)]
        rows.append(f"| {name} | " + " | ".join(map(str, counts)) + " |")
    rows.append("| **a port** | " + " | ".join(f"**{n}**" for n in sums) + " |")
    own = sum(lines(f"rtld/glibc/{port}/*.cpp") + lines(f"rtld/glibc/layouts/{port}/*.cpp") for port in PORTS)
    shared = sum(lines(pattern) for pattern in SHARED) - own
    data = [lines(f"rtld/glibc/layouts/{port}/*") for port in PORTS]
    rows.append("| generated layout tables | " + " | ".join(map(str, data)) + " |")
    return "\n".join(rows) + f"\n\nShared by all ports: {shared} lines (`arch/*.hpp`, `loader/`, `rtld/` without the rows above).\n"


def outdated(written, counted):
    """The rows of `written` that are too far from `counted`."""
    pairs = list(zip(written.splitlines(), counted.splitlines(), strict=False))
    if len(written.splitlines()) != len(counted.splitlines()):
        yield "not the same rows"
    for before, now in pairs:
        if before.startswith("Shared"):  # grows with the loader, not with a port
            continue
        old, new = ([int(n) for n in re.findall(r"(?<=[ *])[0-9]+(?=[ *])", row)] for row in (before, now))
        if len(old) != len(new) or any(abs(a - b) > b / 5 for a, b in zip(old, new)):
            yield f"{before}  ->  {now}"


def main():
    if "--print" in sys.argv:
        print(table(), end="")
        return 0
    text = GUIDE.read_text()
    begin, end = text.index(BEGIN) + len(BEGIN), text.index(END)
    if "--check" in sys.argv:
        wrong = list(outdated(text[begin:end], table()))
        for row in wrong:
            print(f"{GUIDE}: {row}")
        return 1 if wrong else 0
    GUIDE.write_text(text[:begin] + table() + text[end:])
    return 0


sys.exit(main())
