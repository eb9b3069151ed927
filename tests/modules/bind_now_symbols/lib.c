void ordinary(void) {}
