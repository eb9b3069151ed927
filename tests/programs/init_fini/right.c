#define M "right"
#include "common.h"

void right_init(void) { puts(M " DT_INIT"); }
void right_fini(void) { puts(M " DT_FINI"); }
void right(void) {}
