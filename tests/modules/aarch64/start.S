// crt1 and two functions of a libc, for programs with no libc. See ../bare.h.
	.text
	.globl _start
	.type _start, %function
_start:
	.cfi_startproc
	.cfi_undefined x30
	bti c
	mov x29, #0
	mov x30, #0
	ldr x0, [sp]
	add x1, sp, #8
	bl bare_main
	bl bare_exit
	.cfi_endproc
	.size _start, .-_start

	.globl bare_exit
	.type bare_exit, %function
bare_exit:
	bti c
	mov x8, #94
	svc #0
	udf #0
	.size bare_exit, .-bare_exit

	.globl bare_write
	.type bare_write, %function
bare_write:
	bti c
	mov x2, x1
	mov x1, x0
	mov x0, #1
	mov x8, #64
	svc #0
	ret
	.size bare_write, .-bare_write
	.section .note.GNU-stack, "", %progbits
	.section .note.gnu.property, "a"
	.balign 8
	.word 4, 16, 5
	.asciz "GNU"
	.word 0xc0000000, 4, 1, 0
