/* myld.h: what a program can ask of the loader myld beyond <dlfcn.h>.

   The functions are in the loader, so a program that calls them is linked with nothing. They are declared weak:
   the program also runs under another loader, where their addresses are null. Ask before the first call:

       if (myld_version != NULL)
         printf("loaded by myld %s\n", myld_version());

   Errors are reported by dlerror(3), and what was opened is closed by dlclose(3). */
#ifndef MYLD_H
#define MYLD_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Where GCC makes code for a fixed address, a direct call would be bound to null by the linker. */
#if defined(__has_attribute)
#if __has_attribute(noplt)
#define MYLD_WEAK __attribute__((weak, noplt))
#endif
#endif
#ifndef MYLD_WEAK
#define MYLD_WEAK __attribute__((weak))
#endif

/* The loader's version, "MAJOR.MINOR.PATCH". */
MYLD_WEAK const char* myld_version(void);

/* What myld_dlopen_ex opens. Set `size` to sizeof(struct myld_open), choose a source, zero the rest. */
enum myld_source {
  MYLD_SOURCE_PATH = 0,       /* `path`, as dlopen(3) searches for it */
  MYLD_SOURCE_DESCRIPTOR = 1, /* the open file `fd`, from `offset` on */
  MYLD_SOURCE_MEMORY = 2      /* `length` bytes at `bytes` */
};

struct myld_open {
  size_t size;
  int source; /* enum myld_source */
  int flags;  /* RTLD_NOW or RTLD_LAZY, and the rest of dlopen's */
  long ns;    /* LM_ID_BASE, LM_ID_NEWLM or the namespace's number */
  const char* path; /* MYLD_SOURCE_PATH; else the name that the memory file is given, or null */
  int fd;     /* stays the caller's, who may close it when the call returns */
  int unused; /* 0 */
  /* With offset or length not zero the module is that part of the file (length 0: up to its end), copied
     into memory: it needs no alignment, and shares no pages with other processes. */
  uint64_t offset;
  size_t length;
  const void* bytes;
  /* The range that the module is mapped into, from its start on, or null: anywhere. Page-aligned and
     mapped by the caller; what was there is gone when the call has succeeded. Its first pages are the
     module's while it is loaded, and reserved (PROT_NONE) when it is not any more, also after a failure.
     Nothing is done with it if the file is loaded already. */
  void* address;
  size_t address_size;
};

/* Opens a module and its dependencies: dlopen(3) with more to choose. Returns a handle, or null and dlerror(3)
   says why; then nothing has changed. A file that is loaded already is opened once more.

   A debugger finds each module by its l_name: the path of the file; for what has none (memory, a part of a
   file, a deleted file) /proc/PID/fd/N, for which the loader keeps one descriptor as long as the module. */
MYLD_WEAK void* myld_dlopen_ex(const struct myld_open* what);

/* Why is the module of `handle` still loaded? Writes one reason a line, and "" if there is none, into
   `buffer`, NUL-terminated and cut to `size` bytes; returns the bytes of the whole text without the NUL. -1: it is
   no handle (dlerror). A closed module's handle is good as long as the module is loaded; RTLD_NOLOAD
   finds one too, and then the answer counts that open. */
MYLD_WEAK long myld_why_loaded(void* handle, char* buffer, size_t size);

#ifdef __cplusplus
}
#endif
#endif
