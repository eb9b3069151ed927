// Stores every argument register in `seen` and returns 0x1234. See ../lazy_registers/registers.h.
	.text
	.globl record_registers
	.type record_registers, %function
record_registers:
	.globl record_registers_body
	.hidden record_registers_body
	.type record_registers_body, %function
record_registers_body:
	.cfi_startproc
	adrp x16, :got:seen
	ldr x16, [x16, :got_lo12:seen]
	stp x0, x1, [x16]
	stp x2, x3, [x16, #16]
	stp x4, x5, [x16, #32]
	stp x6, x7, [x16, #48]
	str x8, [x16, #64]
	stp q0, q1, [x16, #128]
	stp q2, q3, [x16, #160]
	stp q4, q5, [x16, #192]
	stp q6, q7, [x16, #224]
	mov x0, sp
	tst x0, #15
	cset x0, eq
	str x0, [x16, #256]
	mov x0, #0x1234
	ret
	.cfi_endproc
	.size record_registers_body, .-record_registers_body

	.globl spoil_vectors
	.hidden spoil_vectors
	.type spoil_vectors, %function
spoil_vectors:
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7
	movi v\n\().2d, #-1
	.endr
	ret
	.size spoil_vectors, .-spoil_vectors
	.section .note.GNU-stack, "", %progbits
