"""Generates closures of libraries: programs whose start, and libraries whose opening, is nothing but a loader's work.

Each library exports functions that return a number of their own, refers to functions of itself and of the libraries
it needs (through the GOT, the PLT and words of data), holds words that move with it (as the tables of C++ classes do)
and a constructor. There is no libc in it, so any loader can start the program. `app check` calls every reference and
exits with 0 when each led to the function that it should.
"""
import concurrent.futures
import random
from dataclasses import asdict, dataclass
from pathlib import Path

from . import common


@dataclass(frozen=True)
class Shape:
    libraries: int
    functions: int = 200   # exported by each library
    references: int = 200  # to functions, of each library
    own: float = 0.4       # share of them that refers to the library itself
    relative: int = 200    # words that move with the library
    edges: int = 3         # libraries that each needs beside those below it in the tree
    fan_out: int = 8       # of the tree; 0: the program needs all of them itself
    lazy: bool = False
    app: bool = True


# LLNL's Pynamic as it is configured for benchmarks of machines: 495 modules and 215 libraries that they use.
PYNAMIC = Shape(libraries=710, functions=1850, references=1850, own=0.5, relative=0, fan_out=0)

# What differs between ISAs: a function; a call of one by either way and the test of what it returned; the frame.
TEMPLATES = {
    "x86_64": {
        "function": "mov ${id}, %eax; ret",
        "got": "mov {name}@GOTPCREL(%rip), %rax; call *%rax; cmp ${id}, %eax; jne 9f",
        "plt": "call {name}@PLT; cmp ${id}, %eax; jne 9f",
        "data": "mov .Ldata+{at}(%rip), %rax; call *%rax; cmp ${id}, %eax; jne 9f",
        "weak": "mov {name}@GOTPCREL(%rip), %rax",
        "next": "call {name}@PLT; test %eax, %eax; jne 9f",
        "enter": "sub $8, %rsp", "good": "xor %eax, %eax; add $8, %rsp; ret", "bad": "mov $1, %eax; add $8, %rsp; ret",
        "start": "mov (%rsp), %rdi; and $-16, %rsp; xor %eax, %eax; cmp $1, %rdi; jle 1f; call check_0; "
                 "1: mov %eax, %edi; mov $231, %eax; syscall",
    },
    "aarch64": {
        "function": "ldr w0, ={id}; ret",
        "got": "adrp x0, :got:{name}; ldr x0, [x0, :got_lo12:{name}]; blr x0; ldr w1, ={id}; cmp w0, w1; b.ne 9f",
        "plt": "bl {name}; ldr w1, ={id}; cmp w0, w1; b.ne 9f",
        "data": "adrp x0, .Ldata+{at}; add x0, x0, :lo12:.Ldata+{at}; ldr x0, [x0]; blr x0; ldr w1, ={id}; cmp w0, w1; b.ne 9f",
        "weak": "adrp x0, :got:{name}; ldr x0, [x0, :got_lo12:{name}]",
        "next": "bl {name}; cbnz w0, 9f",
        "enter": "stp x29, x30, [sp, #-16]!", "good": "mov w0, #0; ldp x29, x30, [sp], #16; ret",
        "bad": "mov w0, #1; ldp x29, x30, [sp], #16; ret",
        "start": "ldr x1, [sp]; mov w0, #0; cmp x1, #1; b.le 1f; bl check_0; 1: mov x8, #94; svc #0",
    },
    "riscv64": {
        "function": "li a0, {id}; ret",
        "got": "la a0, {name}; jalr a0; li t0, {id}; beq a0, t0, 1f; j 9f; 1:",
        "plt": "call {name}@plt; li t0, {id}; beq a0, t0, 1f; j 9f; 1:",
        "data": "lla a0, .Ldata+{at}; ld a0, 0(a0); jalr a0; li t0, {id}; beq a0, t0, 1f; j 9f; 1:",
        "weak": "la a0, {name}",
        "next": "call {name}@plt; beqz a0, 1f; j 9f; 1:",
        "enter": "addi sp, sp, -16; sd ra, 0(sp)", "good": "li a0, 0; ld ra, 0(sp); addi sp, sp, 16; ret",
        "bad": "li a0, 1; ld ra, 0(sp); addi sp, sp, 16; ret",
        "start": "ld a1, 0(sp); li a0, 0; li t0, 1; ble a1, t0, 1f; call check_0; 1: li a7, 94; ecall",
    },
}
# What the compiler's crtbeginS.o leaves undefined in every library.
OPTIONAL = ["__cxa_finalize", "__gmon_start__", "_ITM_registerTMCloneTable", "_ITM_deregisterTMCloneTable"]


def function_name(library: int, function: int) -> str:
    """As long as C++ makes names, and alike until late, as those of one class are."""
    return f"_ZN9component{library:04d}8Registry{function // 25:02d}12handle_event{function:04d}ERKNS_5EventE"


def number(library: int, function: int) -> int:
    return (library * 2048 + function + 1) & 0x7FFFFFFF


def library_name(library: int) -> str:
    return f"libcomponent{library:04d}.so"


