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

#include "arch/x86_64/object_notes.inc"
