extern int dep_value(void);
extern int defined_nowhere(void) __attribute__((weak));

int top_object = 7;
int top_value(void) { return dep_value() + 2; }
int read_top_object(void) { return top_object; }

__attribute__((visibility("hidden"), noinline)) int hidden_part(void) { return 1; }
__attribute__((noinline)) static int static_part(void) { return 2; }
int sum_of_private_parts(void) { return hidden_part() + static_part(); }

int has_weak_reference(void) { return defined_nowhere != 0; }
