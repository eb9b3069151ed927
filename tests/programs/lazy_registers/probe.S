// probe: stores every register that can carry an argument into the global `found`, and returns 1 if the
// stack was aligned as at any function's entry, else 0.
#include "layout.h"
    .text
    .globl PROBE
    .type PROBE, @function
PROBE:
    .cfi_startproc
    push %rbx
    .cfi_def_cfa_offset 16
    .cfi_offset %rbx, -16
    mov found@GOTPCREL(%rip), %rbx
    mov %rdi, 0(%rbx)
    mov %rsi, 8(%rbx)
    mov %rdx, 16(%rbx)
    mov %rcx, 24(%rbx)
    mov %r8, 32(%rbx)
    mov %r9, 40(%rbx)
    mov %rax, 48(%rbx)
#if defined(WITH_AVX512)
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 16, 31
    vmovdqu64 %zmm\n, VECTOR_AT+64*\n(%rbx)
    .endr
    kmovw %k1, %eax
    mov %eax, MASK_AT(%rbx)
    kmovw %k7, %eax
    mov %eax, MASK_AT+4(%rbx)
#elif defined(WITH_AVX)
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7
    vmovdqu %ymm\n, VECTOR_AT+64*\n(%rbx)
    .endr
#else
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7
    movdqu %xmm\n, VECTOR_AT+64*\n(%rbx)
    .endr
#endif
    xor %eax, %eax
    test $15, %spl
    setz %al
    pop %rbx
    .cfi_def_cfa_offset 8
    ret
    .cfi_endproc
    .size PROBE, .-PROBE
    .section .note.GNU-stack,"",@progbits
