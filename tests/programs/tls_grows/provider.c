// Its object is accessed through the DTV by itself, by initial exec by another library.
__thread int NAME = 30;
__thread char padding[BYTES];
int here(void) { return ++NAME + padding[BYTES - 1]; }
