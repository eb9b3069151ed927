// See registers.h. Kept by the convention: everything but a0 and t0. Checked: ra, a1-a7, t1-t6, ft0-11,
// fa0-7, v0-v31 with vl and vtype. No assembler of today's distributions knows the descriptor relocations, so the two GOT words of
// the general dynamic model are made a descriptor after the link (make_descriptors.py).
	.text
	.globl described_offset
	.type described_offset, @function
described_offset:
	.cfi_startproc
	addi sp, sp, -48
	.cfi_adjust_cfa_offset 48
	sd ra, 0(sp)
	.cfi_rel_offset ra, 0
	sd s1, 8(sp)
	.cfi_rel_offset s1, 8
	sd s2, 16(sp)
	.cfi_rel_offset s2, 16
	sd s3, 32(sp)
	.cfi_rel_offset s3, 32
	mv s1, a0
	mv s2, a1
	mv s3, a2
	beqz s3, 1f
	.option push
	.option arch, +v
	vsetivli zero, 16, e8, m1, ta, ma
	addi t0, s1, 768
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	vle8.v v\n, (t0)
	addi t0, t0, 16
	.endr
	.option pop
1:
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
	fld ft\n, 256+16*\n(s1)
	.endr
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7
	fld fa\n, 448+16*\n(s1)
	.endr
	.irp n, 1, 2, 3, 4, 5, 6, 7
	ld a\n, 8*\n(s1)
	.endr
	.irp n, 2, 3, 4, 5, 6
	ld t\n, 64+8*\n(s1)
	.endr
	ld ra, 128(s1)
	la.tls.gd a0, described
	ld t1, 0(a0)
	sd t1, 24(sp)
	jalr t0, t1
	// t1 held the resolver's address: `out` says whether it still does.
	ld t0, 24(sp)
	sub t1, t1, t0
	ld t0, 0(s1)
	add t1, t1, t0
	sd t1, 0(s2)
	sd ra, 128(s2)
	.irp n, 2, 3, 4, 5, 6
	sd t\n, 64+8*\n(s2)
	.endr
	.irp n, 1, 2, 3, 4, 5, 6, 7
	sd a\n, 8*\n(s2)
	.endr
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
	fsd ft\n, 256+16*\n(s2)
	.endr
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7
	fsd fa\n, 448+16*\n(s2)
	.endr
	ld ra, 0(sp)
	.cfi_restore ra
	ld s1, 8(sp)
	.cfi_restore s1
	beqz s3, 1f
	.option push
	.option arch, +v
	addi t0, s2, 768
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	vse8.v v\n, (t0)
	addi t0, t0, 16
	.endr
	.option pop
1:
	ld s2, 16(sp)
	.cfi_restore s2
	ld s3, 32(sp)
	.cfi_restore s3
	addi sp, sp, 48
	.cfi_adjust_cfa_offset -48
	ret
	.cfi_endproc
	.size described_offset, .-described_offset

	.weak nowhere
	.type nowhere, @tls_object
	.globl undefined_offset
	.type undefined_offset, @function
undefined_offset:
	.cfi_startproc
	la.tls.gd a0, nowhere
	ld t1, 0(a0)
	jalr t0, t1
	ret
	.cfi_endproc
	.size undefined_offset, .-undefined_offset

	.section .rodata
	.balign 8
	.globl dtv_from_thread_pointer
	.type dtv_from_thread_pointer, @object
dtv_from_thread_pointer:
	.dword -16
	.size dtv_from_thread_pointer, 8
	.section .note.GNU-stack, "", @progbits
