// `normal` can be interposed; `shielded` (STV_PROTECTED) cannot, seen from in here.
int normal(void) { return 1; }
__attribute__((visibility("protected"))) int shielded(void) { return 2; }
__attribute__((visibility("protected"))) int shielded_data = 3;
int call_normal(void) { return normal(); }
int call_shielded(void) { return shielded(); }
int read_shielded_data(void) { return shielded_data; }
