int depdep_value(void) { return 10; }
