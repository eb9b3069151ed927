"""What a start costs: processor time, net of what starting anything costs."""
import os
import re
import shlex
import shutil
import statistics
import sys
import tempfile

from . import closure, common, programs
from .common import Loader, Results
from .programs import Program

SIZES = (10, 30, 100, 300, 1000)


def closures() -> dict[str, closure.Shape]:
    shapes = {f"closure-{n}": closure.Shape(libraries=n) for n in SIZES}
    shapes["pynamic"] = closure.PYNAMIC
    return shapes


def names() -> list[str]:
    return [p.name for p in programs.installed()] + list(closures())


def programs_of(wanted: list[str]) -> list[Program]:
    """By name, or NAME=COMMAND. None: what is installed, and the closures that a few minutes are enough for."""
    known = {p.name: p for p in programs.installed()}
    if not wanted:
        return [*known.values(), *(p for n in SIZES[:-1] for p in programs_of([f"closure-{n}"]))]
    found = []
    for each in wanted:
        name, _, command = each.partition("=")
        if command:
            argv = shlex.split(command)
            path = shutil.which(argv[0]) or sys.exit(f"bench: {argv[0]} is not installed")
            found.append(Program(name, (os.path.realpath(path), *argv[1:])))
        elif name in known:
            found.append(known[name])
        elif name in closures():
            found.append(Program(name, (str(closure.closure(name, closures()[name]) / "app"),)))
        else:
            sys.exit(f"bench: {name}: no such program (tools/bench list; NAME=COMMAND is one of your own)")
    return found


def run(command: list[str], environment: dict[str, str]) -> tuple[float, int]:
    """Processor time in nanoseconds, and minor faults."""
    quiet = [(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_RDWR, 0) for fd in (0, 1, 2)]
    pid = os.posix_spawn(command[0], command, environment, file_actions=quiet)
    _, status, usage = os.wait4(pid, 0)
    if status != 0:
        sys.exit(f"bench: {' '.join(command)}: wait status {status:#x}")
    return (usage.ru_utime + usage.ru_stime) * 1e9, usage.ru_minflt


def measure(loaders: list[Loader], wanted: list[Program], rounds: int, mode: str) -> list[Results]:
    times = Results("start, net", "ns", loaders)
    faults = Results("minor faults of the whole run", "", loaders)
    empty = programs.nothing()
    for program in wanted:
        commands = [program.under(each) if mode == "command" else programs.as_interpreter(program, each, i)
                    for i, each in enumerate(loaders)]
        folder = tempfile.TemporaryDirectory()
        variables = []
        for each, command in zip(loaders, commands):
            binding = os.path.join(folder.name, each.name)
            os.mkdir(binding, mode=0o700)
            started = program if mode == "command" else Program(program.name, tuple(command))
            variables.append(programs.bound(each, started, each.variables(), binding))
            programs.check_bound(each, command, variables[-1])
        cpu: dict[str, list[float]] = {each.name: [] for each in loaders}
        minor: dict[str, list[float]] = {each.name: [] for each in loaders}
        nothing = []
        for number in range(rounds + 1):  # the first fills the page cache
            nothing.append(run(empty, dict(os.environ))[0])
            for i in range(len(loaders)):
                which = (i + number) % len(loaders)
                took, touched = run(commands[which], variables[which])
                cpu[loaders[which].name].append(took)
                minor[loaders[which].name].append(touched)
        folder.cleanup()
        times.add(program.name, {k: v[1:] for k, v in cpu.items()}, nothing[1:])
        faults.add(program.name, {k: v[1:] for k, v in minor.items()})
        row = times.rows[-1]
        print("# " + program.name + ": " + ", ".join(
            f"{each.name} {common.show_time(row['values'][each.name])}" for each in loaders), file=sys.stderr)
    growth = exponents(times)
    return [times, faults, *([growth] if growth.rows else [])]


def exponents(times: Results) -> Results:
    """How fast the cost of a closure grows with its size: 1 is in proportion. In hundredths."""
    import math
    table = Results("growth exponent x 100", "", times.loaders)
    sizes = [(int(m[1]), row) for row in times.rows if (m := re.fullmatch(r"closure-(\d+)", row["name"]))]
    for (small, a), (large, b) in zip(sizes, sizes[1:]):
        values = {}
        for loader in times.loaders:
            before, after = a["values"].get(loader.name), b["values"].get(loader.name)
            if before and after and before > 0 and after > 0:
                values[loader.name] = [100 * math.log(after / before) / math.log(large / small)]
        table.add(f"{small} to {large} libraries", values)
    return table


