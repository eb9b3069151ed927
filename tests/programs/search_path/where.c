#define TEXT(x) #x
#define QUOTE(x) TEXT(x)
const char* WHAT(void) { return QUOTE(PLACE); }
