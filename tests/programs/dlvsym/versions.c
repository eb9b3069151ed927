#define VERSIONED(name, value, symbol)                                                             \
  int name(void) { return value; }                                                                 \
  __asm__(".symver " #name ", " symbol)

#ifdef START
VERSIONED(start1, 31, "in_start@START_1");
VERSIONED(start2, 32, "in_start@@START_2");
#else
VERSIONED(function1, 1, "function@V_1");
VERSIONED(function2, 2, "function@V_2");
VERSIONED(function3, 3, "function@@V_3");
VERSIONED(only_old1, 11, "only_old@V_1");
VERSIONED(only_new3, 13, "only_new@@V_3");
VERSIONED(old_ones1, 21, "only_old_ones@V_1");
VERSIONED(old_ones2, 22, "only_old_ones@V_2");
#endif
