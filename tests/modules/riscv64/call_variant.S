// void call_variant(void): calls `variant`, with its convention, through the PLT.
	.text
	.globl call_variant
	.type call_variant, @function
	.variant_cc variant
call_variant:
	tail variant@plt
	.size call_variant, .-call_variant
	.section .note.GNU-stack, "", @progbits
