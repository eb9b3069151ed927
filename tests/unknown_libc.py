#!/usr/bin/python3
"""A libc.so.6 that is not known is refused, and known after the command that the refusal names.

    unknown_libc.py [--loader build/myld]

1. The system's libc.so.6 with another build-id is known by its fingerprint; with another private structure, or naming
   another release, it is refused, and the refusal says what was found and what is known.
2. A copy of the sources and of their build folder loses the tables of the system's release, so that its libc is
   unknown. The table is then made again as the refusal says, from Debian's libc6-dbg package and from the debug files
   themselves, and must be the one that is checked in. The loader that is built with it runs programs.
"""
import argparse
import importlib.util
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}
PROGRAM = "/usr/bin/true"
COPIED = ["meson.build", "meson_options.txt", "arch", "include", "loader", "rtld", "tests", "tools", "docs"]
count = {"ok": 0, "FAIL": 0, "skip": 0}


def note(word, name, detail=""):
    count[word] += 1
    print(f"{word:4}  {name}{detail}", flush=True)


def check(name, good, detail=""):
    note("ok" if good else "FAIL", name, "" if good else f": {detail}")
    return good


def run(*command, **more):
    return subprocess.run([str(word) for word in command], text=True, stdin=subprocess.DEVNULL, capture_output=True,
                          **more)


def start(loader, *options):
    done = run(loader, *options, PROGRAM, env=ENVIRONMENT)
    return done.returncode, done.stderr.strip()


def release_of(libc):
    return re.search(rb"stable release version (2\.[0-9]+)", libc)[1].decode()


def build_id_of(path):
    return re.search(r"Build ID: ([0-9a-f]+)", run("readelf", "-nW", path).stdout)[1]


def file_offset(path, symbol):
    """Where a data symbol's contents are in the file."""
    address = next(int(line.split()[1], 16) for line in run("readelf", "--dyn-syms", "-W", path).stdout.splitlines()
                   if re.search(rf" {symbol}@@", line))
    for line in run("readelf", "-lW", path).stdout.splitlines():
        if line.split()[:1] == ["LOAD"]:
            offset, virtual, _, size = (int(word, 16) for word in line.split()[1:5])
            if virtual <= address < virtual + size:
                return offset + address - virtual
    raise SystemExit(f"{path}: {symbol} is in no segment")


def changed_libraries(loader, libc, folder):
    """Part 1."""
    original, build_id = libc.read_bytes(), bytes.fromhex(build_id_of(libc))
    release, other = release_of(original), bytes(byte ^ 0xff for byte in build_id)
    unknown = original.replace(build_id, other)
    lib = folder / "libc.so.6"

    def refusal(content, *wanted):
        lib.write_bytes(content)
        status, text = start(loader, "--library-path", folder)
        return (status == 127 and all(word in text for word in wanted), f"status {status}: {text}")

    lib.write_bytes(unknown)
    status, text = start(loader, "--library-path", folder)
    check("another build-id: known by its fingerprint", status == 0 and not text, f"status {status}: {text}")

    found = f"found glibc {release} (build-id {other.hex()})"
    known = "known on x86_64: 2.34-2.43"
    command = "make a table of this one with: tools/gen_glibc_layout.py --deb libc6-dbg.deb, or --debuginfo FILE..."
    at = file_offset(libc, "_thread_db_sizeof_pthread")
    size = int.from_bytes(unknown[at:at + 4], sys.byteorder)
    larger = unknown[:at] + (size + 64).to_bytes(4, sys.byteorder) + unknown[at + 4:]
    check("another struct pthread: refused, and says what is different",
          *refusal(larger, found, f"_thread_db_sizeof_pthread is {size + 64} instead of {size}", known, command))
    stated = release.encode() + b"\0"  # also the end of "glibc 2.36"
    later = unknown.replace(stated, b"2.99\0")
    check("a release to come: refused, and says so", *refusal(later, "found glibc 2.99", known, "newer than this myld"))
    before = unknown.replace(stated, b"2.31\0")
    check("a release before 2.34: refused, and says why",
          *refusal(before, "found glibc 2.31", known, "libpthread is a library of its own"))


