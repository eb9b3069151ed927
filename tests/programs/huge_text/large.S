// Four functions, two megabytes apart: 8 MiB of code.
  .text
.macro function number
  .globl answer_\number
  .type answer_\number, @function
answer_\number:
  mov $\number, %eax
  ret
  .size answer_\number, . - answer_\number
  .space 2 << 20, 0xcc
.endm
  function 1
  function 2
  function 3
  function 4
  .section .note.GNU-stack, "", %progbits
