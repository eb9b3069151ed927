// A function with a vector calling convention (psABI VARIANT_CC).
	.text
	.globl variant
	.type variant, @function
	.variant_cc variant
variant:
	ret
	.size variant, .-variant
	.section .note.GNU-stack, "", @progbits
