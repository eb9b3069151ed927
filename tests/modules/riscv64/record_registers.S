// Stores every argument register in `seen` and returns 0x1234. See ../lazy_registers/registers.h.
	.text
	.globl record_registers
	.type record_registers, @function
record_registers:
	.globl record_registers_body
	.hidden record_registers_body
	.type record_registers_body, @function
record_registers_body:
	.cfi_startproc
	la t1, seen
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7
	fsd fa\n, 128+16*\n(t1)
	sd a\n, 8*\n(t1)
	.endr
	andi a0, sp, 15
	seqz a0, a0
	sd a0, 256(t1)
	li a0, 0x1234
	ret
	.cfi_endproc
	.size record_registers_body, .-record_registers_body

	.globl spoil_vectors
	.hidden spoil_vectors
	.type spoil_vectors, @function
spoil_vectors:
	li t1, -1
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7
	fmv.d.x fa\n, t1
	.endr
	ret
	.size spoil_vectors, .-spoil_vectors
	.section .note.GNU-stack, "", @progbits
