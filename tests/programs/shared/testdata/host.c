// Loads the Go library named on the command line and calls it from the main thread and from one of its own.
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>

static int (*check)(void);
static _Thread_local int calls = 40;

static void *in_a_thread(void *unused) {
	(void)unused;
	int status = check();
	return (void *)(intptr_t)(status | (++calls != 41));
}

int main(int argc, char **argv) {
	if (argc != 2)
		return 2;
	void *library = dlopen(argv[1], RTLD_NOW);
	if (!library) {
		fprintf(stderr, "%s\n", dlerror());
		return 2;
	}
	check = (int (*)(void))dlsym(library, "CheckFixtures");
	if (!check) {
		fprintf(stderr, "%s\n", dlerror());
		return 2;
	}
	int status = check() | (++calls != 41);
	pthread_t thread;
	void *in_thread = (void *)1;
	if (pthread_create(&thread, NULL, in_a_thread, NULL) != 0 || pthread_join(thread, &in_thread) != 0)
		return 2;
	return status | (int)(intptr_t)in_thread;
}
