// Where a PLT slot that is not bound yet ends up.
//
// Calling convention (AAELF64 "Procedure Linkage Table", as every linker writes it): the PLT entry left
// the address of its GOT slot, &GOT[n + 3], in x16 and jumped to PLT0, which pushed { x16, x30 }, set
// x16 = &GOT[2] and jumped through it, with `br x17`, to this code. Every argument register of the call
// that is being bound is live: x0-x7, x8 (address of the result), q0-q7. Functions that take more
// than these (VARIANT_PCS) are never bound here (traits.hpp: must_bind_now). myld_bind_plt_slot is
// compiled for general registers only (meson.build: gpr_only_sources), so the vector registers need no
// saving here; where binding calls foreign code it does so through myld_call_keeping_vectors.
//
// DT_JMPREL lists the slots in their order in the GOT, so the slot's number is the relocation's index:
//   module = GOT[1]; index = slot - &GOT[3]
//
// Stack on entry:              8(sp)  return address of the call
//                               (sp)  address of the GOT slot
// and while binding:          64(sp)  x8
//                            0-63(sp) x0-x7

#include "arch/aarch64/arguments.inc"

	.section .text
	.globl myld_plt_trampoline
	.hidden myld_plt_trampoline
	.type myld_plt_trampoline, %function
myld_plt_trampoline:
	.cfi_startproc
	.cfi_adjust_cfa_offset 16
	.cfi_rel_offset x30, 8
	bti c
	sub sp, sp, #80
	.cfi_adjust_cfa_offset 80
	X0_TO_X7 stp, sp, 0
	str x8, [sp, #64]
	ldr x0, [x16, #-8]
	ldr x1, [sp, #80]
	sub x1, x1, x16
	sub x1, x1, #8
	lsr x1, x1, #3
	bl myld_bind_plt_slot
	mov x16, x0
	X0_TO_X7 ldp, sp, 0
	ldr x8, [sp, #64]
	ldr x30, [sp, #88]
	.cfi_same_value x30
	add sp, sp, #96
	.cfi_adjust_cfa_offset -96
	br x16
	.cfi_endproc
	.size myld_plt_trampoline, .-myld_plt_trampoline

// uintptr_t myld_call_keeping_vectors(uintptr_t (*call)(void*), void* argument)
//
// Calls foreign code from inside a binding and gives q0-q7 back as they were. What the base procedure
// call standard keeps (d8-d15) the callee keeps itself; q16-q31 carry no argument (AAPCS64 6.1.2).
//
// Stack while calling:  16-143(sp) q0-q7
//                          0(sp)   x29, x30

	.globl myld_call_keeping_vectors
	.hidden myld_call_keeping_vectors
	.type myld_call_keeping_vectors, %function
myld_call_keeping_vectors:
	.cfi_startproc
	paciasp
	.cfi_negate_ra_state
	stp x29, x30, [sp, #-144]!
	.cfi_adjust_cfa_offset 144
	.cfi_rel_offset x29, 0
	.cfi_rel_offset x30, 8
	mov x29, sp
	Q0_TO_Q7 stp, sp, 16
	mov x16, x0
	mov x0, x1
	blr x16
	Q0_TO_Q7 ldp, sp, 16
	ldp x29, x30, [sp], #144
	.cfi_restore x30
	.cfi_restore x29
	.cfi_adjust_cfa_offset -144
	autiasp
	.cfi_negate_ra_state
	ret
	.cfi_endproc
	.size myld_call_keeping_vectors, .-myld_call_keeping_vectors

#include "arch/aarch64/object_notes.inc"
