// void call_with_registers(struct registers* with, void (*stub)(void)): loads x0-x8 and q0-q7 from
// `with`, calls the stub, and stores what it returns. See ../lazy_registers/registers.h.
	.text
	.globl call_with_registers
	.type call_with_registers, %function
call_with_registers:
	.cfi_startproc
	stp x29, x30, [sp, #-32]!
	.cfi_adjust_cfa_offset 32
	.cfi_rel_offset x29, 0
	.cfi_rel_offset x30, 8
	str x19, [sp, #16]
	.cfi_rel_offset x19, 16
	mov x19, x0
	mov x17, x1
	ldp q0, q1, [x19, #128]
	ldp q2, q3, [x19, #160]
	ldp q4, q5, [x19, #192]
	ldp q6, q7, [x19, #224]
	ldp x0, x1, [x19]
	ldp x2, x3, [x19, #16]
	ldp x4, x5, [x19, #32]
	ldp x6, x7, [x19, #48]
	ldr x8, [x19, #64]
	blr x17
	str x0, [x19, #264]
	ldr x19, [sp, #16]
	.cfi_restore x19
	ldp x29, x30, [sp], #32
	.cfi_adjust_cfa_offset -32
	.cfi_restore x29
	.cfi_restore x30
	ret
	.cfi_endproc
	.size call_with_registers, .-call_with_registers

	.globl stub_record
stub_record:
	b record_registers
	.globl stub_record_indirect
stub_record_indirect:
	b record_registers_indirect

	.section .rodata
	.globl kGeneralCount
	.globl kVectorBytes
kGeneralCount:
	.long 9
kVectorBytes:
	.long 16
	.section .note.GNU-stack, "", %progbits