def tree(shape: Shape) -> dict[int, list[int]]:
    """Below each library (0 is the program) the ones that its `check` calls."""
    every = range(1, shape.libraries + 1)
    if shape.fan_out == 0:
        return {0: list(every)} | {i: [] for i in every}
    return {i: [k for k in range(shape.fan_out * i + 1, shape.fan_out * (i + 1) + 1) if k <= shape.libraries]
            for i in range(shape.libraries + 1)}


def needed(shape: Shape) -> dict[int, list[int]]:
    generator = random.Random(20)
    below = tree(shape)
    result = {0: below[0]}
    for i in range(1, shape.libraries + 1):
        later = {generator.randint(i + 1, shape.libraries) for _ in range(shape.edges) if i < shape.libraries}
        result[i] = below[i] + sorted(later - set(below[i]))
    return result


def library_source(shape: Shape, i: int, needs: list[int], below: list[int]) -> str:
    text = TEMPLATES[common.MACHINE]
    generator = random.Random(1000 + i)
    out = ["\t.text"]

    def define(name: str, *body: str) -> None:
        out.append(f"\t.globl {name}\n\t.type {name}, %function\n\t.p2align 4\n{name}:")
        out.extend("\t" + line for line in body)
        out.append(f"\t.size {name}, . - {name}")

    for f in range(shape.functions):
        define(function_name(i, f), text["function"].format(id=number(i, f)))
    own_count = round(shape.references * shape.own) if needs else shape.references
    wanted = {(i, f) for f in generator.sample(range(shape.functions), min(own_count, shape.functions))}
    while needs and len(wanted) < shape.references and len(wanted) < shape.functions * len(needs):
        wanted.add((generator.choice(needs), generator.randrange(shape.functions)))
    check, words = [text["enter"]], []
    for target in sorted(wanted):
        kind = generator.choices(("got", "plt", "data"), (40, 40, 20))[0]
        check.append(text[kind].format(name=function_name(*target), id=number(*target), at=8 * len(words)))
        if kind == "data":
            words.append(function_name(*target))
    for name in OPTIONAL:
        out.append(f"\t.weak {name}")
        check.append(text["weak"].format(name=name))
    check += [text["next"].format(name=f"check_{k}") for k in below]
    define(f"check_{i}", *check, text["good"], "9: " + text["bad"])
    out.append(f".Lconstructor:\n\t{text['enter']}\n\t{text['good']}")
    out.append('\t.section .init_array, "aw", %init_array\n\t.p2align 3\n\t.quad .Lconstructor')
    out.append('\t.section .data.rel.ro, "aw", %progbits\n\t.p2align 3\n.Ldata:')
    out.extend(f"\t.quad {name}" for name in words)
    out.append("\t.p2align 3")
    out.extend(f"\t.quad .Lmoving+{8 * (k % 8)}" for k in range(shape.relative))
    out.append('\t.section .rodata, "a", %progbits\n\t.p2align 4\n.Lmoving:\n\t.fill 2000, 1, 7')
    out.append(f"\t.data\n\t.p2align 3\n\t.globl data_{i}\n\t.type data_{i}, %object\n\t.size data_{i}, 8\n"
               f"data_{i}:\n\t.quad {i}")
    out.append('\t.section .note.GNU-stack, "", %progbits\n')
    return "\n".join(out)


def app_source(below: list[int]) -> str:
    text = TEMPLATES[common.MACHINE]
    calls = [text["next"].format(name=f"check_{k}") for k in below]
    return "\n".join(["\t.text", "\t.globl _start", "\t.type _start, %function", "_start:", text["start"],
                      "\t.size _start, . - _start", "\t.globl check_0", "check_0:", text["enter"], *calls,
                      text["good"], "9: " + text["bad"], '\t.section .note.GNU-stack, "", %progbits\n'])


def make(folder: Path, shape: Shape) -> None:
    needs, below = needed(shape), tree(shape)
    flags = ["-nostdlib", "-nostartfiles", "-Wl,--hash-style=gnu", "-Wl,--no-as-needed",
             "-Wl,-z,lazy" if shape.lazy else "-Wl,-z,now", "-Wl,-z,relro", "-Wl,--allow-shlib-undefined"]

    def build(name: str, source: str, flags: list[str], libraries: list[int]) -> None:
        command = [common.CC, "-x", "assembler", "-", "-x", "none", "-o", name, *flags]
        common.run_tool(command + ["./" + library_name(k) for k in libraries], folder, source)

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        linked: dict[int, concurrent.futures.Future] = {}

        def library(i: int) -> None:
            for k in needs[i]:
                linked[k].result()
            build(library_name(i), library_source(shape, i, needs[i], below[i]),
                  ["-shared", f"-Wl,-soname,{library_name(i)}", "-Wl,-rpath,$ORIGIN", *flags], needs[i])

        for i in range(shape.libraries, 0, -1):
            linked[i] = pool.submit(library, i)
        for each in linked.values():
            each.result()
    if shape.app:
        # An old DT_RPATH of the program serves the whole closure.
        build("app", app_source(below[0]), ["-pie", "-Wl,--disable-new-dtags", "-Wl,-rpath,$ORIGIN", *flags], needs[0])
        common.run_tool(["./app", "check"], folder)


def closure(name: str, shape: Shape) -> Path:
    """The folder of a closure, made if it is not there."""
    return common.made(common.WORK / name, asdict(shape), lambda folder: make(folder, shape))
