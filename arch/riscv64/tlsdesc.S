// TLS descriptor resolvers, and __tls_get_addr.
//
// Calling convention (RISC-V ELF psABI, "TLS Descriptors"): a0 points to the descriptor
// { resolver, argument }; the offset from the thread pointer is returned in a0; t0 holds the return
// address; every other register is kept, floating-point and vector ones too. Nothing in the loader is
// compiled for the vector extension, so only the slow path has vector registers to save.

	.section .text

// Static: the argument is the offset itself.
//   return descriptor->argument;
	.globl myld_tlsdesc_static
	.hidden myld_tlsdesc_static
	.type myld_tlsdesc_static, @function
myld_tlsdesc_static:
	.cfi_startproc
	.cfi_return_column t0
	ld a0, 8(a0)
	jr t0
	.cfi_endproc
	.size myld_tlsdesc_static, .-myld_tlsdesc_static

// An undefined weak symbol: its address is the addend, so the offset is addend - thread pointer.
//   return descriptor->argument - thread_pointer();
	.globl myld_tlsdesc_undefined
	.hidden myld_tlsdesc_undefined
	.type myld_tlsdesc_undefined, @function
myld_tlsdesc_undefined:
	.cfi_startproc
	.cfi_return_column t0
	ld a0, 8(a0)
	sub a0, a0, tp
	jr t0
	.cfi_endproc
	.size myld_tlsdesc_undefined, .-myld_tlsdesc_undefined

// Dynamic: the argument points to { module ID, offset }. The thread's DTV holds the block of every
// module from the moment the module can be reached, except in a thread that was being created at that
// very moment (rtld/tls/tls.hpp); only that one takes the slow path.
//   TlsIndex* index = descriptor->argument;
//   Dtv* dtv = tcb()->dtv;
//   if (index->module > dtv[-1].counter || dtv[index->module].val == -1) return slow(index) - tp;
//   return dtv[index->module].val + index->offset - thread_pointer();
//
// Stack: 0(sp) t1, t2, t3
// and in the slow path, from s0: 0 ra, 8 t0, 16 a1-a7, 72 t4-t6, 96 s0, 104 ft0-ft11, 200 fa0-fa7; below
// it vl, vtype, vstart and vcsr, then v24-v31, v16-v23, v8-v15 and v0-v7.

// What the slow path may change of them, but for ra, t0 and s0, which unwinders ask for.
.macro KEPT integer, floating
	.irpc i, 1234567
	\integer a\i, 8+8*\i(sp)
	.endr
	.irpc i, 456
	\integer t\i, 40+8*\i(sp)
	.endr
	.irp i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
	\floating ft\i, 104+8*\i(sp)
	.endr
	.irpc i, 01234567
	\floating fa\i, 200+8*\i(sp)
	.endr
.endm

	.globl myld_tlsdesc_dynamic
	.hidden myld_tlsdesc_dynamic
	.type myld_tlsdesc_dynamic, @function
myld_tlsdesc_dynamic:
	.cfi_startproc
	.cfi_return_column t0
	addi sp, sp, -32
	.cfi_adjust_cfa_offset 32
	sd t1, 0(sp)
	sd t2, 8(sp)
	sd t3, 16(sp)
	ld a0, 8(a0)
	ld t1, -16(tp)
	ld t2, 0(a0)
	ld t3, -16(t1)
	bltu t3, t2, 1f
	slli t2, t2, 4
	add t1, t1, t2
	ld t1, 0(t1)
	li t2, -1
	beq t1, t2, 1f
	ld a0, 8(a0)
	add a0, a0, t1
	j 2f
1:	addi sp, sp, -272
	.cfi_adjust_cfa_offset 272
	sd ra, 0(sp)
	.cfi_rel_offset ra, 0
	sd t0, 8(sp)
	.cfi_rel_offset t0, 8
	sd s0, 96(sp)
	.cfi_rel_offset s0, 96
	KEPT sd, fsd
	mv s0, sp
	.cfi_def_cfa s0, 304
	// Vector registers are kept where there are any: the kernel drops them at a system call, and the slow
	// path may need memory or a lock.
	lla t1, myld_has_vectors
	lbu t1, 0(t1)
	beqz t1, 3f
	.option push
	.option arch, +v
	addi sp, sp, -32
	csrr t1, vl
	sd t1, 0(sp)
	csrr t1, vtype
	sd t1, 8(sp)
	csrr t1, vstart
	sd t1, 16(sp)
	csrr t1, vcsr
	sd t1, 24(sp)
	csrw vstart, zero
	csrr t2, vlenb
	slli t2, t2, 3
	.irp first, 24, 16, 8, 0
	sub sp, sp, t2
	vs8r.v v\first, (sp)
	.endr
	call myld_tls_get_addr_slow
	csrw vstart, zero
	csrr t2, vlenb
	slli t2, t2, 3
	.irp first, 0, 8, 16, 24
	vl8re8.v v\first, (sp)
	add sp, sp, t2
	.endr
	ld t1, 0(sp)
	ld t2, 8(sp)
	vsetvl zero, t1, t2
	ld t1, 16(sp)
	csrw vstart, t1
	ld t1, 24(sp)
	csrw vcsr, t1
	.option pop
	j 4f
3:	call myld_tls_get_addr_slow
4:	mv sp, s0
	.cfi_def_cfa sp, 304
	ld ra, 0(sp)
	.cfi_same_value ra
	ld t0, 8(sp)
	.cfi_same_value t0
	ld s0, 96(sp)
	.cfi_same_value s0
	KEPT ld, fld
	addi sp, sp, 272
	.cfi_adjust_cfa_offset -272
2:	sub a0, a0, tp
	ld t1, 0(sp)
	ld t2, 8(sp)
	ld t3, 16(sp)
	addi sp, sp, 32
	.cfi_adjust_cfa_offset -32
	jr t0
	.cfi_endproc
	.size myld_tlsdesc_dynamic, .-myld_tlsdesc_dynamic

// void* __tls_get_addr(TlsIndex*): an ordinary call. The offset it is given is TLS_DTV_OFFSET too small
// (traits.hpp: kDtvOffset).
	.globl __tls_get_addr
	.type __tls_get_addr, @function
#define TLS_DTV_OFFSET 0x800
__tls_get_addr:
	.cfi_startproc
	ld a1, -16(tp)
	ld a2, 0(a0)
	ld a3, -16(a1)
	bltu a3, a2, 1f
	slli a2, a2, 4
	add a1, a1, a2
	ld a1, 0(a1)
	li a2, -1
	beq a1, a2, 1f
	ld a0, 8(a0)
	add a0, a0, a1
	li a1, TLS_DTV_OFFSET
	add a0, a0, a1
	ret
1:	addi sp, sp, -16
	.cfi_adjust_cfa_offset 16
	sd ra, 8(sp)
	.cfi_rel_offset ra, 8
	call myld_tls_get_addr_slow
	ld ra, 8(sp)
	.cfi_same_value ra
	addi sp, sp, 16
	.cfi_adjust_cfa_offset -16
	li a1, TLS_DTV_OFFSET
	add a0, a0, a1
	ret
	.cfi_endproc
	.size __tls_get_addr, .-__tls_get_addr

	.section .note.GNU-stack, "", @progbits
