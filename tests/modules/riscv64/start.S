// crt1 and two functions of a libc, for programs with no libc. See ../bare.h.
	.text
	.globl _start
	.type _start, @function
_start:
	.cfi_startproc
	.cfi_undefined ra
	.option push
	.option norelax
	lla gp, __global_pointer$
	.option pop
	li s0, 0
	ld a0, 0(sp)
	addi a1, sp, 8
	call bare_main
	call bare_exit
	.cfi_endproc
	.size _start, .-_start

	.globl bare_exit
	.type bare_exit, @function
bare_exit:
	li a7, 94
	ecall
	unimp
	.size bare_exit, .-bare_exit

	.globl bare_write
	.type bare_write, @function
bare_write:
	mv a2, a1
	mv a1, a0
	li a0, 1
	li a7, 64
	ecall
	ret
	.size bare_write, .-bare_write
	.section .note.GNU-stack, "", @progbits
