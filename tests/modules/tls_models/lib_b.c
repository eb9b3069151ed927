// Another library's variables.
#define MODEL(name) __attribute__((tls_model(name)))
extern _Thread_local int a_number MODEL("global-dynamic");
extern _Thread_local int a_initial_exec MODEL("initial-exec");
_Thread_local short b_number = 41;

int* a_number_seen_by_b(void) { return &a_number; }
int* a_initial_exec_seen_by_b(void) { return &a_initial_exec; }
short* b_number_here(void) { return &b_number; }
