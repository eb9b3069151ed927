// A function that may not be reached by an indirect branch, in a file that says that all of its
// functions which may begin with a landing pad (unless PLAIN).
	.text
	.globl no_landing_pad
	.type no_landing_pad, %function
no_landing_pad:
	ret
	.size no_landing_pad, .-no_landing_pad
	.section .note.GNU-stack, "", %progbits
#ifndef PLAIN
	.section .note.gnu.property, "a"
	.balign 8
	.word 4, 16, 5
	.asciz "GNU"
	.word 0xc0000000, 4, 1, 0
#endif
