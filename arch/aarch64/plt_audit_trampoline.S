// Where a PLT slot leads whose calls an auditor sees (rtld-audit(7): la_aarch64_gnu_pltenter, _pltexit).
// The slot stays unbound, so every call comes here.
//
// Calling convention: as in plt_trampoline.S. The argument registers become a La_aarch64_regs, which
// the hooks may change; afterwards they are loaded from there. If a hook wants to see the return, so
// many bytes of stack arguments as it asked for are copied, the function is called from here, and its
// result registers become a La_aarch64_retval (<bits/link.h>).
//
// Stack from x29:
#define FP_LR 0
#define LR_X 16
#define LR_V 96
#define LR_SP 224
#define LR_LR 232
#define LR_VPCS 240
#define FRAME_BYTES 256
#define MODULE 264
#define INDEX 272
#define TARGET 280
#define LRV_X 288
#define LRV_V 352
#define LRV_VPCS 480
#define FRAME 496
// and above it, as PLT0 left it: the slot's address, x30; then the stack arguments.
#define CALLER_SP (FRAME + 16)

#include "arch/aarch64/arguments.inc"

.macro ARGUMENTS pair, one
	X0_TO_X7 \pair, x29, LR_X
	\one x8, [x29, #LR_X + 64]
	Q0_TO_Q7 \pair, x29, LR_V
.endm

.macro POP_FRAME
	mov sp, x29
	.cfi_def_cfa_register sp
	ldp x29, x30, [sp]
	.cfi_restore x29
	.cfi_restore x30
	add sp, sp, #CALLER_SP
	.cfi_adjust_cfa_offset -CALLER_SP
.endm

	.section .text
	.globl myld_plt_audit_trampoline
	.hidden myld_plt_audit_trampoline
	.type myld_plt_audit_trampoline, %function
myld_plt_audit_trampoline:
	.cfi_startproc
	.cfi_adjust_cfa_offset 16
	.cfi_rel_offset x30, 8
	bti c
	stp x29, x30, [sp, #-FRAME]!
	.cfi_adjust_cfa_offset FRAME
	.cfi_rel_offset x29, 0
	.cfi_rel_offset x30, 8
	mov x29, sp
	.cfi_def_cfa_register x29
	ARGUMENTS stp, str
	add x0, x29, #CALLER_SP
	stp x0, x30, [x29, #LR_SP]
	str xzr, [x29, #LR_VPCS]
	str xzr, [x29, #LRV_VPCS]
	mov x0, #-1
	str x0, [x29, #FRAME_BYTES]
	// module = GOT[1]; index = slot - &GOT[3], where x16 = &GOT[2]
	ldr x0, [x16, #-8]
	ldr x1, [x29, #FRAME]
	sub x1, x1, x16
	sub x1, x1, #8
	lsr x1, x1, #3
	str x0, [x29, #MODULE]
	str x1, [x29, #INDEX]
	// x16 = myld_audited_call(module, index, &regs, &frame_bytes);
	add x2, x29, #LR_X
	add x3, x29, #FRAME_BYTES
	bl myld_audited_call
	mov x16, x0
	ldr x9, [x29, #FRAME_BYTES]
	tbz x9, #63, 1f

	ARGUMENTS ldp, ldr
	.cfi_remember_state
	POP_FRAME
	br x16
	.cfi_restore_state

	// memcpy(sp -= round_up(frame_bytes, 16), stack arguments, frame_bytes), eight bytes at a time
1:	add x10, x9, #15
	and x10, x10, #-16
	sub sp, sp, x10
	mov x11, sp
	add x12, x29, #CALLER_SP
	add x13, x11, x9
2:	cmp x11, x13
	b.hs 3f
	ldr x14, [x12], #8
	str x14, [x11], #8
	b 2b
3:	ARGUMENTS ldp, ldr
	blr x16
	mov sp, x29
	X0_TO_X7 stp, x29, LRV_X
	Q0_TO_Q7 stp, x29, LRV_V
	// myld_audited_return(module, index, &regs, &retval);
	ldr x0, [x29, #MODULE]
	ldr x1, [x29, #INDEX]
	add x2, x29, #LR_X
	add x3, x29, #LRV_X
	bl myld_audited_return
	X0_TO_X7 ldp, x29, LRV_X
	Q0_TO_Q7 ldp, x29, LRV_V
	POP_FRAME
	ret
	.cfi_endproc
	.size myld_plt_audit_trampoline, .-myld_plt_audit_trampoline

#include "arch/aarch64/object_notes.inc"
