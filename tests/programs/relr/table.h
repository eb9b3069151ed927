// A table of pointers with holes: runs of bits, gaps, and an odd one out, for every form of a RELR
// entry.
static int targets[3000];
struct entry {
  int* pointer;
  long holes[3];
};
#define H(i)                                                                                       \
  {                                                                                                \
    &targets[i], { 0 }                                                                             \
  }
static struct entry sparse[] = {[0] = H(0), [40] = H(1), [41] = H(2), [2000] = H(3)};
static int* dense[3000] = {[0 ... 2999] = targets + 5};
static int* volatile lone = targets + 9;

static int count_right(void) {
  int right = 0;
  for (int i = 0; i < 3000; i++) right += dense[i] == targets + 5;
  if (sparse[0].pointer != targets || sparse[40].pointer != targets + 1) right = -1;
  if (sparse[41].pointer != targets + 2 || sparse[2000].pointer != targets + 3) right = -2;
  if (sparse[39].pointer || sparse[1].holes[0] || lone != targets + 9) right = -3;
  return right;
}
