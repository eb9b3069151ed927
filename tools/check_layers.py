#!/usr/bin/env python3
"""check_layers.py [ROOT]: do the sources keep to the order of layers, and to their own house?

Checks arch/, loader/ and rtld/ (not tests/):
  * includes go one way, down the list LAYERS, and are written from the project root;
  * only headers that a freestanding program can have, fmt in one file alone;
  * the ISA is asked for in arch/port.hpp alone;
  * glibc's private names stay in rtld/glibc (comments may cite them);
  * no thread_local: the loader has no TLS of its own.
Prints each offence and exits with 1. A reinterpret_cast outside the folders that have a reason for
them is only counted.
"""
import pathlib
import re
import sys

# A layer is a folder, or a file that stands between two folders.
LAYERS = ["arch", "loader/base", "loader/sys", "loader/heap", "loader/binding", "loader/elf", "loader/map",
          "loader/stub",
          "loader/find", "loader/load", "rtld/scope", "rtld/audit", "rtld/abi", "rtld/tls", "rtld/runtime.hpp",
          "rtld/entry.hpp", "rtld/relocate", "rtld/entry.cpp", "rtld/init", "rtld/debug",
          "rtld/dlopen", "rtld/glibc", "rtld/binding", "rtld/start"]
# loader/boot runs before self-relocation: it may include these and its own folder, nothing else.
BOOT = "loader/boot"
BOOT_INCLUDES = ("arch/", "loader/boot/", "loader/base/addr.hpp", "loader/base/first_chunk.hpp",
                 "loader/elf/layout.hpp")

STANDARD_HEADERS = set("""
    algorithm array atomic bit climits compare concepts cstdarg cstddef cstdint cstring
    initializer_list iterator limits new numeric optional span string_view tuple type_traits utility
    elf.h stdarg.h stddef.h stdint.h""".split())
ARCH_HEADERS = {"cpuid.h", "immintrin.h"}
FMT_FILE = "loader/base/error_text.cpp"

ISA_MACRO = re.compile(r"^\s*#\s*(?:el)?if.*\b(__x86_64__|__amd64__|__i386__|__aarch64__|__arm__|"
                       r"__riscv\w*)", re.MULTILINE)
# The public prefix of a link_map and the debugger's hook belong to rtld/debug; they are glibc's only
# in origin.
GLIBC_NAME = re.compile(r"\b(_rtld_global\w*|_dl_(?!debug_state\b)\w+|__libc_\w+|__nptl_\w+|"
                        r"_thread_db_\w+|l_(?!addr\b|name\b|ld\b|next\b|prev\b)[a-z]\w*)")
CAST_HOMES = ("arch/", "loader/base/addr.hpp", "loader/elf/")


def without_comments(text):
    """Blanks comments, keeping line numbers; literals are kept whole."""
    token = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)
    return token.sub(lambda m: re.sub(r"[^\n]", " ", m[0]) if m[0][0] == "/" else m[0], text)


def layer_of(path):
    for layer in LAYERS:
        if path == layer or path.startswith(layer + "/"):
            return LAYERS.index(layer)
    return None


def include_offence(path, kind, target, root):
    """Why `path` may not include `target`, or None. `kind` is '"' or '<'."""
    if kind == "<":
        if target.startswith("fmt/"):
            return None if path == FMT_FILE else f"<{target}>: only {FMT_FILE} includes fmt"
        if target in STANDARD_HEADERS or target.startswith(("linux/", "asm/", "asm-generic/")):
            return None
        if target in ARCH_HEADERS and path.startswith("arch/"):
            return None
        return f"<{target}> is not on the list of headers that the loader may use"
    if path == "arch/port.hpp" and not (root / target).parent.is_dir():
        return None  # an ISA that has no port yet: building for it fails at this include
    if not (root / target).is_file():
        return f'"{target}" is not a path from the project root'
    if path.startswith(BOOT + "/"):
        if target.startswith(BOOT_INCLUDES):
            return None
        return f'"{target}": code before self-relocation includes only {", ".join(BOOT_INCLUDES)}'
    here, there = layer_of(path), layer_of(target)
    if there is None or here is None:
        return f'"{target}" is outside the layers'
    return f'"{target}" is a higher layer' if there > here else None


def offences(path, text, root):
    """(position, message) of each offence in one file."""
    code = without_comments(text)
    if layer_of(path) is None and not path.startswith(BOOT + "/"):
        yield 0, "the file is in no layer"
    for m in re.finditer(r'^\s*#\s*include\s*(["<])([^">]+)[">]', code, re.MULTILINE):
        offence = include_offence(path, m[1], m[2], root)
        if offence:
            yield m.start(2), offence
    if path != "arch/port.hpp":
        for m in ISA_MACRO.finditer(code):
            yield m.start(1), f"#if on {m[1]}: make it a trait of arch/port.hpp"
    if not path.startswith("rtld/glibc/"):
        for m in GLIBC_NAME.finditer(code):
            yield m.start(1), f"glibc's {m[1]} outside rtld/glibc"
    for m in re.finditer(r"\bthread_local\b|\b__thread\b", code):
        yield m.start(), m[0]


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else
                        pathlib.Path(__file__).resolve().parent.parent)
    found = casts = 0
    for file in sorted(f for top in ("arch", "loader", "rtld") for f in (root / top).rglob("*")
                       if f.suffix in (".hpp", ".h", ".cpp", ".S", ".inc")):
        path = file.relative_to(root).as_posix()
        text = file.read_text()
        for position, message in offences(path, text, root):
            print(f"{path}:{text.count(chr(10), 0, position) + 1}: {message}")
            found += 1
        if not path.startswith(CAST_HOMES):
            casts += without_comments(text).count("reinterpret_cast")
    if casts:
        print(f"note: {casts} reinterpret_cast outside {', '.join(CAST_HOMES)}", file=sys.stderr)
    sys.exit(1 if found else 0)


main()
