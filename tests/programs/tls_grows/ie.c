#define IE __attribute__((tls_model("initial-exec"))) __thread
IE int object = 5;
IE char rest[BYTES];
int increment(void) {
  ++rest[0];
  ++rest[BYTES - 1];
  return rest[0] == rest[BYTES - 1] ? ++object : -1;
}
