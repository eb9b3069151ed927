// Names a thousand symbols that nobody has.
// clang-format off
#define TEN(M, n) M(n##0) M(n##1) M(n##2) M(n##3) M(n##4) M(n##5) M(n##6) M(n##7) M(n##8) M(n##9)
#define HUNDRED(M, n) TEN(M, n##0) TEN(M, n##1) TEN(M, n##2) TEN(M, n##3) TEN(M, n##4) \
                      TEN(M, n##5) TEN(M, n##6) TEN(M, n##7) TEN(M, n##8) TEN(M, n##9)
#define THOUSAND(M) HUNDRED(M, 0) HUNDRED(M, 1) HUNDRED(M, 2) HUNDRED(M, 3) HUNDRED(M, 4) \
                    HUNDRED(M, 5) HUNDRED(M, 6) HUNDRED(M, 7) HUNDRED(M, 8) HUNDRED(M, 9)
#define DECLARE(n) extern char a_symbol_with_a_long_name_that_takes_memory_to_remember_##n;
#define ADDRESS(n) &a_symbol_with_a_long_name_that_takes_memory_to_remember_##n,
THOUSAND(DECLARE)
char* all[] = {THOUSAND(ADDRESS)};
