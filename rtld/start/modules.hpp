// The modules that are there from the start: the loader itself, the program, the vDSO.
#pragma once
#include "loader/load/loader.hpp"
#include "rtld/runtime.hpp"

namespace myld::start {

/// Is this the loader's own entry point? Then the kernel started the loader as a program
/// (AT_ENTRY).
bool is_entry_point(std::uint64_t address);

/// From here on modules are mapped with random gaps, unless the kernel was asked for places that
/// are the same in every run (personality(2), ADDR_NO_RANDOMIZE).
void spread_modules(const Runtime& runtime);

/// The loader's own module. It is mapped and relocated already.
Status add_self(Runtime& runtime);

/// The program that the kernel mapped (AT_PHDR), when the loader is its interpreter.
Status add_mapped_program(Runtime& runtime);

/// The program's entry point is code of its own. Errors: bad_code_address.
Status check_entry(const Runtime& runtime);

/// Maps the program that was named on the command line. A static program (nothing needed, no
/// interpreter, an entry point) is the kernel's to run: with Mode::run it is executed with
/// `arguments`, and the function does not return.
Status add_named_program(Runtime& runtime, const char* path, char** arguments);

/// Makes the auxv say what it would if the kernel had started the named program.
void describe_program(Runtime& runtime);

/// The vDSO, if the kernel gave one.
Status add_vdso(Runtime& runtime);

/// The absolute path that execve(2) was given for a program that the kernel mapped, links and all:
/// a heap string. nullptr in secure execution, since whoever starts the program chooses it.
char* executed_file(const Runtime& runtime);

/// The loader's own file where it was started as a command: what execve(2) was given, if that is an
/// absolute path that lasts and not a script's, which is among the arguments then; else nullptr.
/// /proc knows too, by the dearest system call of a small start. Needs: the stack as it came.
const char* command_file(const Runtime& runtime);

}  // namespace myld::start
