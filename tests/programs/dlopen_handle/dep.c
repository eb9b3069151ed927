extern int depdep_value(void);
int dep_value(void) { return depdep_value() + 30; }
