#define M "left"
#include "common.h"

void left_init(void) { puts(M " DT_INIT"); }
void left_fini(void) { puts(M " DT_FINI"); }
void left(void) {}
