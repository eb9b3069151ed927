#!/usr/bin/env python3
"""check_binary.py FILE: is the linked loader the file that it must be?

The loader has nobody to load it: it may need no interpreter, no library, no constructor and no
relocation but those that its own bootstrap knows, and it must be hardened like any library.
Prints each broken rule and exits with 1, or prints nothing. Reads with binutils' readelf.
"""
import re
import subprocess
import sys


def readelf(option, path):
    return subprocess.run(["readelf", "--wide", option, path], check=True, text=True,
                          capture_output=True, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"}).stdout


def segments(path):
    """(type, flags) of each program header."""
    pattern = re.compile(r"^  (\w+) +(?:0x[0-9a-f]+ +){5}([RWE ]{3}) ", re.MULTILINE)
    return [(kind, flags.replace(" ", "")) for kind, flags in
            pattern.findall(readelf("--program-headers", path))]


def dynamic_tags(path):
    return re.findall(r"^ 0x[0-9a-f]+ \((\w+)\) +(.*)$", readelf("--dynamic", path), re.MULTILINE)


def broken_rules(path):
    if "DYN (" not in readelf("--file-header", path):
        yield "not an ET_DYN file"
    kinds = [kind for kind, _ in segments(path)]
    if "LOAD" not in kinds or "DYNAMIC" not in kinds:
        yield "no PT_LOAD or no PT_DYNAMIC"
    for unwanted in ("INTERP", "TLS"):
        if unwanted in kinds:
            yield f"has a PT_{unwanted}"
    if "GNU_RELRO" not in kinds:
        yield "no PT_GNU_RELRO"
    for kind, flags in segments(path):
        if "W" in flags and "E" in flags:
            yield f"PT_{kind} is writable and executable"
    if ("GNU_STACK", "RW") not in segments(path):
        yield "no PT_GNU_STACK with flags RW"

    tags = dynamic_tags(path)
    for tag, value in tags:
        if tag in ("NEEDED", "TEXTREL", "JMPREL", "INIT", "FINI", "INIT_ARRAY", "FINI_ARRAY",
                   "PREINIT_ARRAY"):
            yield f"has DT_{tag} {value}"
        if tag == "SONAME" and "[ld-linux" in value:
            yield f"DT_SONAME {value} is the system loader's"
    flags = " ".join(value for tag, value in tags if tag in ("FLAGS", "FLAGS_1"))
    if "TEXTREL" in flags:
        yield "has DF_TEXTREL"
    if "NOW" not in flags:
        yield "is not bound now"
    if "SONAME" not in dict(tags):
        yield "no DT_SONAME"

    # An object built without landing pads would silently take the property from the whole file.
    if "X86-64" in readelf("--file-header", path):
        properties = readelf("--notes", path)
        for feature in ("IBT", "SHSTK"):
            if feature not in properties:
                yield f"no x86 feature property {feature}"

    for kind in sorted(set(re.findall(r"^[0-9a-f]+ +[0-9a-f]+ (R_\w+)",
                                      readelf("--relocs", path), re.MULTILINE))):
        if not kind.endswith("_RELATIVE"):
            yield f"has a relocation {kind}"
    for name in re.findall(r" UND (\S+)$", readelf("--dyn-syms", path), re.MULTILINE):
        yield f"undefined symbol {name}"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    broken = list(broken_rules(sys.argv[1]))
    for rule in broken:
        print(f"{sys.argv[1]}: {rule}")
    sys.exit(1 if broken else 0)


main()
