// Where a PLT slot leads whose calls an auditor sees (la_riscv_gnu_pltenter, _pltexit of <bits/link.h>).
// The slot stays unbound, so every call comes here.
//
// Calling convention: as in plt_trampoline.S. The argument registers become a La_riscv_regs, which the
// hooks may change; afterwards they are loaded from there. If a hook wants to see the return, so many
// bytes of stack arguments as it asked for are copied, the function is called from here, and its result
// registers become a La_riscv_retval.
//
// Stack from s0, the frame's base:
#define SAVED_RA 0
#define SAVED_S0 8
#define LR_REG 16
#define LR_FPREG 80
#define LR_RA 144
#define LR_SP 152
#define FRAME_BYTES 160
#define MODULE 168
#define INDEX 176
#define LRV_A0 184
#define LRV_A1 192
#define LRV_FA0 200
#define LRV_FA1 208
#define FRAME 224
// and above it the stack arguments.

#include "arch/riscv64/arguments.inc"

// Needs: sp is the frame's base.
.macro POP_FRAME
	ld ra, SAVED_RA(s0)
	ld s0, SAVED_S0(s0)
	.cfi_def_cfa_register sp
	.cfi_same_value ra
	.cfi_same_value s0
	addi sp, sp, FRAME
	.cfi_adjust_cfa_offset -FRAME
.endm

	.section .text
	.globl myld_plt_audit_trampoline
	.hidden myld_plt_audit_trampoline
	.type myld_plt_audit_trampoline, @function
myld_plt_audit_trampoline:
	.cfi_startproc
	addi sp, sp, -FRAME
	.cfi_adjust_cfa_offset FRAME
	sd ra, SAVED_RA(sp)
	.cfi_rel_offset ra, SAVED_RA
	sd s0, SAVED_S0(sp)
	.cfi_rel_offset s0, SAVED_S0
	mv s0, sp
	.cfi_def_cfa_register s0
	ARGUMENTS sd, fsd, s0, LR_REG, LR_FPREG
	sd ra, LR_RA(s0)
	addi t2, s0, FRAME
	sd t2, LR_SP(s0)
	li t2, -1
	sd t2, FRAME_BYTES(s0)
	// t1 = myld_audited_call(module, index, &regs, &frame_bytes);
	mv a0, t0
	srli a1, t1, 3
	sd a0, MODULE(s0)
	sd a1, INDEX(s0)
	addi a2, s0, LR_REG
	addi a3, s0, FRAME_BYTES
	call myld_audited_call
	mv t1, a0
	ld t2, FRAME_BYTES(s0)
	bgez t2, 1f

	ARGUMENTS ld, fld, s0, LR_REG, LR_FPREG
	.cfi_remember_state
	POP_FRAME
	jr t1
	.cfi_restore_state

	// memcpy(sp -= round_up(frame_bytes, 16), stack arguments, frame_bytes), eight bytes at a time
1:	addi t3, t2, 15
	andi t3, t3, -16
	sub sp, sp, t3
	mv t3, sp
	add t2, t2, t3
	addi t4, s0, FRAME
2:	bgeu t3, t2, 3f
	ld t5, 0(t4)
	sd t5, 0(t3)
	addi t4, t4, 8
	addi t3, t3, 8
	j 2b
3:	ARGUMENTS ld, fld, s0, LR_REG, LR_FPREG
	jalr t1
	mv sp, s0
	sd a0, LRV_A0(s0)
	sd a1, LRV_A1(s0)
	fsd fa0, LRV_FA0(s0)
	fsd fa1, LRV_FA1(s0)
	// myld_audited_return(module, index, &regs, &retval);
	ld a0, MODULE(s0)
	ld a1, INDEX(s0)
	addi a2, s0, LR_REG
	addi a3, s0, LRV_A0
	call myld_audited_return
	ld a0, LRV_A0(s0)
	ld a1, LRV_A1(s0)
	fld fa0, LRV_FA0(s0)
	fld fa1, LRV_FA1(s0)
	POP_FRAME
	ret
	.cfi_endproc
	.size myld_plt_audit_trampoline, .-myld_plt_audit_trampoline

	.section .note.GNU-stack, "", @progbits
