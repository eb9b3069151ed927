#!/usr/bin/python3
"""Builds the small programs of tests/programs/ and runs each under the system's loader and under myld.

A case is a folder with sources and a case.toml:

    about = "one sentence: the behaviour"
    statements = [7, 8]             # numbers of the statements of docs/dlfcn.md that it proves
    requirements = [21, 22]         # numbers of the requirements of docs/requirements.md that it proves
    arch = ["x86_64"]               # default: every ISA, or else
    only = "reason"                 # why not on the others
    cpu = ["avx2"]                  # flags of /proc/cpuinfo that the case needs
    needs = ["gdb"]                 # programs of this machine that the case starts; skipped without them
    legs = ["direct"]               # only these, where patchelf spoils the program
    shows_environment = true        # it prints all of it, and so what --bindings adds
    needs_random_places = true      # it compares the addresses of several runs
    executes = true                 # it starts programs itself, which an emulator cannot follow
    normalise = ["addresses"]       # what may differ between runs
    matrix = {ldflags = [["-Wl,-z,lazy"], ["-Wl,-z,now"]], hash = ["sysv", "gnu"], linker = ["bfd"]}
    [[build]]                       # in order; everything is built in a folder outside the sources
    out = "libfoo.so"
    src = ["foo.c"]                 # .c is C, else C++
    flags = ["-shared", "-fPIC"]
    libs = ["libbar.so"]            # earlier outs, linked with -rpath $ORIGIN
    rpath = "none"                  # or another DT_RUNPATH
    cxx = "clang++"                 # or cc = "clang"
    linker = "lld"                  # bfd, gold, lld, mold
    arch = "x86_64"                 # this step only for that ISA
    command = ["objcopy", "..."]    # instead of all of that: run this in the folder
    [[run]]
    program = "prog"                # default: the first out that is not a library
    args = ["a"]
    env = {LD_BIND_NOW = "1"}       # added to a small fixed environment
    stdin = ""
    argv0 = "name"
    options = ["--library-path", "a"]       # the loader's own: ld.so is started directly too, no interp
    timeout = 20
    expect = {stdout = "...", status = 0}   # what must be seen under the reference too
    differs = "reason"              # a documented difference: expect is myld's, expect_ldso ld.so's;
                                    # without expect_ldso ld.so is not run, since its result varies

`$WORK` in args, env, flags and commands is that folder. In src, flags and commands `$SOURCE` is the case's
own, `$ARCH` the ISA, and `$LDSO` the name by which libc needs its loader. Without an expectation the reference must exit with 0,
print something, and print nothing to stderr. Each element of the matrix's product is a test of its own.

With --release NAME what is built here runs with the libraries and the loader of another Debian release.
"""
import itertools
import pathlib
import shutil
import sys
import time
import tomllib

import machines
import sysroots
import twins
from twins import ROOT, Failure, Skip

# Linkers that do not link for an ISA: gold never learned riscv64.
UNABLE = {"riscv64": ("gold",)}
# Where another version than the system's usual one is needed: lld learned in 15 the relaxation that every object of a
# riscv64 libc asks for.
PROGRAMS = {("riscv64", "lld"): "ld.lld-16"}
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": "/nonexistent"}
# Debian packages of what the programs need to run.
LIBRARIES = ["coreutils", "libstdc++6", "libgcc-s1", "libasan8", "liblsan0", "libtsan2", "libubsan1"]
CASE_KEYS = {"about", "legs", "executes", "shows_environment", "needs_random_places", "statements", "requirements", "arch", "only", "cpu", "needs", "normalise",
             "matrix", "build", "run"}
BUILD_KEYS = {"out", "src", "flags", "libs", "rpath", "cc", "cxx", "linker", "arch", "command"}
RUN_KEYS = {"program", "options", "args", "env", "stdin", "argv0", "timeout", "expect", "differs", "expect_ldso",
            "arch"}


def read_cases(folder):
    """(name, case) for each case.toml below `folder`, and each element of its matrix."""
    for file in sorted(folder.glob("*/case.toml")):
        case = tomllib.loads(file.read_text())
        for keys, known in [(case, CASE_KEYS), *((b, BUILD_KEYS) for b in case["build"]),
                            *((r, RUN_KEYS) for r in case["run"])]:
            if set(keys) - known:
                raise SystemExit(f"{file}: unknown keys {set(keys) - known}")
        if ("arch" in case) != ("only" in case):
            raise SystemExit(f"{file}: `arch` and `only`, the reason, go together")
        case["folder"] = file.parent
        matrix = case.get("matrix", {})
        axes = [[(axis, value) for value in values] for axis, values in matrix.items()]
        for choice in itertools.product(*axes):
            words = [v if isinstance(v, str) else " ".join(v) for _, v in choice]
            name = file.parent.name + (f" [{', '.join(words)}]" if words else "")
            yield name, {**case, "choice": dict(choice)}


