// The first instruction of the process, and the jump to the program.
//
// On entry (Linux, ELF_PLAT_INIT): sp -> argc, argv..., 0, envp..., 0, auxv; 16-byte aligned; every
// other register is zero or unspecified. The program's start code takes the function to call at exit
// in x0.
//
// C equivalent:
//   block = sp; sp -= 512;       // room for the environment to grow: sys::kRoomBelow
//   HandOver h = myld_boot(block);   // { entry, stack } in x0:x1 (AAPCS64 6.9)
//   sp = h.stack; x0 = myld_finalise; x29 = x30 = 0; jump h.entry;

	.section .text._start, "ax", %progbits
	.globl _start
	.hidden _start
	.type _start, %function
_start:
	.cfi_startproc
	.cfi_undefined x30
	bti c
	mov x29, #0
	mov x30, #0
	mov x0, sp
	sub sp, sp, #512 // sys::kRoomBelow
	bl myld_boot
	mov sp, x1
	mov x16, x0
	adrp x0, myld_finalise
	add x0, x0, :lo12:myld_finalise
	mov x29, #0
	mov x30, #0
	// Through x16, so that an entry which begins with `bti c` may be landed on.
	br x16
	.cfi_endproc
	.size _start, .-_start

#include "arch/aarch64/object_notes.inc"
