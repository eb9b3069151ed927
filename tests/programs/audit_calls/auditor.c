// Prints each call of a function of libcalls.so, and each return; spoils all of the registers that
// a call's arguments and results travel in; changes an argument of each kind, and a result.
#define _GNU_SOURCE
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ENTER la_x86_64_gnu_pltenter
#define EXIT la_x86_64_gnu_pltexit
typedef La_x86_64_regs Registers;
typedef La_x86_64_retval Results;
#define INTEGER(r) (r)->lr_rdi
#define DOUBLE(r) (r)->lr_xmm[0]
#define INTEGER_RESULT(r) (r)->lrv_rax
#define DOUBLE_RESULT(r) (r)->lrv_xmm0
#elif defined(__aarch64__)
#define ENTER la_aarch64_gnu_pltenter
#define EXIT la_aarch64_gnu_pltexit
typedef La_aarch64_regs Registers;
typedef La_aarch64_retval Results;
#define INTEGER(r) (r)->lr_xreg[0]
#define DOUBLE(r) (r)->lr_vreg[0].q
#define INTEGER_RESULT(r) (r)->lrv_xreg[0]
#define DOUBLE_RESULT(r) (r)->lrv_vreg[0].q
#else
#define ENTER la_riscv_gnu_pltenter
#define EXIT la_riscv_gnu_pltexit
typedef La_riscv_regs Registers;
typedef La_riscv_retval Results;
#define INTEGER(r) (r)->lr_reg[0]
#define DOUBLE(r) (r)->lr_fpreg[0]
#define INTEGER_RESULT(r) (r)->lrv_a0
#define DOUBLE_RESULT(r) (r)->lrv_fa0
#endif

static uintptr_t* watched;

unsigned la_version(unsigned version) { return version; }

unsigned la_objopen(struct link_map* map, Lmid_t ns, uintptr_t* cookie) {
  (void)ns;
  if (strstr(map->l_name, "libcalls.so") != NULL) watched = cookie;
  return LA_FLG_BINDTO | LA_FLG_BINDFROM;
}

uintptr_t la_symbind64(Elf64_Sym* sym,
                       unsigned index,
                       uintptr_t* user,
                       uintptr_t* provider,
                       unsigned* flags,
                       const char* name) {
  (void)index, (void)user;
  if (provider != watched) {
    *flags |= LA_SYMB_NOPLTENTER | LA_SYMB_NOPLTEXIT;
  } else {
    dprintf(1, "  %s is bound\n", name);
  }
  return sym->st_value;
}

static void spoil(void) {
  volatile double d[24];
  for (int i = 0; i < 24; ++i) d[i] = -1.0 - i;
  double sum = 0;
  for (int i = 0; i < 24; ++i) sum += d[i] * d[(i + 1) % 24];
  char text[64];
  snprintf(text, sizeof text, "%f %Lf", sum, (long double)sum);
#if defined(__x86_64__)
  __asm__ volatile("pcmpeqd %%xmm0, %%xmm0\n pcmpeqd %%xmm1, %%xmm1\n pcmpeqd %%xmm2, %%xmm2\n"
                   "pcmpeqd %%xmm3, %%xmm3\n pcmpeqd %%xmm4, %%xmm4\n pcmpeqd %%xmm5, %%xmm5\n"
                   "pcmpeqd %%xmm6, %%xmm6\n pcmpeqd %%xmm7, %%xmm7\n" ::
                       : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7");
#elif defined(__aarch64__)
  __asm__ volatile("movi v0.16b, #255\n movi v1.16b, #255\n movi v2.16b, #255\n movi v3.16b, #255\n"
                   "movi v4.16b, #255\n movi v5.16b, #255\n movi v6.16b, #255\n movi v7.16b, #255\n"
                   "mov x8, #-1\n" ::
                       : "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "x8");
#else
  __asm__ volatile(
      "fmv.d.x fa0, zero\n fmv.d.x fa1, zero\n fmv.d.x fa2, zero\n fmv.d.x fa3, zero\n"
      "fmv.d.x fa4, zero\n fmv.d.x fa5, zero\n fmv.d.x fa6, zero\n fmv.d.x fa7, zero\n" ::
          : "fa0", "fa1", "fa2", "fa3", "fa4", "fa5", "fa6", "fa7");
#endif
}

// A register is told in two places, as xmm and as the low part of a vector: what was changed in one
// before the call is in both after it.
static void compare_views(const Registers* registers) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx") &&
      memcmp(&registers->lr_xmm[0], &registers->lr_vector[0], sizeof registers->lr_xmm[0]) != 0) {
    dprintf(1, "  xmm0 is told in two ways\n");
  }
#else
  (void)registers;
#endif
}

uintptr_t ENTER(Elf64_Sym* sym,
                unsigned index,
                uintptr_t* user,
                uintptr_t* provider,
                Registers* registers,
                unsigned* flags,
                const char* name,
                long* frame_bytes) {
  (void)index, (void)user, (void)provider, (void)flags;
  dprintf(1, "> %s\n", name);
  if (strcmp(name, "call_changed") == 0) INTEGER(registers) += 234;
  if (strcmp(name, "call_changed_double") == 0) {
    double changed = 2000;
    memcpy(&DOUBLE(registers), &changed, sizeof changed);
  }
  *frame_bytes = 200;
  spoil();
  return sym->st_value;
}

unsigned EXIT(Elf64_Sym* sym,
              unsigned index,
              uintptr_t* user,
              uintptr_t* provider,
              const Registers* registers,
              Results* results,
              const char* name) {
  (void)sym, (void)index, (void)user, (void)provider;
  dprintf(1, "< %s\n", name);
  compare_views(registers);
  if (strcmp(name, "call_changed") == 0) INTEGER_RESULT(results) += 5000;
  if (strcmp(name, "call_changed_double") == 0) {
    double result;
    memcpy(&result, &DOUBLE_RESULT(results), sizeof result);
    result += 345;
    memcpy(&DOUBLE_RESULT(results), &result, sizeof result);
  }
  spoil();
  return 0;
}
