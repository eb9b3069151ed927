extern void note(const char* word);
void old_init(void) { note("+init"); }
void old_fini(void) { note("-fini"); }
__attribute__((constructor(201))) static void begin1(void) { note("+first"); }
__attribute__((constructor(202))) static void begin2(void) { note("+second"); }
__attribute__((constructor(203))) static void begin3(void) { note("+third"); }
__attribute__((destructor(201))) static void end1(void) { note("-first"); }
__attribute__((destructor(202))) static void end2(void) { note("-second"); }
__attribute__((destructor(203))) static void end3(void) { note("-third"); }
