// General and local dynamic, initial exec, in the defining library.
#define MODEL(name) __attribute__((tls_model(name)))
_Thread_local int a_number = 31;
_Thread_local char a_zero[1000];
static _Thread_local long a_local MODEL("local-dynamic") = 33;
static _Thread_local long a_local_2 MODEL("local-dynamic") = 34;
_Thread_local int a_initial_exec MODEL("initial-exec") = 35;
_Thread_local _Alignas(256) char a_aligned[8] = "aligned";

int* a_number_here(void) { return &a_number; }
long a_locals(void) { return a_local * 100 + a_local_2; }
int* a_initial_exec_here(void) { return &a_initial_exec; }
char* a_aligned_here(void) { return a_aligned; }
char* a_zero_here(void) { return a_zero; }
