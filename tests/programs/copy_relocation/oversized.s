# A size that goes past the end of the segment, as hand-written assembly has it.
    .data
    .globl oversized
    .type oversized, @object
    .size oversized, 56
oversized:
    .long 56
    .section .note.GNU-stack, "", @progbits
