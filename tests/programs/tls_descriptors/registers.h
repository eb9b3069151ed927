// What descriptor_<isa>.S loads before it calls the descriptor and stores after.
#pragma once
struct registers {
  unsigned long general[32];
  unsigned char vector[32][16];
  unsigned char extension[32][16];  // riscv64's vector registers, where the CPU has them
};
// Offsets from the thread pointer, by a descriptor. `general` and `vector` are those registers that
// the convention keeps, in an order of the file's own; the rest is left alone.
// `extended`: the CPU has the registers of `extension`.
unsigned long described_offset(const struct registers* in, struct registers* out, int extended);
unsigned long undefined_offset(void);
int* described_here(void);
