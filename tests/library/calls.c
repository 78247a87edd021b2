/* SPDX-License-Identifier: MIT */
/*
 * The library from outside, with nothing of this tree but its header: every
 * function once, every wrong argument once.  Reports TAP.  Valid C++ too.
 */
#include <labyrinth-mm.h>

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int count, failed;

static void check(bool ok, const char *name, int line)
{
	if (!ok)
		printf("# line %d\n", line);
	printf("%sok %d - library.%s\n", ok ? "" : "not ", ++count, name);
	failed += !ok;
}

/* A whole test: @e stands for all of its expectations. */
#define CHECK(name, e) check((e), name, __LINE__)

static bool ok;		/* of the test under way */

#define AND(e)                                                               \
	do {                                                                 \
		if (!(e))                                                    \
			printf("# line %d: %s\n", __LINE__, #e), ok = false; \
	} while (0)

static char told[400];

static void tell(const char *line)
{
	snprintf(told, sizeof told, "%s", line);
}

static void before_init(void)
{
	struct lab_stats s;
	struct lab_owner_stats o;
	struct lab_info i;

	ok = true;
	AND(lab_alloc(0, LAB_OWNER) == LAB_NONE && lab_why() == LAB_NOT_READY);
	AND(lab_free(5, 0, LAB_OWNER) == LAB_NOT_READY);
	AND(lab_transfer(5, 0, LAB_OWNER, LAB_OWNER) == LAB_NOT_READY);
	AND(lab_bind(0) == LAB_NOT_READY && lab_cpu() == -1);
	AND(lab_owner_new("early") == LAB_NOBODY && lab_contents(0) == NULL);
	lab_stats(&s);
	AND(s.total == 0 && lab_audit(NULL) == 0);
	AND(lab_zone_stats(LAB_ZONE_DMA, &s) == LAB_NOT_READY);
	AND(lab_owner_stats(LAB_OWNER, &o) == LAB_NOT_READY && o.held == 0);
	lab_query(7, &i);
	AND(strcmp(i.state, "reserved") == 0);
	lab_drain();
	lab_unbind();
	lab_reset();
	CHECK("before_init", ok);
}

static void wrong_starts(void)
{
	ok = true;
	AND(lab_init(0, 0, 1) == LAB_BAD_RANGE);
	AND(lab_init(0, LAB_FRAME_END + 1ull, 1) == LAB_BAD_RANGE);
	AND(lab_init(LAB_FRAME_END, 1, 1) == LAB_BAD_RANGE);
	AND(lab_init(UINT64_MAX, 2, 1) == LAB_BAD_RANGE);
	AND(lab_init(2, UINT64_MAX, 1) == LAB_BAD_RANGE);
	AND(lab_init(0, 4096, 0) == LAB_BAD_CPUS);
	AND(lab_init(0, 4096, LAB_CPUS_MAX + 1) == LAB_BAD_CPUS);
	CHECK("wrong_starts", ok);
}

/* As many as asked for, to the last one, whatever the size and place; then all back. */
static void exactly_as_many(void)
{
	static const struct { uint64_t first; unsigned frames; } machine[] = {
		{ 0, 1 }, { 0, 2 }, { 0, 63 }, { 0, 511 }, { 0, 512 }, { 0, 4096 }, { 5, 5000 },
		{ 0, 100000 }, { LAB_DMA32_END, 70000 }, { LAB_FRAME_END - 3000, 3000 },
	};

	ok = true;
	for (size_t m = 0; m < sizeof machine / sizeof *machine; m++) {
		static lab_frame all[100001];
		uint64_t first = machine[m].first;
		unsigned n = machine[m].frames;
		struct lab_stats s;

		AND(lab_init(first, n, 3) == LAB_OK && lab_cpu() == 0);
		lab_stats(&s);
		AND(s.total == n && s.free == n && s.held == 0);
		AND(lab_alloc_bulk(n + 1, all, LAB_OWNER) == n && lab_why() == LAB_NO_MEMORY);
		for (unsigned i = 0; i < n; i++)
			AND(all[i] >= first && all[i] < first + n);
		AND(lab_alloc(0, LAB_OWNER) == LAB_NONE && lab_why() == LAB_NO_MEMORY);
		AND(lab_audit(tell) == 0);
		AND(lab_free_bulk(n, all, LAB_OWNER) == n);
		lab_drain();
		lab_stats(&s);
		AND(s.free == n && lab_audit(tell) == 0);
	}
	CHECK("exactly_as_many", ok);
}

static void a_tebibyte(void)
{
	struct lab_stats s;
	lab_frame f;

	ok = true;
	AND(lab_init(0, 1u << 28, 2) == LAB_OK);
	f = lab_alloc(LAB_ORDER_MAX, LAB_OWNER);
	AND(f != LAB_NONE && f % (1u << LAB_ORDER_MAX) == 0);
	AND(lab_free(f, LAB_ORDER_MAX, LAB_OWNER) == LAB_OK);
	lab_stats(&s);
	AND(s.total == 1u << 28 && s.free == s.total);
	CHECK("a_tebibyte", ok);
}

static void wrong_calls(void)
{
	lab_frame f, g;

	ok = true;
	AND(lab_init(0, 1 << 16, 2) == LAB_OK);
	lab_on_refusal(tell);
	AND(lab_alloc(LAB_ORDER_MAX + 1, LAB_OWNER) == LAB_NONE && lab_why() == LAB_BAD_ORDER);
	AND(lab_alloc(0, LAB_NOBODY) == LAB_NONE && lab_why() == LAB_BAD_OWNER);
	AND(lab_alloc(0, 200) == LAB_NONE && lab_why() == LAB_BAD_OWNER);
	AND(lab_alloc(LAB_ORDER_MAX, LAB_OWNER) == LAB_NONE && lab_why() == LAB_NO_MEMORY);
	AND(lab_alloc_flags(0, 0, LAB_OWNER) == LAB_NONE && lab_why() == LAB_BAD_FLAGS);
	AND(lab_alloc_flags(LAB_ATOMIC | LAB_NOWAIT, 0, LAB_OWNER) == LAB_NONE);
	AND(lab_alloc_flags(0x04, 0, LAB_OWNER) == LAB_NONE && lab_why() == LAB_BAD_FLAGS);
	AND(lab_alloc_flags(LAB_ATOMIC | 0x8000, 0, LAB_OWNER) == LAB_NONE);

	/* The library refuses flags itself, and the hook does not hear of it. */
	told[0] = '\0';
	AND(lab_alloc_flags(0, 0, LAB_OWNER) == LAB_NONE && told[0] == '\0');
	AND(lab_alloc(0, LAB_NOBODY) == LAB_NONE && strstr(told, "register the owner"));
	AND(lab_alloc(LAB_ORDER_MAX + 1, LAB_OWNER) == LAB_NONE && strstr(told, "order at most"));

	f = lab_alloc(4, LAB_OWNER);
	AND(f != LAB_NONE);
	told[0] = '\0';
	AND(lab_free(f, 3, LAB_OWNER) == LAB_WRONG_ORDER && strstr(told, "kernel"));
	AND(lab_refused(LAB_WRONG_ORDER) == 1 && lab_refused(LAB_ERRORS) == 0);
	AND(lab_free(f + 1, 0, LAB_OWNER) == LAB_INSIDE_BLOCK);
	AND(lab_free(f + 1, 4, LAB_OWNER) == LAB_MISALIGNED);
	AND(lab_free(f, 40, LAB_OWNER) == LAB_MISALIGNED);
	AND(lab_free(f, 4, 9) == LAB_BAD_OWNER);
	AND(lab_free(f, 4, LAB_OWNER) == LAB_OK);
	AND(lab_free(f, 4, LAB_OWNER) == LAB_DOUBLE_FREE);
	AND(lab_free(1 << 16, 0, LAB_OWNER) == LAB_NOT_RAM);
	AND(lab_free((1 << 16) + 100, 0, LAB_OWNER) == LAB_NOT_RAM);
	AND(lab_free(1u << 30, 0, LAB_OWNER) == LAB_NOT_RAM);
	AND(lab_free(LAB_NONE, 0, LAB_OWNER) == LAB_NOT_RAM);
	g = lab_alloc(0, LAB_OWNER);
	AND(lab_free(g, 0, LAB_OWNER) == LAB_OK && lab_free(g, 0, LAB_OWNER) == LAB_DOUBLE_FREE);
	AND(lab_contents(1 << 16) == NULL && lab_contents(LAB_NONE) == NULL);
	AND(lab_fail_nth(2) == 0);
	AND((g = lab_alloc(0, LAB_OWNER)) != LAB_NONE && lab_alloc(0, LAB_OWNER) == LAB_NONE);
	AND(lab_why() == LAB_NO_MEMORY && lab_free(g, 0, LAB_OWNER) == LAB_OK);
	AND(lab_fail_nth(0) == 2);
	AND(lab_audit(tell) == 0);
	lab_on_refusal(NULL);
	CHECK("wrong_calls", ok);
}

static void owners(void)
{
	struct lab_owner_stats o;
	struct lab_stats s;
	struct lab_info i;
	lab_owner a, b;
	lab_frame f;

	ok = true;
	AND(lab_init(0, 1 << 16, 2) == LAB_OK);
	a = lab_owner_new("ariadne");
	b = lab_owner_new("theseus");
	AND(a && b && a != b && strcmp(lab_owner_name(b), "theseus") == 0);
	f = lab_alloc(2, a);
	AND(lab_free(f, 2, b) == LAB_WRONG_OWNER);
	AND(lab_owner_stats(a, &o) == LAB_OK && o.held == 4);
	AND(lab_owner_end(a) == LAB_IN_USE);
	AND(lab_transfer(f, 2, b, a) == LAB_WRONG_OWNER);
	AND(lab_transfer(f, 2, a, b) == LAB_OK);
	lab_query(f + 3, &i);
	AND(i.head == f && i.order == 2 && i.owner == b && strcmp(i.state, "held") == 0);
	AND(lab_owner_end(a) == LAB_OK && lab_owner_end(a) == LAB_BAD_OWNER);
	AND(lab_owner_stats(a, &o) == LAB_BAD_OWNER && lab_transfer(f, 2, b, a) == LAB_BAD_OWNER);
	AND(lab_free(f, 2, b) == LAB_OK);
	f = lab_alloc(0, b);
	AND(lab_share(f, b) == LAB_OK && lab_free(f, 0, b) == LAB_WRONG_STATE);
	AND(lab_unshare(f, b) == LAB_OK && lab_free(f, 0, b) == LAB_OK);
	f = lab_alloc(3, b);
	AND(lab_share(f, b) == LAB_OK && lab_free(f, 3, b) == LAB_WRONG_STATE);
	AND(lab_share(f + 1, b) == LAB_INSIDE_BLOCK);
	AND(lab_unshare(f, b) == LAB_OK && lab_free(f, 3, b) == LAB_OK);
	f = lab_alloc_flags(LAB_NOWAIT | LAB_EXCL, 0, b);
	AND(lab_share(f, b) == LAB_WRONG_STATE && lab_free(f, 0, b) == LAB_OK);
	AND(lab_zone_stats(LAB_ZONES, &s) == LAB_BAD_ZONE && s.total == 0);
	AND(lab_audit(tell) == 0);
	CHECK("owners", ok);
}

/* The peak is the most held at once, wherever it was taken and given back. */
static void peaks(void)
{
	static lab_frame f[5000];
	struct lab_owner_stats o;
	lab_owner a, b;

	ok = true;
	AND(lab_init(0, 1 << 16, 2) == LAB_OK);
	a = lab_owner_new("ariadne");
	b = lab_owner_new("theseus");
	for (unsigned round = 0; round < 100; round++) {
		AND(lab_bind(0) == LAB_OK);
		for (unsigned i = 0; i < 200; i++)
			f[i] = lab_alloc(0, a);
		AND(lab_bind(1) == LAB_OK);
		for (unsigned i = 0; i < 200; i++)
			AND(lab_free(f[i], 0, a) == LAB_OK);
	}
	AND(lab_owner_stats(a, &o) == LAB_OK && o.held == 0);
	AND(o.peak >= 200 - 64 && o.peak <= 200);
	AND(lab_alloc_bulk(5000, f, a) == 5000 && lab_free_bulk(5000, f, a) == 5000);
	AND(lab_owner_stats(a, &o) == LAB_OK && o.peak >= 5000 - 64 && o.peak <= 5000);
	for (unsigned i = 0; i < 500; i++)
		AND(lab_transfer(f[i] = lab_alloc(0, a), 0, a, b) == LAB_OK);
	AND(lab_free_bulk(500, f, b) == 500);
	AND(lab_owner_stats(b, &o) == LAB_OK && o.peak >= 500 - 64 && o.peak <= 500);
	CHECK("peaks", ok);
}

static void contents(void)
{
	lab_frame f, g;

	ok = true;
	AND(lab_init(0, 1 << 16, 1) == LAB_OK);
	f = lab_alloc(0, LAB_OWNER);
	memset(lab_contents(f), 0xa5, 4096);
	AND(lab_free(f, 0, LAB_OWNER) == LAB_OK);
	g = lab_alloc_flags(LAB_ATOMIC | LAB_ZERO, 0, LAB_OWNER);
	AND(g == f && *(unsigned char *)lab_contents(g) == 0);
	f = lab_alloc_flags(LAB_ATOMIC | LAB_DMA, 5, LAB_OWNER);
	AND(f != LAB_NONE && f < LAB_DMA_END && f % 32 == 0);
	AND(lab_audit(tell) == 0);
	CHECK("contents", ok);
}

static void *unbound(void *arg)
{
	bool *fine = (bool *)arg;

	*fine = lab_cpu() == -1 && lab_alloc(0, LAB_OWNER) == LAB_NONE &&
		lab_why() == LAB_NOT_BOUND && lab_free(0, 0, LAB_OWNER) == LAB_NOT_BOUND &&
		lab_bind(2) == LAB_BAD_CPU && lab_bind(0) == LAB_CPU_BUSY &&
		lab_bind(1) == LAB_OK && lab_bind(1) == LAB_OK && lab_cpu() == 1 &&
		lab_free(lab_alloc(0, LAB_OWNER), 0, LAB_OWNER) == LAB_OK;
	return NULL;
}

static void binding(void)
{
	pthread_t thread;
	bool fine = false;
	struct lab_stats s;

	ok = true;
	AND(lab_init(0, 1 << 16, 2) == LAB_OK);
	for (int i = 0; i < 2; i++) {
		AND(pthread_create(&thread, NULL, unbound, &fine) == 0);
		pthread_join(thread, NULL);
		AND(fine);
	}
	lab_stats(&s);
	AND(s.cached == 0);		/* the end of the thread drained its CPU */
	AND(lab_bind(1) == LAB_OK && lab_cpu() == 1);
	lab_reset();
	AND(lab_cpu() == -1 && lab_alloc(0, LAB_OWNER) == LAB_NONE);
	AND(lab_why() == LAB_NOT_READY);
	CHECK("binding", ok);
}

static void say_it(const char *line)
{
	fprintf(stderr, "hooked: %s\n", line);
}

/* What a child writes to standard error that finds its metadata overwritten. */
static int broken_child(void (*hook)(const char *), char *said, size_t size)
{
	int end[2], status = 0;
	ssize_t n;
	pid_t child;

	if (pipe(end) || (child = fork()) < 0)
		return 0;
	if (child == 0) {
		dup2(end[1], STDERR_FILENO);
		lab_on_panic(hook);
		lab_init(0, 1 << 16, 1);
		/* The words of the frames stand behind the last frame's contents. */
		memset((char *)lab_contents((1 << 16) - 1) + 4096, 0xa5, 8 << 16);
		for (int i = 0; i < 1000; i++)
			lab_alloc(0, LAB_OWNER);
		_exit(0);
	}
	close(end[1]);
	n = read(end[0], said, size - 1);
	said[n > 0 ? n : 0] = '\0';
	close(end[0]);
	waitpid(child, &status, 0);
	return status;
}

static void panics(void)
{
	char said[400];
	int status;

	ok = true;
	status = broken_child(NULL, said, sizeof said);
	AND(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	AND(strncmp(said, "labyrinth-mm: panic: frame 0x", 29) == 0);
	status = broken_child(say_it, said, sizeof said);
	AND(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	AND(strncmp(said, "hooked: frame 0x", 16) == 0);
	CHECK("panics", ok);
}

static void words(void)
{
	ok = true;
	for (int e = 0; e < LAB_ERRORS; e++)
		AND(strcmp(lab_error_name(e), "unknown") != 0);
	AND(strcmp(lab_error_name(-1), "unknown") == 0);
	AND(strcmp(lab_error_name(LAB_ERRORS), "unknown") == 0);
	CHECK("words", ok);
}

int main(void)
{
	setvbuf(stdout, NULL, _IONBF, 0);	/* a child must not print our lines again */
	before_init();
	wrong_starts();
	exactly_as_many();
	a_tebibyte();
	wrong_calls();
	owners();
	peaks();
	contents();
	binding();
	panics();
	words();
	printf("1..%d\n", count);
	return failed != 0;
}
