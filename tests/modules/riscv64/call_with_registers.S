// void call_with_registers(struct registers* with, void (*stub)(void)): loads a0-a7 and fa0-fa7 from
// `with`, calls the stub, and stores what it returns. See ../lazy_registers/registers.h.
	.text
	.globl call_with_registers
	.type call_with_registers, @function
call_with_registers:
	.cfi_startproc
	addi sp, sp, -16
	.cfi_adjust_cfa_offset 16
	sd ra, 0(sp)
	.cfi_rel_offset ra, 0
	sd s1, 8(sp)
	.cfi_rel_offset s1, 8
	mv s1, a0
	mv t1, a1
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7
	fld fa\n, 128+16*\n(s1)
	ld a\n, 8*\n(s1)
	.endr
	jalr t1
	sd a0, 264(s1)
	ld ra, 0(sp)
	.cfi_restore ra
	ld s1, 8(sp)
	.cfi_restore s1
	addi sp, sp, 16
	.cfi_adjust_cfa_offset -16
	ret
	.cfi_endproc
	.size call_with_registers, .-call_with_registers

	.globl stub_record
stub_record:
	tail record_registers@plt
	.globl stub_record_indirect
stub_record_indirect:
	tail record_registers_indirect@plt

	.section .rodata
	.globl kGeneralCount
	.globl kVectorBytes
kGeneralCount:
	.word 8
kVectorBytes:
	.word 8
	.section .note.GNU-stack, "", @progbits
