// void call_variant(void): calls `variant`, with its convention, through the PLT.
	.text
	.globl call_variant
	.type call_variant, %function
	.variant_pcs variant
call_variant:
	b variant
	.size call_variant, .-call_variant
	.section .note.GNU-stack, "", %progbits
