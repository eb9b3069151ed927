#include "registers.h"

struct registers seen;
void record_registers_body(void);
void spoil_vectors(void);

// An IFUNC whose resolver changes every vector register before it answers.
static void (*resolve(void))(void) {
  spoil_vectors();
  return record_registers_body;
}
__attribute__((ifunc("resolve"))) void record_registers_indirect(void);
