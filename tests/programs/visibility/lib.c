#define PROTECTED __attribute__((visibility("protected")))
#define HIDDEN __attribute__((visibility("hidden")))
PROTECTED int protected_function(void) { return 2; }
HIDDEN int hidden_function(void) { return 2; }
int ordinary_function(void) { return 2; }
PROTECTED int protected_object = 2;
int call_protected(void) { return protected_function(); }
int call_hidden(void) { return hidden_function(); }
int call_ordinary(void) { return ordinary_function(); }
int read_protected(void) { return protected_object; }
