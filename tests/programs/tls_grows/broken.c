#define IE __attribute__((tls_model("initial-exec"))) __thread
IE char rest[70000];
extern int no_such_function(void);
int call(void) { return ++rest[3] + no_such_function(); }
