#include "registers.h"

// Two names, so that the ordinary access below shares no GOT words with the descriptor.
_Thread_local int described = 51;
extern _Thread_local int described_again __attribute__((alias("described")));
int* described_here(void) { return &described_again; }
