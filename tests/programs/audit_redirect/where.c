const char* where(void) { return PLACE; }
