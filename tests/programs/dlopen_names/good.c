int good_1(void) { return 1; }
int good_2(void) { return 2; }
__asm__(".symver good_1,good@V1");
__asm__(".symver good_2,good@@V2");
