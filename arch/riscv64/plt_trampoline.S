// Where a PLT slot that is not bound yet ends up.
//
// Calling convention (RISC-V ELF psABI, "Procedure Linkage Table"): the PLT header loaded t0 with
// GOT[1], the module, and t1 with the slot's offset behind the two reserved words of .got.plt, in bytes,
// and jumped to GOT[0], this code. Every argument register of the call that is being bound is live:
// a0-a7 and fa0-fa7. Functions that take more than these (VARIANT_CC) are never bound here
// (traits.hpp: must_bind_now). No compiler has an option to leave the floating-point registers alone
// under lp64d, so they are saved too, always: eight stores.
//
// DT_JMPREL lists the slots in their order in .got.plt, so the relocation's index is t1 / 8.
//
// Stack while binding:  80-143(sp) fa0-fa7
//                        8-71(sp)  a0-a7
//                          (sp)    return address of the call

#include "arch/riscv64/arguments.inc"

	.section .text
	.globl myld_plt_trampoline
	.hidden myld_plt_trampoline
	.type myld_plt_trampoline, @function
myld_plt_trampoline:
	.cfi_startproc
	addi sp, sp, -144
	.cfi_adjust_cfa_offset 144
	sd ra, 0(sp)
	.cfi_rel_offset ra, 0
	ARGUMENTS sd, fsd, sp, 8, 80
	mv a0, t0
	srli a1, t1, 3
	call myld_bind_plt_slot
	mv t1, a0
	ld ra, 0(sp)
	.cfi_same_value ra
	ARGUMENTS ld, fld, sp, 8, 80
	addi sp, sp, 144
	.cfi_adjust_cfa_offset -144
	jr t1
	.cfi_endproc
	.size myld_plt_trampoline, .-myld_plt_trampoline

	.section .note.GNU-stack, "", @progbits
