// A function that loads an address which the loader must put into the text (DT_TEXTREL).
	.text
	.globl text
	.type text, @function
text:
	movabsq $value, %rax
	movl (%rax), %eax
	ret
	.size text, .-text
	.data
	.globl value
	.type value, @object
	.size value, 4
value:	.long 42
	.section .note.GNU-stack, "", @progbits
