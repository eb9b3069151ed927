// The buffer that the two assembly files share: 7 general registers (rdi, rsi, rdx, rcx, r8, r9,
// rax; not r10, which the system's loader does not keep), at 64 the 32 vectors of 64 bytes, then
// two masks.
#define VECTOR_AT 64
#define MASK_AT (64 + 32 * 64)
#define BUFFER_SIZE (MASK_AT + 8)
