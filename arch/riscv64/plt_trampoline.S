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
	sd a0, 8(sp)
	sd a1, 16(sp)
	sd a2, 24(sp)
	sd a3, 32(sp)
	sd a4, 40(sp)
	sd a5, 48(sp)
	sd a6, 56(sp)
	sd a7, 64(sp)
	fsd fa0, 80(sp)
	fsd fa1, 88(sp)
	fsd fa2, 96(sp)
	fsd fa3, 104(sp)
	fsd fa4, 112(sp)
	fsd fa5, 120(sp)
	fsd fa6, 128(sp)
	fsd fa7, 136(sp)
	mv a0, t0
	srli a1, t1, 3
	call myld_bind_plt_slot
	mv t1, a0
	ld ra, 0(sp)
	.cfi_same_value ra
	ld a0, 8(sp)
	ld a1, 16(sp)
	ld a2, 24(sp)
	ld a3, 32(sp)
	ld a4, 40(sp)
	ld a5, 48(sp)
	ld a6, 56(sp)
	ld a7, 64(sp)
	fld fa0, 80(sp)
	fld fa1, 88(sp)
	fld fa2, 96(sp)
	fld fa3, 104(sp)
	fld fa4, 112(sp)
	fld fa5, 120(sp)
	fld fa6, 128(sp)
	fld fa7, 136(sp)
	addi sp, sp, 144
	.cfi_adjust_cfa_offset -144
	jr t1
	.cfi_endproc
	.size myld_plt_trampoline, .-myld_plt_trampoline

	.section .note.GNU-stack, "", @progbits
