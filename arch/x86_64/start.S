// The first instruction of the process, and the jump to the program.
//
// On entry (AMD64 supplement 3.4.1): rsp -> argc, argv..., 0, envp..., 0, auxv; 16-byte aligned;
// rdx and the other registers are unspecified.
//
// C equivalent:
//   block = rsp; rsp -= 512;       // room for the environment to grow: sys::kRoomBelow
//   HandOver h = myld_boot(block);  // { entry, stack } in rax:rdx
//   rsp = h.stack; rdx = myld_finalise; rbp = 0; jump h.entry;

	.section .text
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

	.section .note.GNU-stack, "", @progbits

// The loader is written for shadow stacks and landing pads: GNU_PROPERTY_X86_FEATURE_1_AND.
	.section .note.gnu.property, "a"
	.balign 8
	.long 4, 16, 5
	.asciz "GNU"
	.long 0xc0000002, 4, 3, 0