def build(step, case, options, folder):
    """Runs one [[build]] step in `folder`."""
    def expand(words):
        return [word.replace("$WORK", str(folder)).replace("$SOURCE", str(case["folder"]))
                .replace("$ARCH", options.arch)
                .replace("$LDSO", pathlib.Path(twins.LDSO[options.arch]).name) for word in words]
    if "command" in step:
        twins.tool(expand(step["command"]), folder)
        return
    choice = case["choice"]
    is_c = all(src.endswith((".c", ".S")) for src in step["src"])
    compiler = step.get("cc", options.cc) if is_c else step.get("cxx", options.cxx)
    linker = step.get("linker", choice.get("linker"))
    linker_program = shutil.which(PROGRAMS.get((options.arch, linker), f"ld.{linker}"))
    if linker and (linker_program is None or linker in UNABLE.get(options.arch, ())):
        raise Skip(f"no ld.{linker} for {options.arch}")
    command = [compiler, "-O1", "-g", *(str(case["folder"] / src) for src in step["src"]),
               "-o", step["out"], *step.get("flags", []), *choice.get("ldflags", [])]
    if linker:
        command.append(f"-fuse-ld={linker}")
    if linker in ("lld", "mold"):  # one file for every ISA, which a cross compiler does not look for
        (folder / ".linker").mkdir(exist_ok=True)
        (folder / ".linker" / f"ld.{linker}").unlink(missing_ok=True)
        (folder / ".linker" / f"ld.{linker}").symlink_to(linker_program)
        command.append("-B.linker")
    if "hash" in choice:
        command.append(f"-Wl,--hash-style={choice['hash']}")
    command += ["-L.", *(f"-l:{pathlib.Path(lib).name}" for lib in step.get("libs", [])),
                *(f"-L{pathlib.Path(lib).parent}" for lib in step.get("libs", []))]
    rpath = step.get("rpath", "$ORIGIN" if step.get("libs") else "none")
    if rpath != "none":
        command.append(f"-Wl,-rpath,{rpath}")
    (folder / step["out"]).parent.mkdir(exist_ok=True)
    twins.tool(expand(command) + ["-Wl,-rpath-link,."], folder)


def command_of(leg, step, program, options):
    """The command line of a run, and the argv[0] that the program must see if that is another."""
    argv0 = step.get("argv0")
    program = "./" + program
    own = step.get("options", [])
    reference = options.reference_loader or (options.sysroot + twins.LDSO[options.arch] if own else None)
    loader = {"ldso": reference, "direct": str(options.machine.loader), "interp": None}[leg]
    if loader:
        name = ["--argv0", argv0] if argv0 else []
        return [*options.emulator, loader, *name, *own, program], None
    if options.emulator:
        return [*options.emulator, *(["-0", argv0] if argv0 else []), program], None
    return [program], argv0


def legs_of(case, options):
    legs = [leg for leg in twins.legs(options) if leg in case.get("legs", twins.legs(options))]
    if not legs:
        raise Skip("not in this way")
    return legs


def run_leg(leg, step, case, options, folder):
    def expand(text):
        return text.replace("$WORK", str(folder))
    program = step.get("program") or next(
        b["out"] for b in case["build"] if "out" in b and not b["out"].endswith(".so"))
    command, argv0 = command_of(leg, step, program, options)
    env = ENVIRONMENT | {name: expand(value) for name, value in step.get("env", {}).items()}
    timeout = step.get("timeout", 20) * (5 if options.emulator else 1)
    command += [expand(arg) for arg in step.get("args", [])]
    if options.bindings and loader_is_ours(leg):
        # Not in the folder of the program, which libraries may be looked for in.
        env["MYLD_BINDING"] = f"auto:{folder}.bindings"
        if options.bindings == "image" and not options.emulator:
            # What cannot be bound says so, and runs without.
            env["MYLD_BINDING"] = f"{folder}.bindings"
            (folder.parent / f"{folder.name}.bindings").mkdir(mode=0o755, exist_ok=True)
            twins.run([str(options.loader), "--bind", "--image", *step.get("options", []), "./" + program], folder, env)
    command, env, argv0 = options.machine.command(command, env, argv0)
    outcome = twins.run(command, folder, env, step.get("stdin", ""), timeout, argv0)
    return outcome.normalised(case.get("normalise", []), folder)


