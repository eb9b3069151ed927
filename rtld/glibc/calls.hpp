// The functions that libc calls in its loader, besides dlopen's family: by name (exports/<isa>.map)
// or through slots of _rtld_global_ro.
#pragma once
#include "rtld/runtime.hpp"

#include <cstddef>
#include <cstdint>

namespace myld::glibc {

/// struct dl_exception. Source: glibc's include/dlfcn.h, the caller's side.
struct Exception {
  const char* objname;
  const char* errstring;
  char* message_buffer;
};

void debug_printf(const char* format, ...);
void* tls_get_addr_soft(load::LinkMap* map);
void libc_freeres();
int find_object(void* address, void* out);
int readonly_area(const void* at, std::size_t bytes);
load::LinkMap* lookup_symbol_x(const char* name,
                               load::LinkMap* undef_map,
                               const elf::Sym** symbol,
                               void** scope,
                               const void* version,
                               int type_class,
                               int flags,
                               load::LinkMap* skip);
void* slot_open(const char* file, int mode, const void* caller, long ns, int, char**, char**);
void slot_close(void* map);
void error_free(void* text);

/// The module of a link_map that libc hands over, or nullptr. Needs: a ReadSection.
load::Module* module_of(const load::LinkMap* map);

}  // namespace myld::glibc

extern "C" {
void _dl_mcount(std::uintptr_t from, std::uintptr_t to);
int _dl_catch_error(
    const char** object, const char** text, bool* malloced, void (*operate)(void*), void* argument);
}
