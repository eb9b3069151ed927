// The first instruction of the process, and the jump to the program.
//
// On entry (AMD64 supplement 3.4.1): rsp -> argc, argv..., 0, envp..., 0, auxv; 16-byte aligned;
// rdx and the other registers are unspecified.
//
// C equivalent:
//   block = rsp; rsp -= 512;       // room for the environment to grow: sys::kRoomBelow
//   HandOver h = myld_boot(block);  // { entry, stack } in rax:rdx
//   rsp = h.stack; rdx = myld_finalise; rbp = 0; jump h.entry;

	.section .text._start, "ax", @progbits
	.globl _start
	.hidden _start
	.type _start, @function
_start:
	.cfi_startproc
	.cfi_undefined rip
	endbr64
	xorl %ebp, %ebp
	movq %rsp, %rdi
	subq $512, %rsp // sys::kRoomBelow
	call myld_boot
	movq %rdx, %rsp
	leaq myld_finalise(%rip), %rdx
	xorl %ebp, %ebp
	jmp *%rax
	.cfi_endproc
	.size _start, .-_start

#include "arch/x86_64/object_notes.inc"
