// A function with a vector calling convention (AAPCS64 VARIANT_PCS).
	.text
	.globl variant
	.type variant, %function
	.variant_pcs variant
variant:
	bti c
	ret
	.size variant, .-variant
	.section .note.GNU-stack, "", %progbits
