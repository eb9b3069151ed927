// See registers.h. Kept by the convention: everything but x0, x30 and the flags. Checked: x2-x18 (x1 is
// used by the sequence itself) and q0-q31.
	.text
	.globl described_offset
	.type described_offset, %function
described_offset:
	.cfi_startproc
	bti c
	stp x29, x30, [sp, #-96]!
	.cfi_adjust_cfa_offset 96
	.cfi_rel_offset x29, 0
	.cfi_rel_offset x30, 8
	stp x19, x20, [sp, #16]
	.cfi_rel_offset x19, 16
	.cfi_rel_offset x20, 24
	stp d8, d9, [sp, #32]
	stp d10, d11, [sp, #48]
	stp d12, d13, [sp, #64]
	stp d14, d15, [sp, #80]
	mov x19, x0
	mov x20, x1
	.irp n, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
	ldr q\n, [x19, #256+16*\n]
	.endr
	.irp n, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31
	ldr q\n, [x19, #256+16*\n]
	.endr
	.irp n, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18
	ldr x\n, [x19, #8*\n]
	.endr
	adrp x0, :tlsdesc:described
	ldr x1, [x0, #:tlsdesc_lo12:described]
	add x0, x0, #:tlsdesc_lo12:described
	.tlsdesccall described
	blr x1
	.irp n, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18
	str x\n, [x20, #8*\n]
	.endr
	.irp n, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
	str q\n, [x20, #256+16*\n]
	.endr
	.irp n, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31
	str q\n, [x20, #256+16*\n]
	.endr
	ldp d8, d9, [sp, #32]
	ldp d10, d11, [sp, #48]
	ldp d12, d13, [sp, #64]
	ldp d14, d15, [sp, #80]
	ldp x19, x20, [sp, #16]
	.cfi_restore x19
	.cfi_restore x20
	ldp x29, x30, [sp], #96
	.cfi_adjust_cfa_offset -96
	.cfi_restore x29
	.cfi_restore x30
	ret
	.cfi_endproc
	.size described_offset, .-described_offset

	.weak nowhere
	.globl undefined_offset
	.type undefined_offset, %function
undefined_offset:
	.cfi_startproc
	bti c
	stp x29, x30, [sp, #-16]!
	.cfi_adjust_cfa_offset 16
	.cfi_rel_offset x29, 0
	.cfi_rel_offset x30, 8
	adrp x0, :tlsdesc:nowhere
	ldr x1, [x0, #:tlsdesc_lo12:nowhere]
	add x0, x0, #:tlsdesc_lo12:nowhere
	.tlsdesccall nowhere
	blr x1
	ldp x29, x30, [sp], #16
	.cfi_adjust_cfa_offset -16
	.cfi_restore x29
	.cfi_restore x30
	ret
	.cfi_endproc
	.size undefined_offset, .-undefined_offset

	.section .rodata
	.balign 8
	.globl dtv_from_thread_pointer
	.type dtv_from_thread_pointer, %object
dtv_from_thread_pointer:
	.xword 0
	.size dtv_from_thread_pointer, 8
	.section .note.GNU-stack, "", %progbits
