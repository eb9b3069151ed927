"""Calls of <dlfcn.h> in a running program: dlfcn.cpp, and the libraries that it opens."""
import sys
from pathlib import Path

from . import closure, common, programs
from .common import CC, CXX, HERE, MACHINE, WORK, Loader, Results

GROUPS = ("open", "symbol", "address", "thread", "lazy", "tls", "throw")
LAZY_FUNCTIONS = 4000
HOPS = 16
GENERAL = {"x86_64": ["-mtls-dialect=gnu"], "aarch64": ["-mtls-dialect=trad"], "riscv64": []}[MACHINE]
DESCRIPTOR = {"x86_64": ["-mtls-dialect=gnu2"], "aarch64": ["-mtls-dialect=desc"], "riscv64": None}[MACHINE]
# 1000 libraries that refer to nobody but themselves, and one that needs a hundred others.
MANY = closure.Shape(libraries=1000, functions=20, references=5, own=1.0, relative=20, edges=0, fan_out=0, app=False)
HUNDRED = closure.Shape(libraries=100, functions=50, references=50, relative=40, app=False)


def tls_source(function: str, large: bool) -> str:
    kind, field = ("struct { int words[4096]; }", ".words[77]") if large else ("int", "")
    return f"""
__attribute__((visibility("default"))) __thread volatile {kind} {function}_variable;
__attribute__((noinline)) static void touch(void) {{ {function}_variable{field}++; }}
int {function}(long n) {{
  for (long i = 0; i < n; i++) {{ touch(); __asm__ volatile("" ::: "memory"); }}
  return {function}_variable{field};
}}
"""


def throw_source(hop: int) -> str:
    """A function that throws, or calls the next library's with something to destroy on the way back."""
    further = f"if (n > 1) {{ Guard guard; return hop{hop + 1}(n - 1) + 1; }}" if hop + 1 < HOPS else ""
    return (f"struct Guard {{ ~Guard() {{ __asm__ volatile(\"\"); }} }};\n"
            f"extern \"C\" int hop{hop + 1}(int);\nextern \"C\" int hop{hop}(int n) {{ {further} throw 42; }}\n" +
            ("extern \"C\" int throw_through(int hops, long n) {\n  int sum = 0;\n"
             "  for (long i = 0; i < n; i++) { try { sum += hop0(hops); } catch (int v) { sum += v; } }\n"
             "  return sum;\n}\n" if hop == 0 else ""))


def make(folder: Path) -> None:
    def library(name: str, source: str, *flags: str, language: str = "c") -> None:
        compiler = CXX if language == "c++" else CC
        common.run_tool([compiler, "-O2", "-fPIC", "-shared", "-x", language, "-", "-x", "none", "-o", name,
                         f"-Wl,-soname,{name}", "-Wl,-rpath,$ORIGIN", "-Wl,--no-as-needed", *flags], folder, source)

    for i in range(3):
        library(f"libsmall{i}.so", f"int small{i}(void) {{ return {i}; }}\n")
    functions = [f"function_that_is_called_for_the_first_time_{i}" for i in range(LAZY_FUNCTIONS)]
    library("libcalled.so", "".join(f"int {f}(void) {{ return 1; }}\n" for f in functions))
    library("liblazy.so", "".join(f"int {f}(void);\n" for f in functions) + f"int call_count = {LAZY_FUNCTIONS};\n"
            "int call_each(void) {\n  int n = 0;\n" + "".join(f"  n += {f}();\n" for f in functions) + "  return n;\n}\n",
            "-fplt", "-Wl,-z,lazy", "./libcalled.so")
    library("libstart_ie.so", tls_source("start_ie", False), "-ftls-model=initial-exec")
    library("libstart_gd.so", tls_source("start_gd", False), *GENERAL)
    library("libtls_gd.so", tls_source("opened_gd", False), *GENERAL)
    library("libtls_gd_large.so", tls_source("large_gd", True), *GENERAL)
    needed = ["./libstart_ie.so", "./libstart_gd.so"]
    if DESCRIPTOR is not None:
        library("libstart_desc.so", tls_source("start_desc", False), *DESCRIPTOR)
        library("libtls_desc.so", tls_source("opened_desc", False), *DESCRIPTOR)
        library("libtls_desc_large.so", tls_source("large_desc", True), *DESCRIPTOR)
        needed.append("./libstart_desc.so")
    for hop in range(HOPS - 1, -1, -1):
        further = [f"./libthrow{hop + 1}.so"] if hop + 1 < HOPS else []
        library(f"libthrow{hop}.so", throw_source(hop), *further, language="c++")
    (folder / "many").unlink(missing_ok=True)
    (folder / "many").symlink_to(closure.closure("many", MANY))
    hundred = closure.closure("hundred", HUNDRED)
    common.run_tool([CC, "-shared", "-x", "c", "-", "-x", "none", "-o", "libroot.so", "-Wl,-soname,libroot.so",
                     "-Wl,-rpath,$ORIGIN", "-Wl,--no-as-needed",
                     *(f"./{closure.library_name(i)}" for i in range(1, 101))], hundred, "int root;\n")
    (folder / "hundred").unlink(missing_ok=True)
    (folder / "hundred").symlink_to(hundred)
    common.run_tool([CXX, "-std=c++17", "-O2", "-Wall", "-o", "dlfcn", str(HERE / "dlfcn.cpp"), "-Wl,--no-as-needed",
                     *needed, "-Wl,-rpath,$ORIGIN", "-Wl,-z,now", "-pthread", "-ldl",
                     *([] if DESCRIPTOR is not None else ["-Wl,--defsym=start_desc=start_gd"])], folder)


def prepare() -> Path:
    recipe = [(HERE / name).read_text() for name in ("dlfcn.cpp", "closure.py")]
    return common.made(WORK / "dlfcn", recipe, make)


def measure(loaders: list[Loader], groups: list[str], rounds: int) -> list[Results]:
    folder = prepare()
    results = []
    for group in groups:
        samples: dict[str, dict[str, list[float]]] = {}
        for number in range(rounds):
            for i in range(len(loaders)):
                loader = loaders[(i + number) % len(loaders)]
                command = [loader.path, str(folder / "dlfcn"), str(folder), group]
                for line in programs.output_of(command, loader).splitlines():
                    name, _, value = line.rpartition(" ")
                    samples.setdefault(name, {}).setdefault(loader.name, []).append(float(value))
            print(f"# {group}: round {number + 1} of {rounds}", file=sys.stderr)
        table = Results(f"calls: {group}", "ns", loaders)
        for name, each in samples.items():
            table.add(name, each)
        results.append(table)
    return results
