"""Programs to start, and copies of them that go no further than their entry point.

What a loader does ends where the program begins. A copy whose first instructions end the process (or stop it, to be
looked at) costs what loader and libraries' constructors cost, and nothing of main().
"""
import os
import re
import struct
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from . import common
from .common import MACHINE, WORK, Loader

# What is put at the entry point: exit_group(0), and kill(getpid(), SIGSTOP).
EXIT = {"x86_64": "mov $231, %eax; xor %edi, %edi; syscall", "aarch64": "mov x8, #94; mov x0, #0; svc #0",
        "riscv64": "li a7, 94; li a0, 0; ecall"}[MACHINE]
STOP = {"x86_64": "mov $39, %eax; syscall; mov %eax, %edi; mov $19, %esi; mov $62, %eax; syscall",
        "aarch64": "mov x8, #172; svc #0; mov x1, #19; mov x8, #129; svc #0",
        "riscv64": "li a7, 172; ecall; li a1, 19; li a7, 129; ecall"}[MACHINE]


def machine_code(source: str) -> bytes:
    def make(folder: Path) -> None:
        common.run_tool([common.CC, "-c", "-x", "assembler", "-", "-o", "code.o"], folder, source + "\n")
        common.run_tool(["objcopy", "-O", "binary", "-j", ".text", "code.o", "code"], folder)
    name = "code-" + ("exit" if source == EXIT else "stop")
    return (common.made(WORK / name, source, make) / "code").read_bytes()


@dataclass(frozen=True)
class Program:
    name: str
    command: tuple[str, ...]

    def under(self, loader: Loader) -> list[str]:
        return [loader.path, *self.command]


class Elf:
    """The few facts of a program that a copy needs."""

    def __init__(self, path: Path):
        self.data = bytearray(path.read_bytes())
        self.entry, self.phoff = struct.unpack_from("<QQ", self.data, 24)
        size, count = struct.unpack_from("<HH", self.data, 54)
        names = ("type", "flags", "offset", "vaddr", "paddr", "filesz", "memsz", "align")
        self.segments = [dict(zip(names, struct.unpack_from("<IIQQQQQQ", self.data, self.phoff + i * size)))
                         for i in range(count)]

    def offset(self, address: int) -> int:
        for s in self.segments:
            if s["type"] == 1 and s["vaddr"] <= address < s["vaddr"] + s["filesz"]:
                return address - s["vaddr"] + s["offset"]
        raise ValueError("an address that no segment has")

    def put_at_entry(self, code: bytes) -> None:
        at = self.offset(self.entry)
        self.data[at:at + len(code)] = code

    def put_interpreter(self, path: str) -> None:
        s = next(s for s in self.segments if s["type"] == 3)
        if len(path) >= s["filesz"]:
            raise ValueError(f"{path} is longer than the program's interpreter")
        self.data[s["offset"]:s["offset"] + s["filesz"]] = path.encode().ljust(s["filesz"], b"\0")


def mirror(program: Path) -> Path:
    """A folder like the program's, where $ORIGIN/../lib leads to the same place: of links, since only the copy in it is
    ours."""
    folder = program.parent
    root = WORK / "mirrors" / str(folder).strip("/").replace("/", "-")
    own = root / folder.name
    if not own.is_dir():
        own.mkdir(parents=True)
        for each in folder.parent.iterdir():
            if each != folder:
                (root / each.name).symlink_to(each)
        for each in folder.iterdir():
            (own / each.name).symlink_to(each)
    return own


def copy(program: str, suffix: str, change) -> str:
    source = Path(os.path.realpath(program))
    target = mirror(source) / f"{source.name}.{suffix}"
    if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
        elf = Elf(source)
        change(elf)
        target.unlink(missing_ok=True)
        target.write_bytes(elf.data)
        target.chmod(0o755)
    return str(target)


