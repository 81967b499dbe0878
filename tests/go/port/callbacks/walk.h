#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
	double x;
	int32_t n;
} place;

typedef int (*visit_t)(void *user, const char *text, size_t length);

int walk(const char *text, visit_t visit, void *user);
int walk_on_thread(const char *text, visit_t visit, void *user);
double all_kinds(void);
int truth(int n);
place moved(place p, int by);
