#!/usr/bin/python3
"""Binding files (docs/binding.md): used where everything is as it was, and never where anything is not.

A program with two libraries is bound; then one thing changes. Its output must be what a start without a file gives,
and LD_DEBUG=files must tell that the file was used, or why it was not.
"""
import concurrent.futures
import os
import pathlib
import re
import shutil
import signal
import struct
import subprocess
import sys
import time

import twins
from twins import ROOT, Failure

NOBODY = 65534
PROGRAM = """
#include <stdio.h>
int one(void); int two(void);
extern int shared;
int main(void) { printf("%d %d %d\\n", one(), two(), shared); return 0; }
"""
ONE = """
int two(void) __attribute__((weak));
int one(void) { return %d; }
int shared = %d;
"""
TWO = "int one(void); int two(void) { return one() + %d; }\n"
IMAGE = "with its image"
tests = []


def test(function):
    tests.append(function)
    return function


class Place:
    """A folder with the program, and a folder of binding files."""

    def __init__(self, folder, loader):
        self.folder, self.loader = folder, loader
        self.files = folder.parent / "files"
        self.env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "MYLD_BINDING": str(self.files)}
        os.chmod(folder.parent, 0o755)
        folder.mkdir()
        self.files.mkdir(mode=0o755)
        for name in ("first", "second", "other"):
            (folder / name).mkdir()
        self.library("second/libone.so", ONE % (1, 5))
        self.library("second/libtwo.so", TWO % 10, "second/libone.so")
        self.library("other/libone.so", ONE % (2, 6))
        self.compile(PROGRAM, "program", "second/libone.so", "second/libtwo.so",
                     f"-Wl,-rpath,{folder}/first:{folder}/none:$ORIGIN/second,--enable-new-dtags")
        subprocess.run(["patchelf", "--set-interpreter", str(loader), "program"], cwd=folder, check=True)
        time.sleep(0.03)

    def compile(self, text, out, *arguments):
        source = self.folder / "source.c"
        source.write_text(text)
        libraries = [a if a.startswith("-") else str(self.folder / a) for a in arguments]
        subprocess.run(["cc", "-O1", "source.c", "-o", out, *libraries], cwd=self.folder, check=True)
        source.unlink()

    def library(self, path, text, *needed):
        name = pathlib.Path(path).name
        rpath = ["-Wl,-rpath,$ORIGIN"] if needed else []
        self.compile(text, path, "-shared", "-fPIC", f"-Wl,-soname,{name}", *needed, *rpath)

    def run(self, *command, env=None, cwd=None, user=None, wrapper=()):
        command = [*wrapper, *map(str, command)] if command else [*wrapper, str(self.folder / "program")]
        env = {name: value for name, value in {**self.env, **(env or {})}.items() if value is not None}
        return subprocess.run(command, env=env, cwd=cwd or self.folder, text=True,
                              capture_output=True, user=user, group=user, extra_groups=[] if user else None,
                              timeout=60)

    def bind(self, *options, env=None, cwd=None, program="program"):
        time.sleep(0.03)
        done = self.run(self.loader, "--bind", *options, self.folder / program, env=env, cwd=cwd)
        if done.returncode:
            raise Failure(f"--bind: {done.returncode}: {done.stdout}{done.stderr}")
        return pathlib.Path(done.stdout.split(":")[0])

    def start(self, **how):
        """What the program prints, and what is told of the file."""
        env = {**how.pop("env", {}), "LD_DEBUG": "files"}
        done = self.run(env=env, **how)
        told = re.findall(r"binding file.*?; (.*)", done.stderr)
        if done.returncode:
            raise Failure(f"status {done.returncode}: {done.stderr[-2000:]}")
        return done.stdout, told

    def expect(self, used, why=None, **how):
        """Starts the program with and without the file."""
        found, told = self.start(**how)
        env = {**how.pop("env", {}), "MYLD_BINDING": "off"}
        plain, nothing = self.start(env=env, **how)
        if nothing:
            raise Failure(f"off: {nothing}")
        if found != plain:
            raise Failure(f"printed {found!r}, and {plain!r} without a file ({told})")
        is_used = any(t.startswith("used for") for t in told)
        if is_used != used:
            raise Failure(f"{'not ' if used else ''}used: {told}")
        if why is not None and not any(re.search(why, t) for t in told):
            raise Failure(f"{told} does not tell {why!r}")
        return found


@test
def a_bound_start(p):
    p.expect(False)
    p.bind()
    if p.expect(True) != "1 11 5\n":
        raise Failure("wrong output")
    if p.run(p.loader, "--verify-binding", p.folder / "program").returncode:
        raise Failure("--verify-binding finds differences")
    # Through the loader's command line it is the same request.
    done = p.run(p.loader, p.folder / "program", env={"LD_DEBUG": "files"})
    if "; used for" not in done.stderr:
        raise Failure("not used by a direct start")


@test
def a_library_that_is_replaced(p):
    p.bind()
    shutil.copy(p.folder / "other/libone.so", p.folder / "new")
    os.rename(p.folder / "new", p.folder / "second/libone.so")
    if p.expect(False, "has changed") != "2 12 6\n":
        raise Failure("the old library")
    p.bind()
    p.expect(True)


