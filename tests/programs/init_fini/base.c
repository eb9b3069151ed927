#define M "base"
#include "common.h"

void base_init(void) { puts(M " DT_INIT"); }
void base_fini(void) { puts(M " DT_FINI"); }
void base(void) {}
