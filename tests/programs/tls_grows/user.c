extern __thread int NAME __attribute__((tls_model("initial-exec")));
int there(void) { return ++NAME; }