@test
def a_library_that_is_touched(p):
    p.bind()
    os.utime(p.folder / "second/libtwo.so")
    p.expect(False, "has changed")


@test
def a_library_whose_times_are_set_back(p):
    path = p.folder / "second/libone.so"
    stat = path.stat()
    p.bind()
    data = bytearray((p.folder / "other/libone.so").read_bytes())
    data += bytes(max(0, stat.st_size - len(data)))
    path.write_bytes(data[:stat.st_size])
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    p.expect(False, "has changed")


@test
def a_library_that_is_moved(p):
    p.bind()
    os.rename(p.folder / "second/libone.so", p.folder / "first/libone.so")
    p.expect(False)


@test
def a_program_that_is_replaced(p):
    p.bind()
    p.compile(PROGRAM.replace("%d %d", "%d-%d"), "new", "second/libone.so", "second/libtwo.so",
              "-Wl,-rpath,$ORIGIN/second")
    subprocess.run(["patchelf", "--set-interpreter", str(p.loader), "new"], cwd=p.folder, check=True)
    os.rename(p.folder / "new", p.folder / "program")
    p.expect(False, "has changed")


@test
def a_library_that_is_shadowed(p):
    p.bind()
    shutil.copy(p.folder / "other/libone.so", p.folder / "first/libone.so")
    if p.expect(False, "this has changed: .*first") != "2 12 6\n":
        raise Failure("the library behind")


@test
def a_directory_that_was_not_there(p):
    p.bind()
    (p.folder / "none").mkdir()
    shutil.copy(p.folder / "other/libone.so", p.folder / "none/libone.so")
    if p.expect(False, "this has changed: .*none") != "2 12 6\n":
        raise Failure("the library behind")


@test
def a_subdirectory_for_the_cpu(p):
    p.bind()
    level = p.folder / "second/glibc-hwcaps/x86-64-v2"
    level.mkdir(parents=True)
    shutil.copy(p.folder / "other/libone.so", level / "libone.so")
    p.expect(False, "this has changed: .*glibc-hwcaps")
    p.bind()
    p.expect(True)
    (level.parent / "x86-64-v3").mkdir()
    p.expect(False)


@test
def a_link_that_led_nowhere(p):
    (p.folder / "first/libone.so").symlink_to(p.folder / "target")
    p.bind()
    p.expect(True)
    shutil.copy(p.folder / "other/libone.so", p.folder / "target")
    if p.expect(False, "this has changed: .*first/libone.so") != "2 12 6\n":
        raise Failure("the library behind")


@test
def many_names_in_one_directory(p):
    """More names were not there than are looked at one by one: the directory is."""
    p.library("second/libx.so", "int x;")
    p.library("second/liby.so", "int y;")
    p.compile(PROGRAM, "program", "-Wl,--no-as-needed", "second/libone.so", "second/libtwo.so",
              "second/libx.so", "second/liby.so", "-Wl,-rpath,$ORIGIN/first:$ORIGIN/second",
              f"-Wl,--dynamic-linker={p.loader}")
    p.bind()
    p.expect(True)
    shutil.copy(p.folder / "other/libone.so", p.folder / "first/libone.so")
    p.expect(False, "this has changed: .*first/$")


@test
def other_variables(p):
    p.bind()
    p.expect(True)
    other = {"LD_LIBRARY_PATH": str(p.folder / "other")}
    # RUNPATH comes after it.
    if p.expect(False, env=other) != "2 12 6\n":
        raise Failure("LD_LIBRARY_PATH has no effect")
    p.bind(env=other)
    p.expect(True, env=other)
    p.expect(True)
    p.library("preload.so", "int one(void) { return 3; }")
    preload = {"LD_PRELOAD": str(p.folder / "preload.so")}
    time.sleep(0.03)
    if p.expect(False, env=preload) != "3 13 5\n":
        raise Failure("LD_PRELOAD has no effect")
    p.bind(env=preload)
    if p.expect(True, env=preload) != "3 13 5\n":
        raise Failure("LD_PRELOAD has no effect with a file")
    p.library("preload.so", "int one(void) { return 4; }")
    p.expect(False, "has changed", env=preload)
    p.expect(True)
    p.expect(False, env={"LD_BIND_NOW": "1"})
    p.bind(env={"LD_BIND_NOW": "1"})
    p.expect(True, env={"LD_BIND_NOW": "1"})


@test
def variables_that_it_is_not_used_with(p):
    p.bind()
    for name, value in [("LD_BIND_NOT", "1"), ("LD_DYNAMIC_WEAK", "1")]:
        p.expect(False, env={name: value})
    for category in ("bindings", "libs", "symbols", "versions"):
        lines = [re.sub(r"^ *\d+:|0x[0-9a-f]+", "", p.run(env={"LD_DEBUG": category, **env}).stderr, flags=re.M)
                 for env in ({}, {"MYLD_BINDING": "off"})]
        if lines[0] != lines[1]:
            raise Failure(f"LD_DEBUG={category} tells something else")


@test
def a_configuration(p):
    p.bind()
    conf = p.folder / "program.myld.conf"
    conf.write_text("map libone.so $ORIGIN/other/libone.so\n")
    if p.expect(False) != "2 12 6\n":
        raise Failure("the configuration has no effect")
    p.bind()
    p.expect(True)
    conf.unlink()
    p.expect(True)


