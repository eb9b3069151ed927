// The end of a signal handler: the kernel of this ISA wants to be told the address (SA_RESTORER).
// Debuggers and unwinders know the frame by these very bytes.
//
// C equivalent: syscall(SYS_rt_sigreturn);
	.section .text
	.globl myld_sigreturn
	.hidden myld_sigreturn
	.type myld_sigreturn, @function
myld_sigreturn:
	movq $15, %rax
	syscall
	.size myld_sigreturn, .-myld_sigreturn

	.section .note.GNU-stack, "", @progbits
	.section .note.gnu.property, "a"
	.balign 8
	.long 4, 16, 5
	.asciz "GNU"
	.long 0xc0000002, 4, 3, 0
