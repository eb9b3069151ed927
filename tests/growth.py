#!/usr/bin/python3
"""Looks that what is made to be slow costs time as its size grows, and not as the square of it.

Writes libraries that no linker makes: all names in one chain of the hash table, tens of thousands of versions of one
name, buckets that share a chain, and so on; counts the instructions (valgrind's callgrind) of a program that opens and uses
them, with so many entries and with twice as many; and asks that twice as many take no more than 2.5 times as much.

  tests/growth.py [--loader PATH] [--times] [CLASS...]

--times prints how many seconds 2,000 to 32,000 entries take, under the loader and under ld.so, and tests nothing.
"""
import argparse
import os
import platform
import re
import struct
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
from benchmarks import common, memory  # noqa: E402

FEW, MOST_RATIO = 4000, 2.5

GLOB_DAT, ABSOLUTE, JUMP_SLOT = 6, 1, 7
FUNCTION, UNIQUE_OBJECT = 0x12, 0xa1  # st_info
PAGE = 4096


# ---- names -------------------------------------------------------------------------------------------------------------

def gnu_hash(name: bytes) -> int:
    value = 5381
    for byte in name:
        value = (value * 33 + byte) & 0xffffffff
    return value


def sysv_hash(name: bytes) -> int:
    value = 0
    for byte in name:
        value = (value << 4) + byte
        value = (value ^ ((value >> 24) & 0xf0)) & 0x0fffffff
    return value


def plain_names(count: int) -> list[bytes]:
    return [b"name%d" % i for i in range(count)]


def names_of_one_hash(count: int) -> list[bytes]:
    """33 * 97 + 98 = 33 * 98 + 65"""
    return [b"".join((b"ab", b"bA")[i >> bit & 1] for bit in range(17)) for i in range(count)]


def names_of_one_table_hash(count: int) -> list[bytes]:
    """That hash_bytes() of loader/heap/hash.hpp gives 0 for, if its key is the one that is not secret: the second word
    is what the first one comes to, and their product is 0."""
    key, mask, names, number = 0x9e3779b97f4a7c15, 2**64 - 1, [], 0
    while len(names) < count:
        first = b"n%07d" % number
        product = (16 ^ (key << 32 & mask) ^ int.from_bytes(first, "little")) * key
        name = first + (product & mask ^ product >> 64).to_bytes(8, "little")
        number += 1
        if 0 not in name:
            names.append(name)
    return names


