#include "table.h"
int FUNCTION(void) { return count_right(); }