def at_entry(p: Program) -> Program:
    path = copy(p.command[0], "entry", lambda elf: elf.put_at_entry(machine_code(EXIT)))
    return Program(p.name + ", at entry", (path, *p.command[1:]))


def stopping_at_entry(p: Program) -> Program:
    return Program(p.name, (copy(p.command[0], "stop", lambda elf: elf.put_at_entry(machine_code(STOP))), *p.command[1:]))


def as_interpreter(p: Program, loader: Loader, number: int) -> list[str]:
    """The command that starts the program with the loader as its PT_INTERP, by a path short enough for any file."""
    links = Path(os.environ.get("TMPDIR", "/tmp"), ".myld-bench")
    if len(str(links)) > 23:  # with the number, as long as x86-64's ld.so
        links = Path("/tmp/.myld-bench")
    links.mkdir(mode=0o700, exist_ok=True)
    link = links / str(number)
    link.unlink(missing_ok=True)
    link.symlink_to(loader.path)
    return [copy(p.command[0], f"interp{number}", lambda elf: elf.put_interpreter(str(link))), *p.command[1:]]


def bound(loader: Loader, p: Program, environment: dict[str, str], folder: str,
          under: tuple[str, ...] = ()) -> dict[str, str]:
    """The environment in which a start of `p` finds the files that `loader.bind` makes in `folder`: with none, it is as it
    was. `under`: what runs the loader."""
    if not loader.bind:
        return environment
    environment = environment | {"MYLD_BINDING": folder}
    output([*under, loader.path, *loader.bind, *p.command], environment)
    return environment


def check_bound(loader: Loader, command: list[str], environment: dict[str, str]) -> None:
    """Does `command`, which ends by itself, start with the files that `loader.bind` makes?"""
    if loader.bind:
        used = re.search(r"binding file=.*; used for .*", output(command, environment | {"LD_DEBUG": "files"}))
        if used is None or ("--image" in loader.bind) != used[0].endswith("with its image"):
            sys.exit(f"bench: {' '.join(command)}: {used[0] if used else 'its binding file is not used'}")


def output(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    if done.returncode != 0:
        sys.exit(f"bench: {' '.join(command)}: status {done.returncode}\n{done.stdout[-1000:]}")
    return done.stdout


# Name, program, arguments; `@`: at entry as well, since main() does much of its own.
KNOWN = [("true", "/bin/true", ()), ("ls", "/bin/ls", ("/",)), ("git", "/usr/bin/git", ("--version",)),
         ("python3", "/usr/bin/python3", ("-I", "-S", "-c", "pass")), ("gdb@", "/usr/bin/gdb", ("-nx", "--version")),
         ("clang@", "/usr/bin/clang", ("--version",)), ("inkscape@", "/usr/bin/inkscape", ("--version",)),
         ("soffice@", "/usr/lib/libreoffice/program/soffice.bin", ("--version",))]


def installed() -> list[Program]:
    found = []
    for name, path, arguments in KNOWN:
        if not os.path.exists(path):
            print(f"# {path} is not installed", file=sys.stderr)
            continue
        program = Program(name.rstrip("@"), (os.path.realpath(path), *arguments))
        if not name.endswith("@") or not name.startswith(("inkscape", "soffice")):
            found.append(program)
        if name.endswith("@"):
            found.append(at_entry(program))
    return found


def nothing() -> list[str]:
    """A static program that ends at once: what starting any program costs without a loader."""
    def make(folder: Path) -> None:
        common.run_tool([common.CC, "-nostdlib", "-static", "-x", "assembler", "-", "-o", "nothing"], folder,
                        f".globl _start\n_start: {EXIT}\n")
    return [str(common.made(WORK / "nothing", EXIT, make) / "nothing")]




def output_of(command: list[str], loader: Loader) -> str:
    done = subprocess.run(command, env=loader.variables(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"bench: {' '.join(command)}: status {done.returncode}\n{done.stderr[-2000:]}")
    return done.stdout
