// The first instruction of the process, and the jump to the program.
//
// On entry (Linux, start_thread): sp -> argc, argv..., 0, envp..., 0, auxv; 16-byte aligned; every
// other register is zero or unspecified. The program's start code takes the function to call at exit
// in a0, and sets gp itself.
//
// C equivalent:
//   block = sp; sp -= 512;       // room for the environment to grow: sys::kRoomBelow
//   HandOver h = myld_boot(block);   // { entry, stack } in a0:a1 (psABI "Integer Calling Convention")
//   sp = h.stack; a0 = myld_finalise; s0 = ra = 0; jump h.entry;

	.section .text._start, "ax", @progbits
	.globl _start
	.hidden _start
	.type _start, @function
_start:
	.cfi_startproc
	.cfi_undefined ra
	li s0, 0
	mv a0, sp
	addi sp, sp, -512 // sys::kRoomBelow
	call myld_boot
	mv sp, a1
	mv t1, a0
	lla a0, myld_finalise
	li s0, 0
	li ra, 0
	jr t1
	.cfi_endproc
	.size _start, .-_start

	.section .note.GNU-stack, "", @progbits