def loader_is_ours(leg):
    return leg != "ldso"


def try_run(step, case, options, folders):
    expect = step.get("expect", {})
    wanted = {"status": 0, "stderr": ""} | expect
    # What is documented of ld.so is what Debian 12's does.
    if "differs" not in step or ("expect_ldso" in step and not options.other_release):
        reference_expect = step["expect_ldso"] if "differs" in step else expect
        reference = run_leg("ldso", step, case, options, folders["ldso"])
        reference.require({"status": 0, "stderr": ""} | reference_expect, "ld.so")
        if "stdout" not in reference_expect and not reference.stdout:
            raise Failure("ld.so: printed nothing, so nothing would be compared")
        if "differs" not in step:
            wanted = vars(reference)
    for leg in legs_of(case, options):
        if leg == "interp" and "options" in step:
            continue
        # With binding files: a start that writes one, and one that uses it.
        for start in ["", " with a binding file"] if options.bindings == "file" else [""]:
            outcome = run_leg(leg, step, case, options, folders[leg])
            outcome.require(wanted, leg + start)


def is_for(options, part):
    """Whether a case, step or run is for the ISA of this run."""
    return options.arch in (part.get("arch") or [options.arch])


def build_case(case, folder, options):
    """Builds the case below `folder`; returns the folder of each leg."""
    if not is_for(options, case):
        raise Skip(f"{', '.join(case['arch'])} only: {case['only']}")
    if case.get("shows_environment") and options.bindings:
        raise Skip("it prints MYLD_BINDING")
    if case.get("needs_random_places") and options.bindings == "image":
        raise Skip("an image keeps its place")
    if case.get("executes") and options.emulator:
        raise Skip("it starts programs itself")
    for tool in case.get("needs", []):
        if options.release:
            raise Skip(f"{tool} is this machine's, not the release's")
        if shutil.which(tool) is None:
            raise Skip(f"no {tool} here")
    for flag in case.get("cpu", []):
        if not twins.has_cpu(flag):
            raise Skip(f"this machine has no {flag}")
    folders = {"ldso": folder / "built", "direct": folder / "built", "interp": folder / "interp"}
    folders["ldso"].mkdir()
    for step in case["build"]:
        if is_for(options, step):
            build(step, case, options, folders["ldso"])
    if options.bindings:
        time.sleep(0.05)  # a file that has just changed is not bound to
    if "interp" in legs_of(case, options):
        shutil.copytree(folders["ldso"], folders["interp"], symlinks=True)
        programs = [f for f in folders["interp"].rglob("*") if f.is_file() and not f.is_symlink()
                    and twins.has_interpreter(f)]
        for program in programs:
            twins.set_interpreter(program, options.machine.loader)
        if not programs:
            raise Failure("no program was built")
        if options.bindings:
            time.sleep(0.05)
    return folders


def try_case(case, folder, options):
    folders = build_case(case, folder, options)
    for step in case["run"]:
        if is_for(options, step):
            try_run(step, case, options, folders)


def main():
    parser = twins.arguments("Small programs, under the system's loader and under myld.")
    parser.add_argument("--cc", default="cc")
    parser.add_argument("--cxx", default="c++")
    parser.add_argument("--programs", type=pathlib.Path, default=ROOT / "tests/programs")
    parser.add_argument("--bindings", choices=["file", "image"], nargs="?", const="file",
                        help="each program runs twice, and writes and uses a binding file; or is bound with an image")
    parser.add_argument("--release", help="another Debian release, by name or by its glibc (2.41)")
    parser.add_argument("--other-release", action="store_true",
                        help="what runs is not Debian 12's: do not require of ld.so what `expect_ldso` says (--release)")
    options = parser.parse_args()
    options.other_release |= options.release is not None
    options.loader = options.loader.resolve()
    options.machine = machines.Machine(options.loader)
    if options.release:
        root = sysroots.make(options.release, LIBRARIES)
        options.machine = machines.Release(root, options.loader, options.programs.resolve())
    sys.exit(twins.run_all(list(read_cases(options.programs.resolve())),
                           lambda case, folder: try_case(case, folder, options), options))


if __name__ == "__main__":
    main()
