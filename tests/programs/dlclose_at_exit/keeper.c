extern void kept_for(const char* whom);
__attribute__((constructor)) static void begin(void) { kept_for("keeper"); }
