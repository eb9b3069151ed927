// Where a PLT slot that is not bound yet ends up.
//
// Calling convention (AMD64 supplement 5.2, figure 5.2): the PLT entry pushed the relocation's
// index, PLT0 pushed GOT[1], the module, and jumped to GOT[2], this code. Every argument register of
// the call that is being bound is live: rdi rsi rdx rcx r8 r9, rax (vector argument count), r10
// (static chain), and xmm/ymm/zmm0-7. myld_bind_plt_slot is compiled for general registers only
// (meson.build: gpr_only_sources), so the vector registers need no saving here; where binding calls
// foreign code it does so through myld_call_keeping_vectors.
//
// Stack on entry:            16(%rsp)  return address of the call
//                             8(%rsp)  relocation index
//                              (%rsp)  module

	.section .text
	.globl myld_plt_trampoline
	.hidden myld_plt_trampoline
	.type myld_plt_trampoline, @function
myld_plt_trampoline:
	.cfi_startproc
	.cfi_adjust_cfa_offset 16
	endbr64
	subq $72, %rsp
	.cfi_adjust_cfa_offset 72
	movq %rax, (%rsp)
	movq %rcx, 8(%rsp)
	movq %rdx, 16(%rsp)
	movq %rsi, 24(%rsp)
	movq %rdi, 32(%rsp)
	movq %r8, 40(%rsp)
	movq %r9, 48(%rsp)
	movq %r10, 56(%rsp)
	movq 72(%rsp), %rdi
	movq 80(%rsp), %rsi
	call myld_bind_plt_slot
	movq %rax, %r11
	movq (%rsp), %rax
	movq 8(%rsp), %rcx
	movq 16(%rsp), %rdx
	movq 24(%rsp), %rsi
	movq 32(%rsp), %rdi
	movq 40(%rsp), %r8
	movq 48(%rsp), %r9
	movq 56(%rsp), %r10
	addq $88, %rsp
	.cfi_adjust_cfa_offset -88
	jmp *%r11
	.cfi_endproc
	.size myld_plt_trampoline, .-myld_plt_trampoline

// uintptr_t myld_call_keeping_vectors(uintptr_t (*call)(void*), void* argument,
//                                     size_t area_bytes, unsigned compacted)
//
// Calls foreign code from inside a binding and gives the vector state back as it was: the state
// components that carry arguments (SSE, AVX, AVX-512: bits 1, 2, 5-7 of XCR0) are kept in an
// XSAVE area of `area_bytes`, in the compacted form where the CPU has it.
// Source: Intel SDM vol. 1, chapter 13. area_bytes == 0: a CPU without XSAVE, FXSAVE is used.

	.globl myld_call_keeping_vectors
	.hidden myld_call_keeping_vectors
	.type myld_call_keeping_vectors, @function
#define KEPT_COMPONENTS 0xe6
myld_call_keeping_vectors:
	.cfi_startproc
	pushq %rbp
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset rbp, 0
	movq %rsp, %rbp
	.cfi_def_cfa_register rbp
	pushq %rbx
	.cfi_offset rbx, -24
	pushq %r12
	.cfi_offset r12, -32
	movl %ecx, %ebx
	movq %rdx, %r12
	movq %rdi, %r10
	movq %rsi, %rdi
	testq %r12, %r12
	jz 3f
	subq %r12, %rsp
	andq $-64, %rsp
	xorl %eax, %eax
	movq %rax, 512(%rsp)
	movq %rax, 520(%rsp)
	movq %rax, 528(%rsp)
	movq %rax, 536(%rsp)
	movq %rax, 544(%rsp)
	movq %rax, 552(%rsp)
	movq %rax, 560(%rsp)
	movq %rax, 568(%rsp)
	movl $KEPT_COMPONENTS, %eax
	xorl %edx, %edx
	testl %ebx, %ebx
	jz 1f
	xsavec (%rsp)
	jmp 2f
1:	xsave (%rsp)
2:	call *%r10
	movq %rax, %rcx
	movl $KEPT_COMPONENTS, %eax
	xorl %edx, %edx
	xrstor (%rsp)
	jmp 4f
3:	subq $512, %rsp
	andq $-64, %rsp
	fxsave (%rsp)
	call *%r10
	movq %rax, %rcx
	fxrstor (%rsp)
4:	movq %rcx, %rax
	leaq -16(%rbp), %rsp
	popq %r12
	popq %rbx
	popq %rbp
	.cfi_def_cfa rsp, 8
	ret
	.cfi_endproc
	.size myld_call_keeping_vectors, .-myld_call_keeping_vectors

#include "arch/x86_64/object_notes.inc"
