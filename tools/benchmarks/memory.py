"""What noise does not touch: memory at the entry point, system calls, page faults and instructions."""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from . import programs
from .common import Loader, Results
from .programs import Program

# Key, what it is called, and the factor from the kernel's unit.
FIGURES = {"private": "private, KiB", "resident": "resident, KiB", "page_tables": "page tables, KiB",
           "mappings": "mappings", "faults": "minor faults"}


def at_entry(command: list[str], environment: dict[str, str]) -> dict[str, int]:
    """What the kernel says of a process that has stopped itself at its program's entry point."""
    pid = os.posix_spawn(command[0], command, environment)
    _, status = os.waitpid(pid, os.WUNTRACED)
    if not os.WIFSTOPPED(status):
        sys.exit(f"bench: {' '.join(command)}: ended before its entry point, wait status {status:#x}")
    try:
        proc = Path(f"/proc/{pid}")
        rollup = dict(re.findall(r"^(\w+): +(\d+) kB$", (proc / "smaps_rollup").read_text(), re.MULTILINE))
        tables = re.search(r"^VmPTE:\s+(\d+) kB$", (proc / "status").read_text(), re.MULTILINE)
        numbers = (proc / "stat").read_text().rpartition(")")[2].split()
        return {"private": int(rollup["Anonymous"]), "resident": int(rollup["Rss"]), "page_tables": int(tables[1]),
                "mappings": len((proc / "maps").read_text().splitlines()), "faults": int(numbers[7])}
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def system_calls(command: list[str], environment: dict[str, str]) -> int | None:
    """How many calls a program that ends at its entry point has made until there; None where there is no strace."""
    if shutil.which("strace") is None:
        return None
    done = subprocess.run(["strace", "-c", "-o", "/dev/stderr", *command], env=environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    total = re.search(r"^100\.00 +\S+ +\S+ +(\d+)(?: +\d+)? +total$", done.stderr, re.MULTILINE)
    if total is None:
        sys.exit(f"bench: strace: {done.stderr[-500:]}")
    return int(total[1])


def plain(p: Program) -> Program:
    """The program as it is named in tables, whether or not it was asked for at its entry."""
    return Program(p.name.removesuffix(", at entry"), (p.command[0].removesuffix(".entry"), *p.command[1:]))


def measure(loaders: list[Loader], wanted: list[Program]) -> list[Results]:
    tables = {key: Results(f"{title}, at entry", "", loaders) for key, title in FIGURES.items()}
    calls = Results("system calls, until entry", "", loaders)
    os.sync()  # pages of files that were just written count as dirty
    for program in dict.fromkeys(plain(p) for p in wanted):
        stop, end = programs.stopping_at_entry(program), programs.at_entry(program)
        found: dict[str, dict[str, list[float]]] = {key: {} for key in [*FIGURES, "calls"]}
        for loader in loaders:
            with tempfile.TemporaryDirectory() as folder:
                variables = loader.variables()
                for each in (stop, end):
                    variables = programs.bound(loader, each, variables, folder)
                programs.check_bound(loader, end.under(loader), variables)
                at_entry(stop.under(loader), variables)  # fills the page cache
                for key, value in at_entry(stop.under(loader), variables).items():
                    found[key][loader.name] = [value]
                number = system_calls(end.under(loader), variables)
            found["calls"][loader.name] = [] if number is None else [number]
        for key in FIGURES:
            tables[key].add(program.name, found[key])
        calls.add(program.name, found["calls"])
    return [*tables.values(), calls, *per_library(tables, calls, loaders)]


def per_library(tables: dict[str, Results], calls: Results, loaders: list[Loader]) -> list[Results]:
    """What each further library of the closures costs."""
    result = Results("for each further library", "", loaders)
    for title, table in [*((FIGURES[key], table) for key, table in tables.items()), ("system calls", calls)]:
        rows = [(int(m[1]), row) for row in table.rows if (m := re.fullmatch(r"closure-(\d+)", row["name"]))]
        if len(rows) < 2:
            continue
        (few, a), (many, b) = rows[0], rows[-1]
        scale, unit = (1024, title.replace("KiB", "bytes")) if "KiB" in title else (100, title + " x 100")
        result.add(unit, {each.name: [scale * (b["values"][each.name] - a["values"][each.name]) / (many - few)]
                          for each in loaders if each.name in a["values"]})
    return [result] if result.rows else []


def instructions(command: list[str], environment: dict[str, str], status: int = 0) -> int:
    """In user mode, of the whole process, which must end with `status`, as callgrind counts them."""
    done = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *command], env=environment,
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                          check=False)
    total = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode != status or total is None:
        sys.exit(f"bench: valgrind {' '.join(command)}: status {done.returncode}\n{done.stderr[-1000:]}")
    return int(total[1])


def bound_instructions(loader: Loader, program: Program, environment: dict[str, str]) -> int:
    """As instructions(), of a start with the files that `loader.bind` makes. valgrind preloads a library of its own, so
    that what runs under it is another request than without: the files are made under it too."""
    with tempfile.TemporaryDirectory() as folder:
        valgrind = ("valgrind", "-q", "--tool=none")
        environment = programs.bound(loader, program, environment, folder, valgrind)
        programs.check_bound(loader, [*valgrind, *program.under(loader)], environment)
        return instructions(program.under(loader), environment)


def count(loaders: list[Loader], wanted: list[Program]) -> list[Results]:
    if shutil.which("valgrind") is None:
        sys.exit("bench: instructions are counted by valgrind, which is not installed")
    table = Results("instructions until entry", "", loaders)
    for program in dict.fromkeys(plain(p) for p in wanted):
        end = programs.at_entry(program)
        counted = {}
        for each in loaders:
            environment = each.variables() | {"MYLD_ALLOW": "unsealed"}
            counted[each.name] = [bound_instructions(each, end, environment) if each.bind
                                  else instructions(end.under(each), environment)]
        table.add(program.name, counted)
    return [table]
