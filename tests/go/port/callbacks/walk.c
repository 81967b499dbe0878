#include "_cgo_export.h"
#include <pthread.h>
#include <string.h>

/* Calls visit for each word; ends when that gives a number other than 0, which it returns. */
int walk(const char *text, visit_t visit, void *user) {
	for (;;) {
		text += strspn(text, " ");
		size_t length = strcspn(text, " ");
		if (length == 0)
			return 0;
		int result = visit(user, text, length);
		if (result != 0)
			return result;
		text += length;
	}
}

struct job {
	const char *text;
	visit_t visit;
	void *user;
	int result;
};

static void *work(void *arg) {
	struct job *job = arg;
	job->result = walk(job->text, job->visit, job->user);
	return NULL;
}

int walk_on_thread(const char *text, visit_t visit, void *user) {
	struct job job = {text, visit, user, -1};
	pthread_t thread;
	if (pthread_create(&thread, NULL, work, &job) != 0)
		return -1;
	pthread_join(thread, NULL);
	return job.result;
}

double all_kinds(void) {
	uint8_t byte = 200;
	return goKinds(-1, 2, byte, -4, 5, 1, 2.5, 3.25, &byte) + goCount();
}

int truth(int n) {
	return 10 * goNot(n != 0) + (goSame(n != 0) ? 1 : 0);
}

place moved(place p, int by) {
	goTold(NULL);
	return goMoved(p, by);
}
