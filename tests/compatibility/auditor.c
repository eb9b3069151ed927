// An auditor that tells on standard error which hooks were called: small, so that what it prints is
// compared whole.
#define _GNU_SOURCE
#include <link.h>
#include <stdio.h>
#include <string.h>

#ifndef NAME
#define NAME "audit"
#endif
static const char* base(const char* path) {
  const char* slash = strrchr(path, '/');
  return slash == NULL ? path : slash + 1;
}
unsigned la_version(unsigned version) {
  fprintf(stderr, NAME ": version %u\n", version);
  return LAV_CURRENT;
}
void la_activity(uintptr_t* cookie, unsigned flag) {
  fprintf(stderr, NAME ": activity %u\n", flag);
}
char* la_objsearch(const char* name, uintptr_t* cookie, unsigned flag) {
  fprintf(stderr, NAME ": objsearch %s %u\n", base(name), flag);
  return (char*)name;
}
unsigned la_objopen(struct link_map* map, Lmid_t lmid, uintptr_t* cookie) {
  fprintf(stderr, NAME ": objopen %s %ld\n", base(map->l_name), (long)lmid);
  return LA_FLG_BINDTO | LA_FLG_BINDFROM;
}
unsigned la_objclose(uintptr_t* cookie) {
  fprintf(stderr, NAME ": objclose\n");
  return 0;
}
void la_preinit(uintptr_t* cookie) { fprintf(stderr, NAME ": preinit\n"); }
