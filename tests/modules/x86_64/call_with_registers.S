// void call_with_registers(struct registers* with, void (*stub)(void)): loads rdi rsi rdx rcx r8 r9 rax
// and xmm0-7 from `with`, calls the stub, and stores what it returns. See ../lazy_registers/registers.h.
	.text
	.globl call_with_registers
	.type call_with_registers, @function
call_with_registers:
	.cfi_startproc
	push %rbx
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset rbx, 0
	mov %rdi, %rbx
	mov %rsi, %r11
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7
	movdqu 128+16*\n(%rbx), %xmm\n
	.endr
	mov 0(%rbx), %rdi
	mov 8(%rbx), %rsi
	mov 16(%rbx), %rdx
	mov 24(%rbx), %rcx
	mov 32(%rbx), %r8
	mov 40(%rbx), %r9
	mov 48(%rbx), %rax
	call *%r11
	mov %rax, 264(%rbx)
	pop %rbx
	.cfi_adjust_cfa_offset -8
	.cfi_restore rbx
	ret
	.cfi_endproc
	.size call_with_registers, .-call_with_registers

	.globl stub_record
stub_record:
	jmp record_registers@PLT
	.globl stub_record_indirect
stub_record_indirect:
	jmp record_registers_indirect@PLT

	.section .rodata
	.globl kGeneralCount
	.globl kVectorBytes
kGeneralCount:
	.long 7
kVectorBytes:
	.long 16
	.section .note.GNU-stack, "", @progbits
