#include "mapping.h"
#include <errno.h>

int variable = 41;
struct point origin = { 3, 4 };
const char *const words[3] = { "one", "two", "three" };
int table[4] = { 1, 2, 3, 4 };

int add(int a, int b) { return a + b; }
point_t swap(point_t p) { point_t q = { p.y, p.x }; return q; }
struct nested *null_nested(void) { return 0; }
double mean(const double *v, size_t n) { double s = 0; for (size_t i = 0; i < n; i++) s += v[i]; return n ? s / n : 0; }
bool both(bool a, bool b) { return a && b; }
int fails(int code) { errno = code; return -code; }
void sets_errno(int code) { errno = code; }
int64_t of_union(union value v) { return v.i; }
pun as_pun(float f) { pun p; p.f = f; return p; }
enum color next_color(enum color c) { return c == RED ? GREEN : BLUE; }
int apply(operation op, int a, int b) { return op(a, b); }
uint8_t first(const uint8_t text[4]) { return text[0]; }
float half(float f) { return f / 2; }
named make_named(int x) { named n = { "made", { x, x }, 0 }; return n; }
signed char tiny(signed char c) { return c - 1; }