@test
def a_policy_in_the_configuration(p):
    """What a program is shipped with: the environment that is left says nothing of binding files."""
    nothing = {"MYLD_BINDING": None}
    conf = p.folder / "program.myld.conf"
    conf.write_text("binding auto:$ORIGIN/bindings\n")
    told = [p.start(env=nothing) for _ in range(2)]
    if told[0] != ("1 11 5\n", ["written"]) or not told[1][1][0].startswith("used for"):
        raise Failure(f"{told}")
    kept = list((p.folder / "bindings").iterdir())
    if len(kept) != 1:
        raise Failure(f"{kept}")
    p.expect(True, env=nothing)
    if p.bind(env=nothing) != kept[0]:
        raise Failure("--bind writes elsewhere")
    if p.run(p.loader, "--verify-binding", p.folder / "program", env=nothing).returncode:
        raise Failure("--verify-binding looks elsewhere")
    # Who starts the program has the last word.
    for value in ("off", "", str(p.files)):
        if p.start(env={"MYLD_BINDING": value})[1]:
            raise Failure(f"MYLD_BINDING={value} has no effect")
    for line, used in [("binding off", False), (f"binding {p.folder}/bindings", True), ("binding use", False),
                       ("binding off\nbinding $ORIGIN/bindings", True)]:
        conf.write_text(line + "\n")
        if any(t.startswith("used for") for t in p.start(env=nothing)[1]) != used:
            raise Failure(f"{line!r}: {p.start(env=nothing)}")
    # The same rules hold for the directory.
    os.chmod(p.folder / "bindings", 0o777)
    p.expect(False, "directory is not safe", env=nothing)
    os.chmod(p.folder / "bindings", 0o755)
    # The note does as well.
    conf.rename(p.folder / "text")
    subprocess.run([ROOT / "tools/add_config", "program", "text"], cwd=p.folder, check=True)
    p.bind(env=nothing)
    p.expect(True, env=nothing)


@test
def secure_execution(p):
    """A file that lies is not read, and none is written, whoever asks for it."""
    as_root(p)
    # $ORIGIN means nothing there.
    subprocess.run(["patchelf", "--set-rpath", str(p.folder / "second"), "program"], cwd=p.folder, check=True)
    path = p.bind()
    write_with_checksum(path, lie(bytearray(path.read_bytes()), most=10000))
    if p.run(user=NOBODY).stdout == "1 11 5\n":
        raise Failure("the file tells the truth")
    program = p.folder / "program"
    empty = p.folder.parent / "empty"
    empty.mkdir()
    empty.chmod(0o777)
    for owner, policy in [(0, p.files), (NOBODY - 1, p.files), (0, f"auto:{empty}"), (NOBODY - 1, f"auto:{empty}")]:
        os.chown(program, owner, owner)
        os.chmod(program, 0o6755)  # which chown takes away
        for env, line in [({"MYLD_BINDING": str(policy)}, ""), ({"MYLD_BINDING": None}, f"binding {policy}\n")]:
            (p.folder / "program.myld.conf").write_text(line)
            done = p.run(env=env, user=NOBODY)
            if (done.returncode, done.stdout, done.stderr) != (0, "1 11 5\n", "") or list(empty.iterdir()):
                raise Failure(f"{owner} {policy}: {done} {list(empty.iterdir())}")


@test
def another_run_path(p):
    p.bind()
    subprocess.run(["patchelf", "--set-rpath", str(p.folder / "other"), "second/libtwo.so"], cwd=p.folder, check=True)
    p.expect(False)
    subprocess.run(["patchelf", "--set-rpath", f"{p.folder}/other:{p.folder}/second", "program"], cwd=p.folder,
                   check=True)
    if p.expect(False, "program has changed") != "2 12 6\n":
        raise Failure("the run path has no effect")


@test
def a_working_directory(p):
    env = {"LD_LIBRARY_PATH": "there"}
    for name, library in [("x", "second"), ("y", "other")]:
        (p.folder / name / "there").mkdir(parents=True)
        shutil.copy(p.folder / library / "libone.so", p.folder / name / "there/libone.so")
    p.bind(env=env, cwd=p.folder / "x")
    p.expect(True, env=env, cwd=p.folder / "x")
    if p.expect(False, "working directory", env=env, cwd=p.folder / "y") != "2 12 6\n":
        raise Failure("the other directory's library")


def as_root(p):
    if os.geteuid() != 0:
        raise Failure("to be run as root")


def in_namespace(commands):
    return ["unshare", "-m", "sh", "-ec", commands + '; exec "$@"', "sh"]


@test
def another_cache(p):
    as_root(p)
    p.bind()
    shutil.copy("/etc/ld.so.cache", p.folder / "cache")
    mount = f"mount --bind {p.folder}/cache /etc/ld.so.cache"
    p.expect(False, "this has changed: /etc/ld.so.cache", wrapper=in_namespace(mount))
    p.expect(True)


@test
def another_namespace(p):
    as_root(p)
    p.bind()
    mount = f"mount --bind {p.folder}/other/libone.so {p.folder}/second/libone.so"
    if p.expect(False, "has changed", wrapper=in_namespace(mount)) != "2 12 6\n":
        raise Failure("the library of the other namespace")
    mount = f"mount -t tmpfs tmpfs {p.folder}/first && cp {p.folder}/other/libone.so {p.folder}/first"
    if p.expect(False, "has changed", wrapper=in_namespace(mount)) != "2 12 6\n":
        raise Failure("the library of the other namespace")


