// TLS descriptor resolvers, and __tls_get_addr.
//
// Calling convention (AAELF64 "Thread Local Storage", the descriptor dialect): x0 points to the
// descriptor { resolver, argument }; the offset from the thread pointer is returned in x0; x30 holds the
// return address; every other general and Advanced SIMD register is kept, the flags excepted. Nothing
// below touches a vector register, and what the slow path calls is compiled for general registers only.

	.section .text

// Static: the argument is the offset itself.
//   return descriptor->argument;
	.globl myld_tlsdesc_static
	.hidden myld_tlsdesc_static
	.type myld_tlsdesc_static, %function
myld_tlsdesc_static:
	.cfi_startproc
	bti c
	ldr x0, [x0, #8]
	ret
	.cfi_endproc
	.size myld_tlsdesc_static, .-myld_tlsdesc_static

// An undefined weak symbol: its address is the addend, so the offset is addend - thread pointer.
//   return descriptor->argument - thread_pointer();
	.globl myld_tlsdesc_undefined
	.hidden myld_tlsdesc_undefined
	.type myld_tlsdesc_undefined, %function
myld_tlsdesc_undefined:
	.cfi_startproc
	bti c
	str x1, [sp, #-16]!
	.cfi_adjust_cfa_offset 16
	ldr x0, [x0, #8]
	mrs x1, tpidr_el0
	sub x0, x0, x1
	ldr x1, [sp], #16
	.cfi_adjust_cfa_offset -16
	ret
	.cfi_endproc
	.size myld_tlsdesc_undefined, .-myld_tlsdesc_undefined

// Dynamic: the argument points to { module ID, offset }. The thread's DTV holds the block of every
// module from the moment the module can be reached, except in a thread that was being created at that
// very moment (rtld/tls/tls.hpp); only that one takes the slow path.
//   TlsIndex* index = descriptor->argument;
//   Dtv* dtv = tcb()->dtv;
//   if (index->module > dtv[-1].counter || dtv[index->module].val == -1) return slow(index) - tp;
//   return dtv[index->module].val + index->offset - thread_pointer();
//
// Stack: 16(sp) x3, x4    0(sp) x1, x2
// and in the slow path, from the new sp: 0 x29, x30; 16 x5, x6; 32 x7, x8; ... 112 x17, x18.

.macro X5_TO_X18 pair
	\pair x5, x6, [sp, #16]
	\pair x7, x8, [sp, #32]
	\pair x9, x10, [sp, #48]
	\pair x11, x12, [sp, #64]
	\pair x13, x14, [sp, #80]
	\pair x15, x16, [sp, #96]
	\pair x17, x18, [sp, #112]
.endm

	.globl myld_tlsdesc_dynamic
	.hidden myld_tlsdesc_dynamic
	.type myld_tlsdesc_dynamic, %function
myld_tlsdesc_dynamic:
	.cfi_startproc
	bti c
	stp x1, x2, [sp, #-32]!
	.cfi_adjust_cfa_offset 32
	stp x3, x4, [sp, #16]
	ldr x0, [x0, #8]
	mrs x4, tpidr_el0
	ldr x1, [x4]
	ldr x2, [x0]
	ldr x3, [x1, #-16]
	cmp x2, x3
	b.hi 1f
	lsl x2, x2, #4
	ldr x1, [x1, x2]
	cmn x1, #1
	b.eq 1f
	ldr x0, [x0, #8]
	add x0, x0, x1
	b 2f
1:	paciasp
	.cfi_negate_ra_state
	stp x29, x30, [sp, #-128]!
	.cfi_adjust_cfa_offset 128
	.cfi_rel_offset x29, 0
	.cfi_rel_offset x30, 8
	mov x29, sp
	X5_TO_X18 stp
	bl myld_tls_get_addr_slow
	mrs x4, tpidr_el0
	X5_TO_X18 ldp
	ldp x29, x30, [sp], #128
	.cfi_restore x30
	.cfi_restore x29
	.cfi_adjust_cfa_offset -128
	autiasp
	.cfi_negate_ra_state
2:	sub x0, x0, x4
	ldp x3, x4, [sp, #16]
	ldp x1, x2, [sp], #32
	.cfi_adjust_cfa_offset -32
	ret
	.cfi_endproc
	.size myld_tlsdesc_dynamic, .-myld_tlsdesc_dynamic

// void* __tls_get_addr(TlsIndex*): an ordinary call.
	.globl __tls_get_addr
	.type __tls_get_addr, %function
__tls_get_addr:
	.cfi_startproc
	bti c
	mrs x1, tpidr_el0
	ldr x1, [x1]
	ldr x2, [x0]
	ldr x3, [x1, #-16]
	cmp x2, x3
	b.hi 1f
	lsl x2, x2, #4
	ldr x1, [x1, x2]
	cmn x1, #1
	b.eq 1f
	ldr x0, [x0, #8]
	add x0, x0, x1
	ret
1:	b myld_tls_get_addr_slow
	.cfi_endproc
	.size __tls_get_addr, .-__tls_get_addr

#include "arch/aarch64/object_notes.inc"
