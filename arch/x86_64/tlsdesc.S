// TLS descriptor resolvers, and __tls_get_addr.
//
// Calling convention (Oliva, "Thread-Local Storage Descriptors for IA32 and AMD64/EM64T"): rax
// points to the descriptor { resolver, argument }; the offset from the thread pointer is returned in
// rax; every other register, flags excepted, is kept. Nothing below touches a vector register, and
// what the slow path calls is compiled for general registers only.

	.section .text

// Static: the argument is the offset itself.
//   return descriptor->argument;
	.globl myld_tlsdesc_static
	.hidden myld_tlsdesc_static
	.type myld_tlsdesc_static, @function
myld_tlsdesc_static:
	.cfi_startproc
	endbr64
	movq 8(%rax), %rax
	ret
	.cfi_endproc
	.size myld_tlsdesc_static, .-myld_tlsdesc_static

// An undefined weak symbol: its address is the addend, so the offset is addend - thread pointer.
//   return descriptor->argument - thread_pointer();
	.globl myld_tlsdesc_undefined
	.hidden myld_tlsdesc_undefined
	.type myld_tlsdesc_undefined, @function
myld_tlsdesc_undefined:
	.cfi_startproc
	endbr64
	movq 8(%rax), %rax
	subq %fs:0, %rax
	ret
	.cfi_endproc
	.size myld_tlsdesc_undefined, .-myld_tlsdesc_undefined

// Dynamic: the argument points to { module ID, offset }. The thread's DTV holds the block of every
// module from the moment the module can be reached, except in a thread that was being created at
// that very moment (rtld/tls/dtv.hpp); only that one takes the slow path.
//   TlsIndex* index = descriptor->argument;
//   Dtv* dtv = tcb()->dtv;
//   if (index->module > dtv[-1].counter || dtv[index->module].val == -1) return slow(index) - tp;
//   return dtv[index->module].val + index->offset - thread_pointer();
	.globl myld_tlsdesc_dynamic
	.hidden myld_tlsdesc_dynamic
	.type myld_tlsdesc_dynamic, @function
myld_tlsdesc_dynamic:
	.cfi_startproc
	endbr64
	pushq %rcx
	.cfi_adjust_cfa_offset 8
	pushq %rdx
	.cfi_adjust_cfa_offset 8
	movq 8(%rax), %rax
	movq %fs:8, %rcx
	movq (%rax), %rdx
	cmpq %rdx, -16(%rcx)
	jb 1f
	shlq $4, %rdx
	movq (%rcx,%rdx), %rdx
	cmpq $-1, %rdx
	je 1f
	movq 8(%rax), %rax
	addq %rdx, %rax
	subq %fs:0, %rax
	popq %rdx
	.cfi_adjust_cfa_offset -8
	popq %rcx
	.cfi_adjust_cfa_offset -8
	ret
1:	.cfi_adjust_cfa_offset 16
	pushq %rbp
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset rbp, 0
	movq %rsp, %rbp
	.cfi_def_cfa_register rbp
	andq $-16, %rsp
	subq $64, %rsp
	movq %rsi, (%rsp)
	movq %rdi, 8(%rsp)
	movq %r8, 16(%rsp)
	movq %r9, 24(%rsp)
	movq %r10, 32(%rsp)
	movq %r11, 40(%rsp)
	movq %rax, %rdi
	call myld_tls_get_addr_slow
	movq (%rsp), %rsi
	movq 8(%rsp), %rdi
	movq 16(%rsp), %r8
	movq 24(%rsp), %r9
	movq 32(%rsp), %r10
	movq 40(%rsp), %r11
	movq %rbp, %rsp
	popq %rbp
	.cfi_def_cfa rsp, 24
	subq %fs:0, %rax
	popq %rdx
	.cfi_adjust_cfa_offset -8
	popq %rcx
	.cfi_adjust_cfa_offset -8
	ret
	.cfi_endproc
	.size myld_tlsdesc_dynamic, .-myld_tlsdesc_dynamic

// void* __tls_get_addr(TlsIndex*): an ordinary call, but old compilers called it with a misaligned
// stack, so the slow path aligns it (GCC bug 58066).
	.globl __tls_get_addr
	.type __tls_get_addr, @function
__tls_get_addr:
	.cfi_startproc
	endbr64
	movq %fs:8, %rdx
	movq (%rdi), %rax
	cmpq %rax, -16(%rdx)
	jb 1f
	shlq $4, %rax
	movq (%rdx,%rax), %rax
	cmpq $-1, %rax
	je 1f
	addq 8(%rdi), %rax
	ret
1:	pushq %rbp
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset rbp, 0
	movq %rsp, %rbp
	.cfi_def_cfa_register rbp
	andq $-16, %rsp
	call myld_tls_get_addr_slow
	movq %rbp, %rsp
	popq %rbp
	.cfi_def_cfa rsp, 8
	ret
	.cfi_endproc
	.size __tls_get_addr, .-__tls_get_addr

#include "arch/x86_64/object_notes.inc"
