int callee(int n) { return n + 1; }
int caller(int n) { return callee(n) + callee(n + 1); }
