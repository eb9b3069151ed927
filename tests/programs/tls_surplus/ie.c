#define IE __attribute__((tls_model("initial-exec"))) __thread
IE int object = 5;
IE char rest[BYTES];
int increment(void) {
  ++rest[BYTES - 1];
  return ++object;
}
