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
	mov seen@GOTPCREL(%rip), %r11
	mov %rdi, 0(%r11)
	mov %rsi, 8(%r11)
	mov %rdx, 16(%r11)
	mov %rcx, 24(%r11)
	mov %r8, 32(%r11)
	mov %r9, 40(%r11)
	mov %rax, 48(%r11)
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7
	movdqu %xmm\n, 128+16*\n(%r11)
	.endr
	// At a function's entry rsp + 8 is a multiple of 16.
	lea 8(%rsp), %rax
	and $15, %eax
	sete %al
	movzbl %al, %eax
	mov %rax, 256(%r11)
	mov $0x1234, %eax
	ret
	.cfi_endproc
	.size record_registers_body, .-record_registers_body

	.globl spoil_vectors
	.hidden spoil_vectors
	.type spoil_vectors, @function
spoil_vectors:
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7
	pcmpeqd %xmm\n, %xmm\n
	.endr
	ret
	.size spoil_vectors, .-spoil_vectors
	.section .note.GNU-stack, "", @progbits
