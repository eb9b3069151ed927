// The loader's static probes: places that gdb, SystemTap, bpftrace and perf know by name. A probe
// is a `nop`, and a note that says where it is and in which registers its arguments are; it costs
// nothing else where nobody has put a breakpoint there.
//
// The names and arguments are those of glibc's loader, since gdb's shared library code asks for
// them: where all are there, it stops at them in the place of _dl_debug_state and learns what is
// new, not only that something is.
//   init_start, init_complete              around the start     (Lmid_t, r_debug*)
//   map_start, map_complete, map_failed    what is opened       (Lmid_t, r_debug*[, link_map*])
//   reloc_start, reloc_complete            and relocated        (Lmid_t, r_debug*[, link_map*])
//   unmap_start, unmap_complete            what is closed       (Lmid_t, r_debug*)
// Source: the GNU C Library manual, "Internal Probes", "Dynamic linker"; gdb's solib-svr4,
// probe_info; "UserSpaceProbeImplementation" of SystemTap for the note.
#pragma once
#include "loader/load/module.hpp"
#include "rtld/debug/r_debug.hpp"

// The note's words: sizes of name and description, type 3, "stapsdt"; the probe's address, that of
// .stapsdt.base (by which a tool sees that the file was moved after it was linked), no semaphore;
// provider, name, arguments as "SIZE@OPERAND". The section is not loaded.
#define MYLD_PROBE(name, arguments, ...)                                                           \
  asm volatile("990: nop\n"                                                                        \
               ".pushsection .note.stapsdt, \"\", %%note\n"                                        \
               ".balign 4\n"                                                                       \
               ".4byte 992f - 991f, 994f - 993f, 3\n"                                              \
               "991: .asciz \"stapsdt\"\n"                                                         \
               "992: .balign 4\n"                                                                  \
               "993: .8byte 990b, _.stapsdt.base, 0\n"                                             \
               ".asciz \"rtld\"\n.asciz \"" name "\"\n.asciz \"" arguments "\"\n"                  \
               "994: .balign 4\n"                                                                  \
               ".popsection\n"                                                                     \
               ".ifndef _.stapsdt.base\n"                                                          \
               ".pushsection .stapsdt.base, \"aG\", %%progbits, .stapsdt.base, comdat\n"           \
               ".weak _.stapsdt.base\n.hidden _.stapsdt.base\n"                                    \
               "_.stapsdt.base: .space 1\n"                                                        \
               ".size _.stapsdt.base, 1\n"                                                         \
               ".popsection\n"                                                                     \
               ".endif\n" ::__VA_ARGS__)

#define MYLD_PROBE_2(name, ns, r_debug)                                                            \
  MYLD_PROBE(name, "-8@%0 8@%1", "r"(static_cast<long>(ns)), "r"(r_debug))
#define MYLD_PROBE_3(name, ns, r_debug, map)                                                       \
  MYLD_PROBE(name, "-8@%0 8@%1 8@%2", "r"(static_cast<long>(ns)), "r"(r_debug), "r"(map))