@test
def another_user(p):
    as_root(p)
    path = p.bind()
    p.expect(True, user=NOBODY)  # root's is believed
    os.chown(path, NOBODY, NOBODY)
    p.expect(True, user=NOBODY)
    p.expect(False, "somebody else")
    os.chown(path, NOBODY - 1, 0)
    p.expect(False, "somebody else", user=NOBODY)


@test
def files_that_others_can_write(p):
    path = p.bind()
    for mode in (0o664, 0o646):
        os.chmod(path, mode)
        p.expect(False, "others can write")
    os.chmod(path, 0o644)
    p.expect(True)
    for mode in (0o775, 0o777, 0o1777):
        os.chmod(p.files, mode)
        p.expect(False, "directory is not safe")
    os.chmod(p.files, 0o755)
    p.expect(True)
    os.rename(path, p.files / "elsewhere")
    path.symlink_to("elsewhere")
    p.expect(False)


@test
def damaged_files(p):
    path = p.bind()
    data = path.read_bytes()
    # Every byte of the header and every 37th of the rest, another bit each time.
    for i in [*range(0, 200), *range(200, len(data), 37)]:
        changed = bytearray(data)
        changed[i] ^= 1 << i % 8
        path.write_bytes(changed)
        if p.start()[0] != "1 11 5\n" or any("used for" in t for t in p.start()[1]):
            raise Failure(f"byte {i}: {p.start()}")
    for size in [0, 1, 8, 199, 200, 201, len(data) // 2, len(data) - 1]:
        path.write_bytes(data[:size])
        p.expect(False)
    path.write_bytes(data + b"\0")
    p.expect(False, "not as long")
    path.write_bytes(data)
    p.expect(True)


def lie(data, most=1):
    """Another value in that many slots."""
    table, count = struct.unpack_from("<2I", data, 64 + 8 * 4)
    for i in range(min(count, most)):
        data[table + 12 * i + 4] ^= 16
    return data


def write_with_checksum(path, data):
    dump = {}
    text = (ROOT / "tools/dump-binding").read_text().replace("\nmain()\n", "\n")
    exec(compile(text, "dump-binding", "exec"), dump)
    rest = dump["Binding"](bytes(data)).rest
    struct.pack_into("<Q", data, 200, dump["checksum"](bytes(data[rest:])))
    struct.pack_into("<Q", data, 24, dump["checksum"](bytes(data[32:rest])))
    path.write_bytes(data)


@test
def a_file_that_lies(p):
    """--verify-binding looks at each slot; the checksum is for accidents."""
    path = p.bind()
    write_with_checksum(path, lie(bytearray(path.read_bytes())))
    done = p.run(p.loader, "--verify-binding", p.folder / "program")
    if done.returncode != 1 or "1 differences" not in done.stdout or "slot 0x" not in done.stdout:
        raise Failure(f"{done.returncode}: {done.stdout}{done.stderr}")


@test
def what_the_tools_say(p):
    path = p.bind()
    import json
    told = json.loads(subprocess.run([ROOT / "tools/dump-binding", "--symbols", path], text=True,
                                     capture_output=True, check=True).stdout)
    if not told["whole"] or len(told["modules"]) != 5:
        raise Failure(f"{told['modules']}")
    ends = {s["symbol"] for s in told["slots"] if s["module"] == 0}
    if not {"one", "two"} <= ends:
        raise Failure(f"{ends}")
    for table in ("slots", "placements", "areas"):
        path = p.bind("--image")
        told = json.loads(subprocess.run([ROOT / "tools/dump-binding", path], text=True, capture_output=True,
                                         check=True).stdout)
        lines = subprocess.run([ROOT / "tools/dump-binding", "--csv", table, path], text=True,
                               capture_output=True, check=True).stdout.splitlines()
        if len(lines) < 2 or len(lines) != 1 + len(told[table]):
            raise Failure(f"{table}: {len(lines)} lines")


@test
def automatic_files(p):
    env = {"MYLD_BINDING": f"auto:{p.files}"}
    told = [p.start(env=env) for _ in range(2)]
    if told[0] != ("1 11 5\n", ["written"]) or not told[1][1][0].startswith("used for"):
        raise Failure(f"{told}")
    time.sleep(0.03)
    os.utime(p.folder / "second/libone.so")
    time.sleep(0.03)
    told = [p.start(env=env)[1][0] for _ in range(3)]  # given up, written, used
    if "has changed" not in told[0] or told[1] != "written" or not told[2].startswith("used for"):
        raise Failure(f"{told}")


@test
def just_changed(p):
    """What changes in the tick of the clock in which it was looked at would not show."""
    env = {"MYLD_BINDING": f"auto:{p.files}"}
    os.utime(p.folder / "second/libone.so")
    told = p.start(env=env)[1]
    if "just changed" not in told[0]:
        raise Failure(f"{told}")


@test
def the_users_own_directory(p):
    env = {"MYLD_BINDING": "auto", "HOME": str(p.folder / "home")}
    (p.folder / "home").mkdir()
    p.start(env=env)
    if not list((p.folder / "home/.cache/myld").iterdir()):
        raise Failure("nothing was written")
    p.expect(True, env={**env, "MYLD_BINDING": "use"})
    p.expect(True, env={"MYLD_BINDING": "use", "XDG_CACHE_HOME": str(p.folder / "home/.cache")})
    if (p.folder / "home/.cache/myld").stat().st_mode & 0o22:
        raise Failure("others can write to the directory")


@test
def writers_at_the_same_time(p):
    env = {"MYLD_BINDING": f"auto:{p.files}"}
    for _ in range(4):
        for path in p.files.iterdir():
            path.unlink()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            outputs = list(pool.map(lambda _: p.start(env=env)[0], range(16)))
        if set(outputs) != {"1 11 5\n"}:
            raise Failure(f"{set(outputs)}")
        if len(list(p.files.iterdir())) != 1:
            raise Failure(f"left: {list(p.files.iterdir())}")
        if p.run(p.loader, "--verify-binding", p.folder / "program").returncode:
            raise Failure("what they wrote is not right")


@test
def writers_that_are_killed(p):
    whole = 0
    for i in range(30):
        options = ["--image"] * (i % 2)
        process = subprocess.Popen([p.loader, "--bind", *options, p.folder / "program"], env=p.env,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.05 + i * 0.0008)  # it waits so long before it begins
        process.send_signal(signal.SIGKILL)
        process.wait()
        found, told = p.start()
        whole += any(t.startswith("used for") for t in told)
        if found != "1 11 5\n" or any("not used" in t for t in told):
            raise Failure(f"{found} {told}")
        for path in p.files.iterdir():
            if path.suffix != ".new":
                path.unlink()
    leftovers = list(p.files.iterdir())
    if len(leftovers) > 2:  # of the file, and of its image
        raise Failure(f"left: {leftovers}")
    # What a dead writer left is in the way for a minute, and then no longer.
    for each in leftovers:
        each.unlink()
    path = p.bind()
    path.unlink()
    temporary = path.with_name(path.name + ".new")
    temporary.write_bytes(b"half")
    if p.run(p.loader, "--bind", p.folder / "program").returncode != 1:
        raise Failure("two writers of one file")
    p.expect(False)
    os.utime(temporary, (time.time() - 120, time.time() - 120))
    p.bind()
    if temporary.exists():
        raise Failure("what was left is still there")
    p.expect(True)


@test
def a_crash_at_every_step_of_writing(p):
    """The writer is killed on its way into each system call from the one that makes the file on."""
    if shutil.which("strace") is None:
        raise twins.Skip("no strace")
    for name, command, env in [
            ("--bind", [p.loader, "--bind", p.folder / "program"], {}),
            ("--image", [p.loader, "--bind", "--image", p.folder / "program"], {}),
            ("automatic", [p.folder / "program"], {"MYLD_BINDING": f"auto:{p.files}"})]:
        for path in p.files.iterdir():
            path.unlink()
        log = p.folder / "log"
        time.sleep(0.03)
        p.run("strace", "-o", log, *command, env=env)
        calls = re.findall(r"^(\w+)\((.*)", log.read_text(), re.M)
        begin = next(i for i, (_, rest) in enumerate(calls) if ".new\", O_WRONLY|O_CREAT" in rest)
        renamed = max(i for i, (call, _) in enumerate(calls) if call.startswith("rename"))
        seen = set()
        for i in range(begin, renamed + 2):
            call = calls[i][0]
            number = sum(each == call for each, _ in calls[:i + 1])
            for path in p.files.iterdir():
                path.unlink()
            time.sleep(0.03)
            done = p.run("strace", "-o", "/dev/null", "-e", f"trace={call}", "-e",
                         f"inject={call}:signal=KILL:when={number}", *command, env=env)
            if done.returncode != -signal.SIGKILL:
                raise Failure(f"{name}: not killed by call {i}, {call} {number}: {done}")
            left = sorted(path.name for path in p.files.iterdir())
            seen.add(tuple(left))
            found, told = p.start()
            used = any(t.startswith("used for") for t in told)
            whole = any(not each.endswith((".new", ".image")) for each in left)
            if found != "1 11 5\n" or any("not used" in t for t in told) or used != whole:
                raise Failure(f"{name}: after call {i}, {call}: {left} {told}")
            if used and (IMAGE in told[-1]) != (name == "--image"):
                raise Failure(f"{name}: {told}")
        ends = {each.rsplit(".", 1)[-1] for left in seen for each in left}
        if () not in seen or "new" not in ends or ("image" in ends) != (name == "--image"):
            raise Failure(f"{name}: what is left is never another thing: {seen}")


@test
def a_full_disk(p):
    as_root(p)
    mount = f"mount -t tmpfs -o size=4k,mode=755 tmpfs {p.files}; head -c 4096 /dev/zero > {p.files}/full"
    listing = f"; ls -A {p.files}"
    done = p.run("sh", "-c", f"{p.loader} --bind {p.folder}/program; echo status $?{listing}",
                 wrapper=in_namespace(mount))
    if done.stdout != "status 1\nfull\n" or "No space left" not in done.stderr:
        raise Failure(f"{done.stdout}{done.stderr}")
    done = p.run("sh", "-c", f"{p.folder}/program{listing}", wrapper=in_namespace(mount),
                 env={"MYLD_BINDING": f"auto:{p.files}"})
    if done.stdout != "1 11 5\nfull\n" or done.stderr:
        raise Failure(f"{done.stdout}{done.stderr}")
    # Full when half of it is written.
    if len(p.bind(program="/bin/bash").read_bytes()) <= 4096:
        raise Failure("the file has one page")
    for options, pages in [("", 1), ("--image", 100)]:  # of megabytes
        mount = f"mount -t tmpfs -o size={pages * 4}k,mode=755 tmpfs {p.files}"
        done = p.run("sh", "-c", f"{p.loader} --bind {options} /bin/bash; echo status $?{listing}",
                     wrapper=in_namespace(mount))
        if done.stdout != "status 1\n" or "No space left" not in done.stderr:
            raise Failure(f"{options}: {done.stdout}{done.stderr}")


@test
def a_place_that_cannot_be_written(p):
    done = p.run(p.loader, "--bind", p.folder / "program", env={"MYLD_BINDING": "/proc/nowhere"})
    if done.returncode != 1 or "cannot write file" not in done.stderr:
        raise Failure(f"{done.returncode}: {done.stderr}")
    p.expect(False, env={"MYLD_BINDING": "auto:/proc/nowhere"})


@test
def programs_that_cannot_be_bound(p):
    done = p.run(p.loader, "--bind", p.folder / "nothing")
    if done.returncode != 127:
        raise Failure(f"{done.returncode}: {done.stderr}")
    p.library("second/libtwo.so", "int three;")
    time.sleep(0.03)
    done = p.run(p.loader, "--bind", p.folder / "program", env={"LD_BIND_NOW": "1"})
    if done.returncode != 1 or "undefined symbol: two" not in done.stderr:
        raise Failure(f"{done.returncode}: {done.stderr}")
    if list(p.files.iterdir()):
        raise Failure("a file was written")



@test
def an_image(p):
    p.bind("--image")
    if p.expect(True, IMAGE) != "1 11 5\n":
        raise Failure("wrong output")
    if p.run(p.loader, "--verify-binding", p.folder / "program").returncode:
        raise Failure(f"--verify-binding finds differences")
    p.bind()
    if list(p.files.glob("*.image")):
        raise Failure("--bind without --image leaves an image")
    if IMAGE in str(p.start()[1]):
        raise Failure("an image that was not asked for")


@test
def images_are_at_random_places(p):
    places = set()
    for _ in range(8):
        data = p.bind("--image").read_bytes()
        places.add(struct.unpack_from("<Q", data, 136)[0])
        p.expect(True, IMAGE)
    if len(places) < 7:
        raise Failure(f"{places}")


@test
def an_image_that_has_changed(p):
    path = p.bind("--image")
    image = path.with_name(path.name + ".image")
    data = image.read_bytes()
    p.expect(True, IMAGE)
    os.utime(image)
    p.expect(True, "image has changed")
    for change in [lambda: image.write_bytes(data[:-1] + b"x"), image.unlink, lambda: image.unlink() or image.symlink_to("x"),
                   lambda: image.unlink() or image.write_bytes(data)]:
        p.bind("--image")
        p.expect(True, IMAGE)
        change()
        p.expect(True, "image has changed")
    p.bind("--image")
    os.chmod(image, 0o666)
    p.expect(True, "image has changed")


@test
def an_image_and_a_library_that_has_changed(p):
    """What is mapped from the image by then goes back to the library's own pages."""
    for flags in [[], ["-Wl,-z,pack-relative-relocs"]]:
        text = "static int value = %d; static int *at[64] = {&value, &value};"
        p.compile(text % 1 + "int one(void) { return *at[1]; } int shared = 5;", "second/libone.so", "-shared", "-fPIC",
                  "-Wl,-soname,libone.so", *flags)
        p.compile(text % 10 + "int one(void); int two(void) { return one() + *at[0]; }", "second/libtwo.so", "-shared",
                  "-fPIC", "-Wl,-soname,libtwo.so", "second/libone.so", "-Wl,-rpath,$ORIGIN", *flags)
        for library in ("one", "two"):
            p.bind("--image")
            if p.expect(True, IMAGE) != "1 11 5\n":
                raise Failure("wrong output with an image")
            os.utime(p.folder / f"second/lib{library}.so")
            if p.expect(False, "has changed") != "1 11 5\n":
                raise Failure("wrong output")


@test
def an_image_whose_place_is_taken(p):
    p.compile(PROGRAM, "program", "-no-pie", "second/libone.so", "second/libtwo.so", "-Wl,-rpath,$ORIGIN/second",
              f"-Wl,--dynamic-linker={p.loader}")
    path = p.bind("--image")
    if p.expect(True, IMAGE) != "1 11 5\n":
        raise Failure("wrong output")
    data = bytearray(path.read_bytes())
    start, = struct.unpack_from("<Q", data, 136)
    table, count = struct.unpack_from("<2I", data, 64 + 8 * 5)
    struct.pack_into("<Q", data, 136, 0x400000)
    for i in range(count):
        bias, = struct.unpack_from("<Q", data, table + 40 * i + 16)
        struct.pack_into("<Q", data, table + 40 * i + 16, bias - start + 0x400000)
    write_with_checksum(path, data)
    if p.expect(True, "place is taken") != "1 11 5\n":
        raise Failure("wrong output")


SHOW = """
#define _GNU_SOURCE
#include <link.h>
#include <stdio.h>
#include <string.h>
static unsigned long from[999], to[999]; static char prot[999][5]; static int count;
static int show(struct dl_phdr_info* i, size_t size, void* context) {
  (void)size; (void)context;
  const char* name = strrchr(i->dlpi_name, '/');
  if (name == 0 || (strcmp(name, "/libparts.so") && strcmp(name, "/libc.so.6"))) return 0;
  unsigned long end = 0;
  for (int p = 0; p < i->dlpi_phnum; p++)
    if (i->dlpi_phdr[p].p_type == PT_LOAD) end = i->dlpi_phdr[p].p_vaddr + i->dlpi_phdr[p].p_memsz;
  const char* before = "";
  for (unsigned long at = 0; at < end; at += 4096) {
    const char* now = "none";
    for (int k = 0; k < count; k++)
      if (i->dlpi_addr + at - from[k] < to[k] - from[k]) now = prot[k];
    if (strcmp(now, before)) printf("%s %#lx %s\\n", name, at, now);
    before = now;
  }
  return 0;
}
static void read_maps(void) {
  FILE* f = fopen("/proc/self/maps", "r");
  char line[9999];
  for (count = 0; fgets(line, sizeof line, f); count += strncmp(prot[count], "---", 3) != 0)
    sscanf(line, "%lx-%lx %4s", &from[count], &to[count], prot[count]);
  fclose(f);
}
int bss_first(void); int tls(void); int through(void); const char* words(void);
int called_back(void) { return 7; }
int main(void) {
  read_maps();
  dl_iterate_phdr(show, 0);
  printf("%d %d %d %s\\n", bss_first(), tls(), through(), words());
  return 0;
}
"""
PARTS = """
#include <stdio.h>
int called_back(void);
extern FILE* stdout;
int (*const relro)(void) = called_back;   /* leads into the program */
FILE** const relro_too = &stdout;
static int on(void) { return 3; }
static int (*choose(void))(void) { return on; }
int chosen(void) __attribute__((ifunc("choose")));
static __thread int own = 5;
#ifdef BSS
static char bss[BSS];
int bss_first(void) { int n = bss[0] + bss[BSS - 1]; bss[0] = 1; bss[BSS - 1] = 2; return n + bss[0] + bss[BSS - 1]; }
#endif
int tls(void) { own += 1; return own; }
int through(void) { return relro() + chosen() + (*relro_too == stdout); }
static const char* const text[] = {"a", "b"};
const char* words(void) { return text[relro_too != 0]; }
"""


def show(p, name, *flags):
    p.compile(PARTS, "second/libparts.so", "-shared", "-fPIC", "-Wl,-soname,libparts.so", *flags)
    p.compile(SHOW, "program", "second/libparts.so", "-Wl,-rpath,$ORIGIN/second", "-rdynamic",
              f"-Wl,--dynamic-linker={p.loader}")
    p.bind("--image")
    shown = p.expect(True, IMAGE)
    if not shown.endswith("3 6 11 b\n") or "/libparts.so" not in shown or "/libc.so.6" not in shown:
        raise Failure(f"{name}: {shown}")


@test
def an_image_leaves_the_same_memory(p):
    """Every page of every library has the protection that it has without one, which expect() compares."""
    for name, *flags in [("small bss", "-DBSS=9000"), ("large bss", "-DBSS=900000"),
                         ("no RELRO", "-DBSS=9000", "-Wl,-z,norelro"), ("all RELRO", "-DBSS=100", "-Wl,-z,now"),
                         ("holes", "-DBSS=5000", "-Wl,-z,max-page-size=0x200000"),
                         ("one text", "-DBSS=5000", "-Wl,-z,noseparate-code"),
                         ("RELR", "-DBSS=5000", "-Wl,-z,pack-relative-relocs")]:
        show(p, name, *flags)


@test
def an_image_is_all_that_is_mapped(p):
    """One stat for each library and no open; nothing is ever writable and executable."""
    if shutil.which("strace") is None:
        raise twins.Skip("no strace")
    show(p, "", "-DBSS=9000")
    log = p.folder / "log"
    p.run("strace", "-o", log, p.folder / "program")
    calls = log.read_text()
    for library in ("libparts.so", "libc.so.6"):
        named = [call for call in re.findall(rf"^(\w+)\(.*{re.escape(library)}\".* = 0$", calls, re.M)]
        if named not in (["newfstatat"], ["statx"], ["stat"]):  # where it is, by its path
            raise Failure(f"{library}: {named}")
    both = [line for line in calls.splitlines() if "PROT_WRITE|PROT_EXEC" in line]
    if both or "MAP_FIXED_NOREPLACE" not in calls:
        raise Failure(f"{both}")


@test
def a_library_that_has_no_place_in_the_image(p):
    """Text relocations are left to the start. When it changes, what lies in the image goes back to the files."""
    p.compile("asm(\".globl one\\none: movabs $shared, %rax; movl (%rax), %eax; sub $4, %eax; ret; .type one,@function\"); "
              "int shared = 5;", "second/libone.so", "-shared", "-fPIC", "-Wl,-soname,libone.so", "-Wl,-z,notext")
    p.bind("--image")
    if p.expect(True, IMAGE) != "1 11 5\n":
        raise Failure("wrong output")
    os.utime(p.folder / "second/libone.so")
    if p.expect(False, "this has changed: .*libone") != "1 11 5\n":
        raise Failure("wrong output")


@test
def an_image_where_nothing_may_be_executed(p):
    as_root(p)
    mount = f"mount -t tmpfs -o mode=755 tmpfs {p.files}"
    bind = f"{p.loader} --bind --image {p.folder}/program; echo status $?; ls -A {p.files}"
    done = p.run("sh", "-c", f"mount -o remount,noexec {p.files}; {bind}", wrapper=in_namespace(mount))
    if done.stdout != "status 1\n" or "noexec" not in done.stderr:
        raise Failure(f"{done.stdout}{done.stderr}")
    done = p.run("sh", "-c", f"{bind}; mount -o remount,noexec {p.files}; LD_DEBUG=files {p.folder}/program",
                 wrapper=in_namespace(mount))
    if "1 11 5" not in done.stdout or "may be executed" not in done.stderr or "; used for" not in done.stderr:
        raise Failure(f"{done.stdout}{done.stderr}")


@test
def slots_that_an_image_makes_superfluous(p):
    """They are no start's that has the image, and have a checksum of their own."""
    path = p.bind("--image")
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    if p.expect(True, IMAGE) != "1 11 5\n":
        raise Failure("wrong output")
    done = p.run(p.loader, "--verify-binding", p.folder / "program")
    if done.returncode != 1 or "checksum" not in done.stdout:
        raise Failure(f"{done.returncode}: {done.stdout}{done.stderr}")
    path.with_name(path.name + ".image").unlink()
    if p.expect(False, "its checksum is another") != "1 11 5\n":
        raise Failure("wrong output")


@test
def an_image_that_lies(p):
    """What is in it is not read at a start, but by --verify-binding."""
    path = p.bind("--image")
    image = path.with_name(path.name + ".image")
    content = bytearray(image.read_bytes())
    content[5000] ^= 1
    image.write_bytes(content)
    done = p.run(p.loader, "--verify-binding", p.folder / "program")
    if done.returncode != 1 or "image:" not in done.stdout:
        raise Failure(f"{done.returncode}: {done.stdout}{done.stderr}")
    s, data = image.stat(), bytearray(path.read_bytes())
    struct.pack_into("<2Q3q2I", data, 152, s.st_dev, s.st_ino, s.st_size, s.st_mtime_ns // 10**9, s.st_ctime_ns // 10**9,
                     s.st_mtime_ns % 10**9, s.st_ctime_ns % 10**9)
    write_with_checksum(path, data)
    p.expect(True, IMAGE)
    done = p.run(p.loader, "--verify-binding", p.folder / "program")
    if done.returncode != 1 or "image: 1 pages" not in done.stdout:
        raise Failure(f"{done.returncode}: {done.stdout}{done.stderr}")


@test
def writers_of_images_at_the_same_time(p):
    """The last one's image may be another one's file's: then it is not used. What is there is never half."""
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        writers = [pool.submit(p.run, p.loader, "--bind", "--image", p.folder / "program") for _ in range(12)]
        outputs = {p.start()[0] for _ in range(20)}
        codes = {w.result().returncode for w in writers}
    if outputs != {"1 11 5\n"} or not codes <= {0, 1}:
        raise Failure(f"{outputs} {codes}")
    p.bind("--image")
    p.expect(True, IMAGE)
    if sorted(path.suffix == ".image" for path in p.files.iterdir()) != [False, True]:
        raise Failure(f"left: {list(p.files.iterdir())}")


@test
def a_debugger_and_an_image(p):
    """It finds the libraries by the list that the loader keeps, not by what is mapped."""
    if shutil.which("gdb") is None:
        raise twins.Skip("no gdb")
    p.compile(TWO % 10, "second/libtwo.so", "-shared", "-fPIC", "-g", "-Wl,-soname,libtwo.so", "second/libone.so",
              "-Wl,-rpath,$ORIGIN")
    p.bind("--image")
    done = p.run("gdb", "-nx", "-batch", "-ex", "set breakpoint pending on", "-ex", "set debuginfod enabled off",
                 "-ex", "break two", "-ex", "run", "-ex", "backtrace", "-ex", "info sharedlibrary",
                 "-ex", "info proc mappings", "-ex", "finish", p.folder / "program")
    told = done.stdout + done.stderr
    if not re.search(r"#0 +two \(\) at .*#1 .*main", told, re.S) or "Value returned is $1 = 11" not in told:
        raise Failure(told[-3000:])
    if ".image" not in told or not re.search(r"^0x\S+ +0x\S+ +Yes.*/second/libtwo.so", told, re.M):
        raise Failure(told[-3000:])


def main():
    options = twins.common_arguments("Binding files: when they are used.").parse_args()
    sys.exit(twins.run_all([(function.__name__.replace("_", " "), function) for function in tests],
                           lambda function, folder: function(Place(folder / "work", options.loader)), options))


main()
