// What <isa>/call_with_registers.S loads and <isa>/record_registers.S stores.
#pragma once
struct registers {
  unsigned long general[16];       // argument registers in the ABI's order, the rest unused
  unsigned char vector[8][16];     // argument registers; on riscv64 the first 8 bytes of each
  unsigned long stack_is_aligned;  // written by the callee
  unsigned long return_value;      // what the callee returns, written by the caller
};
// How many of the registers are arguments, and of each vector register how many bytes.
extern const unsigned kGeneralCount, kVectorBytes;
void call_with_registers(struct registers* with, void (*stub)(void));
// Stubs that tail-call through the PLT.
void stub_record(void), stub_record_indirect(void);
