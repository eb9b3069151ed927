// int call_with_full_registers(const unsigned char* values): fills every register that can carry an
// argument from `values` (layout.h), calls `probe` through the PLT and returns its result.
#include "layout.h"
    .text
    .globl call_with_full_registers
    .type call_with_full_registers, @function
call_with_full_registers:
    .cfi_startproc
    push %rbp
    .cfi_def_cfa_offset 16
    .cfi_offset %rbp, -16
    mov %rsp, %rbp
    .cfi_def_cfa_register %rbp
    push %rbx
    sub $8, %rsp
    .cfi_offset %rbx, -24
    mov %rdi, %rbx
    // Vectors first, from `values`; then the general registers.
#if defined(WITH_AVX512)
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 16, 31
    vmovdqu64 VECTOR_AT+64*\n(%rdi), %zmm\n
    .endr
    mov $0xA5C3, %eax
    kmovw %eax, %k1
    kmovw %eax, %k7
#elif defined(WITH_AVX)
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7
    vmovdqu VECTOR_AT+64*\n(%rdi), %ymm\n
    .endr
#else
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7
    movdqu VECTOR_AT+64*\n(%rdi), %xmm\n
    .endr
#endif
    mov 0(%rbx), %rdi
    mov 8(%rbx), %rsi
    mov 16(%rbx), %rdx
    mov 24(%rbx), %rcx
    mov 32(%rbx), %r8
    mov 40(%rbx), %r9
    mov 48(%rbx), %rax
    call probe@PLT
    add $8, %rsp
    pop %rbx
    pop %rbp
    .cfi_def_cfa %rsp, 8
    ret
    .cfi_endproc
    .size call_with_full_registers, .-call_with_full_registers
    .section .note.GNU-stack,"",@progbits