def generator(tree):
    """The copy's tools/gen_glibc_layout.py, as a module."""
    sys.path.insert(0, str(tree / "tools"))
    spec = importlib.util.spec_from_file_location("generator", tree / "tools/gen_glibc_layout.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.SCHEMA = module.read_schema()
    return module


def copy_tree(loader, folder):
    """The sources and the folder that they are built in, with their times, so that little is built anew."""
    tree = folder / "tree"
    for name in [*COPIED, loader.parent.name]:
        source = loader.parent if name == loader.parent.name else ROOT / name
        if source.is_dir():
            shutil.copytree(source, tree / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__", "unit_tests*"))
        elif source.exists():
            tree.mkdir(exist_ok=True)
            shutil.copy2(source, tree / name)
    return tree


def build(tree, loader):
    done = run("ninja", "-C", tree / loader.parent.name, "myld")
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return tree / loader.parent.name / "myld"


def debug_package(folder):
    """Debian's package with the debug files of the installed libc; None: it cannot be had."""
    version = run("dpkg-query", "-W", "-f", "${Version}", "libc6").stdout
    options = ["-oAPT::Sandbox::User=", "-oAcquire::Retries=3"]
    if not version or run("apt-get", "-q", *options, "download", f"libc6-dbg={version}", cwd=folder).returncode:
        return None
    return next(folder.glob("libc6-dbg_*.deb"))


def forget(tool, isa, minor):
    """Takes the tables of a release away. Gives: those that they were."""
    entries = tool.read_isa(isa)
    tool.save(isa, [entry for entry in entries if entry.minor != minor])
    return [entry for entry in entries if entry.minor == minor]


def tables_made_anew(loader, libc, folder):
    """Part 2."""
    package = debug_package(folder)
    if package is None:
        note("skip", "a table from libc6-dbg", " (the package of the installed libc6 cannot be had)")
        return
    tree = copy_tree(loader, folder)
    tool, isa, build_id = generator(tree), os.uname().machine, build_id_of(libc)
    minor = int(release_of(libc.read_bytes()).split(".")[1])
    known = forget(tool, isa, minor)
    status, text = start(build(tree, loader))
    check("without a table: refused", status == 127 and "a release that is not supported" in text and
          f"2.34-2.{minor - 1}, 2.{minor + 1}-2.43" in text and "--deb libc6-dbg.deb" in text, f"status {status}: {text}")

    unpacked = folder / "debug"
    run("dpkg-deb", "-x", package, unpacked)
    id_of = {path: path.parent.name + path.stem for path in unpacked.rglob("*.debug")}
    ldso = build_id_of(run("realpath", "/lib64/ld-linux-x86-64.so.2").stdout.strip())
    files = [path for path, name in id_of.items() if name in (build_id, ldso)]
    ways = {"libc6-dbg": ["--deb", package],
            "two debug files": ["--debuginfo", *files, "--minor", minor, "--origin", "The system's own"]}
    for name, options in ways.items():
        done = run(tree / "tools/gen_glibc_layout.py", *options)
        made = [entry for entry in tool.read_isa(isa) if entry.minor == minor]
        if not check(f"{name}: makes a table", done.returncode == 0 and len(made) == 1, done.stdout + done.stderr):
            return
        same = [entry for entry in known if build_id in [known_id for known_id, _ in entry.build_ids]]
        if same:  # this very build is among the tables
            check(f"{name}: the table that is checked in", same[0].structs == made[0].structs and
                  {**same[0].facts, "tunables": 0} == {**made[0].facts, "tunables": 0} and
                  [t[0] for t in same[0].tunables] == [t[0] for t in made[0].tunables], f"{made[0].structs}")
        status, text = start(build(tree, loader))
        check(f"{name}: the loader with it runs programs", status == 0 and not text, f"status {status}: {text}")
        forget(tool, isa, minor)


def main():
    parser = argparse.ArgumentParser(description="What is not known is refused, and can be made known.")
    parser.add_argument("--loader", type=pathlib.Path, default=ROOT / "build/myld")
    options = parser.parse_args()
    loader = options.loader.resolve()
    libc = pathlib.Path(run("realpath", f"/lib/{os.uname().machine}-linux-gnu/libc.so.6").stdout.strip())
    with tempfile.TemporaryDirectory(prefix="myld-unknown-") as name:
        folder = pathlib.Path(name)
        (folder / "lib").mkdir()
        changed_libraries(loader, libc, folder / "lib")
        tables_made_anew(loader, libc, folder)
    tail = f", {count['skip']} skipped" if count["skip"] else ""
    print(f"{count['ok']} passed, {count['FAIL']} failed{tail}")
    sys.exit(1 if count["FAIL"] else 0)


if __name__ == "__main__":
    main()
