// See registers.h. Kept by the convention: everything but rax and the flags. Checked: rcx rdx rsi rdi
// r8-r11, xmm0-15.
	.text
	.globl described_offset
	.type described_offset, @function
described_offset:
	.cfi_startproc
	push %rbx
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset rbx, 0
	push %rbp
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset rbp, 0
	sub $8, %rsp
	.cfi_adjust_cfa_offset 8
	mov %rdi, %rbx
	mov %rsi, %rbp
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	movdqu 256+16*\n(%rbx), %xmm\n
	.endr
	mov 0(%rbx), %rcx
	mov 8(%rbx), %rdx
	mov 16(%rbx), %rsi
	mov 24(%rbx), %rdi
	mov 32(%rbx), %r8
	mov 40(%rbx), %r9
	mov 48(%rbx), %r10
	mov 56(%rbx), %r11
	lea described@TLSDESC(%rip), %rax
	call *described@TLSCALL(%rax)
	mov %rcx, 0(%rbp)
	mov %rdx, 8(%rbp)
	mov %rsi, 16(%rbp)
	mov %rdi, 24(%rbp)
	mov %r8, 32(%rbp)
	mov %r9, 40(%rbp)
	mov %r10, 48(%rbp)
	mov %r11, 56(%rbp)
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	movdqu %xmm\n, 256+16*\n(%rbp)
	.endr
	add $8, %rsp
	.cfi_adjust_cfa_offset -8
	pop %rbp
	.cfi_adjust_cfa_offset -8
	.cfi_restore rbp
	pop %rbx
	.cfi_adjust_cfa_offset -8
	.cfi_restore rbx
	ret
	.cfi_endproc
	.size described_offset, .-described_offset

	.weak nowhere
	.globl undefined_offset
	.type undefined_offset, @function
undefined_offset:
	.cfi_startproc
	sub $8, %rsp
	.cfi_adjust_cfa_offset 8
	lea nowhere@TLSDESC(%rip), %rax
	call *nowhere@TLSCALL(%rax)
	add $8, %rsp
	.cfi_adjust_cfa_offset -8
	ret
	.cfi_endproc
	.size undefined_offset, .-undefined_offset

	.section .rodata
	.balign 8
	.globl dtv_from_thread_pointer
	.type dtv_from_thread_pointer, @object
dtv_from_thread_pointer:
	.quad 8
	.size dtv_from_thread_pointer, 8
	.section .note.GNU-stack, "", @progbits
