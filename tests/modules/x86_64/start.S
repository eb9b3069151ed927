// crt1 and two functions of a libc, for programs with no libc. See ../bare.h.
	.text
	.globl _start
	.type _start, @function
_start:
	.cfi_startproc
	.cfi_undefined rip
	xor %ebp, %ebp
	mov (%rsp), %rdi
	lea 8(%rsp), %rsi
	and $-16, %rsp
	call bare_main
	mov %eax, %edi
	call bare_exit
	.cfi_endproc
	.size _start, .-_start

	.globl bare_exit
	.type bare_exit, @function
bare_exit:
	mov $231, %eax
	syscall
	hlt
	.size bare_exit, .-bare_exit

	.globl bare_write
	.type bare_write, @function
bare_write:
	mov %rsi, %rdx
	mov %rdi, %rsi
	mov $1, %edi
	mov $1, %eax
	syscall
	ret
	.size bare_write, .-bare_write
	.section .note.GNU-stack, "", @progbits