def name_of_hash(wanted: int) -> bytes:
    rest, digits = (wanted - gnu_hash(b"n") * 33**7 - 64 * ((33**7 - 1) // 32)) % 2**32, []
    for _ in range(7):
        digits.append(64 + rest % 33)
        rest //= 33
    return b"n" + bytes(reversed(digits))


def names_of_one_place(count: int) -> list[bytes]:
    """Whose hashes come to one place of a table with twice as many places, by Fibonacci hashing."""
    bits = (2 * count - 1).bit_length()
    inverse, names, number = pow(0x9e3779b1, -1, 2**32), [], 0
    while len(names) < count:
        half = ((5 << (32 - bits)) + number) * inverse % 2**32
        number += 1
        if half < 2**31:
            names.append(name_of_hash(half * 2))
    return names


# ---- libraries ---------------------------------------------------------------------------------------------------------

@dataclass
class Library:
    """What a file has. A symbol is (name, version index); a version index of 1 is no version."""
    soname: bytes
    needed: list[bytes] = field(default_factory=list)
    defined: list[tuple[bytes, int]] = field(default_factory=list)
    wanted: list[tuple[bytes, int]] = field(default_factory=list)
    info: int = FUNCTION
    versions: list[bytes] = field(default_factory=list)         # defined: index 2 and on
    needed_versions: list[bytes] = field(default_factory=list)  # of the first needed library: index 2 and on
    sysv: bool = False
    buckets: int = 0                 # 0: as many as linkers make
    shared_chain: bool = False       # all buckets begin with the first symbol
    words: list[tuple[bytes, int]] = field(default_factory=list)  # relocated to these symbols
    slots: list[tuple[bytes, int]] = field(default_factory=list)  # of the PLT
    constructors: list[tuple[bytes, int]] = field(default_factory=list)
    symbolic: bool = False
    spread: bool = False             # each symbol is a function of its own


class Writer:
    """Code at a page, then one writable segment with everything else."""

    def __init__(self, library: Library):
        self.library = library
        self.strings, self.offsets = bytearray(b"\0"), {}
        self.code = self.make_code()
        self.start = PAGE + (len(self.code) + PAGE - 1) // PAGE * PAGE
        self.data = bytearray()
        self.dynamic: list[tuple[int, int]] = []

    def text(self, string: bytes) -> int:
        if string not in self.offsets:
            self.offsets[string] = len(self.strings)
            self.strings += string + b"\0"
        return self.offsets[string]

    def put(self, data: bytes) -> int:
        self.data += bytes(-len(self.data) % 8)
        self.data += data
        return self.start + len(self.data) - len(data)

    def table(self, tag: int, data: bytes, size_tag: int = 0) -> int:
        at = self.put(data)
        self.dynamic.append((tag, at))
        if size_tag:
            self.dynamic.append((size_tag, len(data)))
        return at

    def make_code(self) -> bytes:
        functions = len(self.library.defined) + 1 if self.library.spread else 16
        return bytes(b"\xc3" * functions + b"\x90" * (-functions % 16) + bytes(16 * (1 + len(self.library.slots))))

    def sorted_symbols(self) -> tuple[list[tuple[bytes, int]], int]:
        library = self.library
        self.buckets = library.buckets or max(1, (len(library.defined) + len(library.wanted)) // 2)
        defined = library.defined if library.sysv else sorted(library.defined, key=lambda s: gnu_hash(s[0]) % self.buckets)
        return library.wanted + defined, len(library.wanted)

    def hash_table(self, symbols: list[tuple[bytes, int]], undefined: int) -> None:
        buckets = [0] * self.buckets
        if self.library.sysv:
            chain = [0] * (len(symbols) + 1)
            for i in range(len(symbols), 0, -1):
                bucket = sysv_hash(symbols[i - 1][0]) % self.buckets
                chain[i], buckets[bucket] = buckets[bucket], i
            self.table(4, struct.pack(f"<II{self.buckets}I{len(chain)}I", self.buckets, len(chain), *buckets, *chain))
            return
        hashes = [gnu_hash(name) for name, _ in symbols[undefined:]]
        for i in range(len(hashes) - 1, -1, -1):
            buckets[hashes[i] % self.buckets] = 1 + undefined + i
        ends = [i + 1 == len(hashes) or hashes[i] % self.buckets != hashes[i + 1] % self.buckets for i in range(len(hashes))]
        if self.library.shared_chain:
            buckets, ends = [1 + undefined] * self.buckets, [i + 1 == len(hashes) for i in range(len(hashes))]
        chain = [value & ~1 | end for value, end in zip(hashes, ends)]
        self.table(0x6ffffef5, struct.pack(f"<IIIIQ{self.buckets}I{len(chain)}I", self.buckets, 1 + undefined, 1, 6, 2**64 - 1,
                                           *buckets, *chain))

    def versions(self, symbols: list[tuple[bytes, int]]) -> None:
        library = self.library
        if not library.versions and not library.needed_versions:
            return
        self.table(0x6ffffff0, struct.pack(f"<{len(symbols) + 1}H", 0, *(version for _, version in symbols)))
        if library.versions:
            records = [(1, 1, library.soname), *((0, 2 + i, name) for i, name in enumerate(library.versions))]
            self.table(0x6ffffffc, b"".join(
                struct.pack("<HHHHIIIII", 1, flags, index, 1, sysv_hash(name), 20, 28 if index <= len(library.versions) else 0,
                            self.text(name), 0) for flags, index, name in records))
            self.dynamic.append((0x6ffffffd, len(records)))
        if library.needed_versions:
            names = library.needed_versions
            self.table(0x6ffffffe, struct.pack("<HHIII", 1, len(names), self.text(library.needed[0]), 16, 0) + b"".join(
                struct.pack("<IHHII", sysv_hash(name), 0, 2 + i, self.text(name), 16 if i + 1 < len(names) else 0)
                for i, name in enumerate(names)))
            self.dynamic.append((0x6fffffff, 1))

    def plt(self, got: int) -> None:
        """`push number; jmp` to what the psABI calls PLT0, behind the functions."""
        code = self.code[: len(self.code) - 16 * (1 + len(self.library.slots))]
        first = PAGE + len(code)
        code += struct.pack("<HiHi4x", 0x35ff, got + 8 - (first + 6), 0x25ff, got + 16 - (first + 12))
        for number in range(len(self.library.slots)):
            at = PAGE + len(code)
            struct.pack_into("<Q", self.data, got - self.start + 8 * (3 + number), at)
            code += struct.pack("<BiBi6x", 0x68, number, 0xe9, first - (at + 10))
        self.code = code

    def reserve(self) -> None:
        """What is relocated, in front of the symbols: nothing says how many of those there are."""
        library = self.library
        self.words = self.put(bytes(8 * len(library.words)))
        self.constructors = self.put(bytes(8 * len(library.constructors)))
        if library.constructors:
            self.dynamic += [(25, self.constructors), (27, 8 * len(library.constructors))]
        self.got = self.put(bytes(8 * (3 + len(library.slots))))

    def relocations(self, symbols: list[tuple[bytes, int]]) -> None:
        library = self.library
        numbers = {symbol: i + 1 for i, symbol in enumerate(symbols)}
        rela = [(self.words + 8 * i, symbol, GLOB_DAT) for i, symbol in enumerate(library.words)]
        rela += [(self.constructors + 8 * i, symbol, ABSOLUTE) for i, symbol in enumerate(library.constructors)]
        slots = [(self.got + 8 * (3 + i), symbol, JUMP_SLOT) for i, symbol in enumerate(library.slots)]
        for table, tag, size_tag in ((rela, 7, 8), (slots, 23, 2)):
            if table:
                self.table(tag, b"".join(struct.pack("<QQq", at, numbers[symbol] << 32 | kind, 0) for at, symbol, kind in table),
                           size_tag)
        if rela:
            self.dynamic.append((9, 24))
        if slots:
            self.dynamic += [(3, self.got), (20, 7)]
            self.plt(self.got)

    def write(self, path: Path) -> None:
        library = self.library
        symbols, undefined = self.sorted_symbols()
        self.reserve()
        self.table(6, bytes(24) + b"".join(
            struct.pack("<IBBHQQ", self.text(name), library.info, 0, *((1, PAGE + (i - undefined) * library.spread, 1)
                                                                      if i >= undefined else (0, 0, 0)))
            for i, (name, _) in enumerate(symbols)))
        self.hash_table(symbols, undefined)
        self.versions(symbols)
        self.relocations(symbols)
        self.dynamic += [(11, 24), *((1, self.text(name)) for name in library.needed)]
        self.dynamic += [(14, self.text(library.soname)), (29, self.text(b"$ORIGIN"))]
        if library.symbolic:
            self.dynamic.append((30, 2))
        self.table(5, bytes(self.strings), 10)
        dynamic = self.put(b"".join(struct.pack("<QQ", *each) for each in [*self.dynamic, (0, 0)]))
        size = 16 * (len(self.dynamic) + 1)
        headers = [(1, 5, 0, 0, PAGE + len(self.code), PAGE), (1, 6, self.start, self.start, len(self.data), PAGE),
                   (2, 6, dynamic, dynamic, size, 8), (0x6474e551, 6, 0, 0, 0, 8)]
        file = b"\x7fELF\2\1\1".ljust(16, b"\0") + struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, 0, 0, 64, 56, len(headers),
                                                               0, 0, 0)
        for kind, flags, offset, address, length, align in headers:
            file += struct.pack("<IIQQQQQQ", kind, flags, offset, address, address, length, length, align)
        path.write_bytes((file.ljust(PAGE, b"\0") + self.code).ljust(self.start, b"\0") + self.data)


# ---- the classes -------------------------------------------------------------------------------------------------------

def with_user(names: list[bytes], use: str = "words", versions: bool = False, **options) -> tuple[Library, Library]:
    """A library that defines names, and one that refers to all of them."""
    symbols = [(name, 2 + i if versions else 1) for i, name in enumerate(names)]
    provider = Library(b"libprovider.so", defined=symbols, **options)
    user = Library(b"libuser.so", needed=[b"libprovider.so"], wanted=symbols, **{use: symbols})
    if versions:
        provider.versions = user.needed_versions = [b"V_%d" % i for i in range(len(names))]
    return provider, user


def alone(names: list[bytes], **options) -> tuple[Library]:
    symbols = [(name, 1) for name in names]
    return (Library(b"libuser.so", defined=symbols, **options, **({} if options.get("shared_chain") else {"words": symbols})),)


def with_nothing(count: int) -> tuple[Library]:
    symbols = [(name, 1) for name in plain_names(count)]
    return (Library(b"libuser.so", wanted=symbols, words=symbols),)


def only_versions(count: int) -> tuple[Library, Library]:
    provider, user = with_user([b"name"] * count, versions=True)
    provider.defined, user.wanted, user.words = provider.defined[:1], user.wanted[:1], []
    return provider, user


# What it is called: what makes it, and what the program does with it.
CLASSES = {
    "names of one hash": (lambda n: with_user(names_of_one_hash(n)), "open"),
    "versions of one name": (lambda n: with_user([b"name"] * n, versions=True), "open"),
    "versions of one name, DT_HASH": (lambda n: with_user([b"name"] * n, versions=True, sysv=True), "open"),
    "needed versions": (only_versions, "open"),
    "hashes of one place": (lambda n: with_user(names_of_one_place(n)), "open"),
    "names of one hash, DT_SYMBOLIC": (lambda n: alone(names_of_one_hash(n), symbolic=True), "open"),
    "unique symbols": (lambda n: alone(names_of_one_table_hash(n), info=UNIQUE_OBJECT), "open"),
    "constructors of another library": (lambda n: with_user(plain_names(n), "constructors", spread=True), "open"),
    "missing symbols": (with_nothing, "fail"),
    "first calls, names of one hash": (lambda n: with_user(names_of_one_hash(n), "slots"), "call"),
    "first calls, one bucket": (lambda n: with_user(plain_names(n), "slots", buckets=1), "call"),
    "first calls, one bucket of DT_HASH": (lambda n: with_user(plain_names(n), "slots", buckets=1, sysv=True), "call"),
    "dlsym, names of one hash": (lambda n: with_user(names_of_one_hash(n)), "look up"),
    "dlvsym, versions of one name": (lambda n: with_user([b"name"] * n, versions=True), "look up"),
    "dladdr, buckets that share a chain": (lambda n: alone(plain_names(n), buckets=n, shared_chain=True), "address"),
}

PROGRAM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int refuse(const char* what) {
  fprintf(stderr, "%s: %s\n", what, dlerror());
  return 1;
}

// DIRECTORY WHAT: opens DIRECTORY/libuser.so and does something with it.
int main(int argc, char** argv) {
  char path[4096], line[4096];
  if (argc != 3) return 0;
  snprintf(path, sizeof path, "%s/libuser.so", argv[1]);
  int calls = strcmp(argv[2], "call") == 0;
  void* handle = dlopen(path, calls ? RTLD_LAZY : RTLD_NOW);
  if (handle == NULL) return refuse("dlopen");
  struct link_map* map = NULL;
  dlinfo(handle, RTLD_DI_LINKMAP, &map);
  snprintf(path, sizeof path, "%s/uses", argv[1]);
  FILE* uses = fopen(path, "r");
  while (fgets(line, sizeof line, uses) != NULL) {
    line[strcspn(line, "\n")] = 0;
    char* version = strchr(line, '@');
    if (version != NULL) *version++ = 0;
    if (calls) {
      (*(void (**)(void))(map->l_addr + strtoul(line, NULL, 10)))();
    } else if (strcmp(argv[2], "look up") == 0) {
      if ((version != NULL ? dlvsym(handle, line, version) : dlsym(handle, line)) == NULL) return refuse(line);
    } else {
      Dl_info info;
      if (dladdr((void*)(map->l_addr + strtoul(line, NULL, 10)), &info) == 0 || info.dli_sname == NULL) return refuse("dladdr");
    }
  }
  return 0;
}
"""


def uses_of(libraries: tuple[Library, ...], user: Writer, what: str) -> list[str]:
    """What the program is told to use, a line each."""
    if what == "call":
        return [str(user.got + 8 * (3 + i)) for i in range(len(user.library.slots))]
    if what == "look up":
        versions = libraries[0].versions
        return [name.decode() + (f"@{versions[i].decode()}" if versions else "")
                for i, (name, _) in enumerate(libraries[0].defined)]
    return [str(PAGE)] if what == "address" else []


def make(command: list[str], name: str, count: int, work: Path) -> list[str]:
    """Writes the libraries of a class; returns the program's command with what it is to do with them."""
    build, what = CLASSES[name]
    libraries = build(count)
    folder = work / name.replace(" ", "-") / str(count)
    folder.mkdir(parents=True, exist_ok=True)
    for library in libraries:
        writer = Writer(library)
        writer.write(folder / library.soname.decode())
    (folder / "uses").write_text("".join(line + "\n" for line in uses_of(libraries, writer, what)))
    if what == "fail":  # at the start, which tells of each
        return [command[0], "--json", "--preload", str(folder / "libuser.so"), *command[1:]]
    return [*command, str(folder), what]


# ---- measuring ---------------------------------------------------------------------------------------------------------

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "MYLD_ALLOW": "unsealed"}


def status_of(name: str) -> int:
    return 127 if CLASSES[name][1] == "fail" else 0


def seconds(command: list[str], status: int) -> float:
    """Of processor time, the least of three. The command must end with `status`."""
    took = []
    for _ in range(3):
        before = os.times()
        done = subprocess.run(command, env=ENVIRONMENT, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
        if done.returncode != status:
            sys.exit(f"{' '.join(command)}: status {done.returncode}")
        after = os.times()
        took.append(after.children_user + after.children_system - before.children_user - before.children_system)
    return min(took)


def print_times(loader: str, program: str, names: list[str], work: Path) -> None:
    counts = [2000, 4000, 8000, 16000, 32000]
    print(f"{'seconds':40}" + "".join(f"{n:>8}" for n in counts))
    for name in names:
        for of, command in (("", [loader, program]), (", ld.so", ["/lib64/ld-linux-x86-64.so.2", program])):
            if of and CLASSES[name][1] == "fail":  # ld.so tells of the first
                continue
            took = [seconds(make(command, name, n, work), status_of(name)) for n in counts]
            print(f"{name + of:40}" + "".join(f"{each:8.2f}" for each in took), flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--loader", default=str(ROOT / "build/myld"))
    parser.add_argument("--times", action="store_true")
    parser.add_argument("classes", nargs="*", metavar="CLASS")
    options = parser.parse_args()
    if platform.machine() != "x86_64":
        print("the libraries are for x86_64\n0 passed, 0 failed, 1 skipped")
        return 0
    names = options.classes or list(CLASSES)
    for name in names:
        if name not in CLASSES:
            parser.error(f"no class {name!r}: {', '.join(CLASSES)}")

    def build(folder: Path) -> None:
        common.run_tool([common.CC, "-O1", "-Wall", "-x", "c", "-", "-o", "program", "-ldl"], folder, PROGRAM)

    work = common.made(common.WORK / "growth", PROGRAM, build)
    program = str(work / "program")
    if options.times:
        print_times(options.loader, program, names, work)
        return 0
    command = [options.loader, program]
    nothing = memory.instructions(command, ENVIRONMENT)
    passed = failed = 0
    for name in names:
        few, many = (memory.instructions(make(command, name, n, work), ENVIRONMENT, status_of(name)) - nothing
                     for n in (FEW, 2 * FEW))
        good = many <= few * MOST_RATIO
        passed, failed = passed + good, failed + (not good)
        print(f"{'ok   ' if good else 'FAIL '} {name}: {many / few:.2f} times the instructions for twice as many, {many:,}",
              flush=True)
    print(f"{passed} passed, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
