/* SPDX-License-Identifier: MIT */
/*
 * Benchmarks of page allocators in a Linux process: the kernel's own beside the
 * textbook one, in the same run, in nanoseconds and in units of one uncontended
 * lock-prefixed compare-and-swap measured in between.
 */
#include "bench.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../arch/host/machine.h"
#include "../conformance/allocator.h"
#include "fragmentation.h"

#define FRAMES  (1u << 18)		/* 1 GiB */
#define REPEATS 7u
#define ALLOCATORS 2u

const struct bench_case bench_cases[] = {
	{ "hot", "one alloc and one free", false, false },
	{ "hot_half_full", "one alloc and one free", false, false },
	{ "bulk_alloc", "one alloc", false, false },
	{ "free_in_order", "one free", false, false },
	{ "free_shuffled", "one free", false, false },
	{ "replace_90", "one free and one alloc", false, false },
	{ "handoff", "one alloc here and one free there, side by side", false, true },
	{ "batch_64", "a page allocated and freed in batches of 64", true, false },
};
const unsigned bench_ncases = sizeof(bench_cases) / sizeof(*bench_cases);

static const struct bench_allocator *const allocators[ALLOCATORS] = {
	&bench_labyrinth, &bench_textbook,
};
static const unsigned orders[] = { 0, 3, 6, 9 };

struct options {
	unsigned repeats;
	bool fragmentation;
	const char *only;		/* part of a case's name */
	const char *csv;
};

static double ns_per_tick, lock_cas_ns, plain_cas_ns;

/* --- numbers */

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v, unsigned n)
{
	if (n == 0)
		return 0;
	qsort(v, n, sizeof(*v), compare);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void calibrate_clock(void)
{
	uint64_t ns = now_ns(), ticks = bench_ticks();

	while (now_ns() - ns < 100000000)
		continue;
	ns_per_tick = (double)(now_ns() - ns) / (double)(bench_ticks() - ticks);
}

/*
 * One compare-and-swap on a word that nobody else touches.  The value expected is
 * known beforehand, as in a loop that has just loaded it.
 */
static double time_cas(bool locked)
{
	static _Alignas(64) uint64_t word;
	double sample[101];

	for (unsigned s = 0; s < 101; s++) {
		uint64_t value = word, start = bench_ticks();

		for (unsigned i = 0; i < 5000; i++, value++) {
			uint64_t old = value;

			if (locked)
				__asm__ volatile("lock cmpxchgq %2, %1"
						 : "+a"(old), "+m"(word) : "r"(value + 1) : "cc");
			else
				__asm__ volatile("cmpxchgq %2, %1"
						 : "+a"(old), "+m"(word) : "r"(value + 1) : "cc");
		}
		sample[s] = (double)(bench_ticks() - start) / 5000 * ns_per_tick;
	}
	return median(sample, 101);
}

/* --- threads */

void bench_meet(struct bench_worker *w)
{
	struct bench_barrier *b = w->barrier;
	unsigned round = atomic_load(&b->round);

	if (atomic_fetch_add(&b->waiting, 1) + 1 == b->threads) {
		atomic_store(&b->waiting, 0);
		atomic_fetch_add(&b->round, 1);
		return;
	}
	for (unsigned spins = 0; atomic_load(&b->round) == round; spins++)
		if (spins > 10000)
			sched_yield();		/* there are fewer cores than threads */
}

static cpu_set_t allowed;		/* cores that this process may use */

static unsigned count_cores(void)
{
	unsigned n = 2;

	CPU_ZERO(&allowed);
	if (sched_getaffinity(0, sizeof allowed, &allowed) == 0)
		n = (unsigned)CPU_COUNT(&allowed);
	return n < 2 ? 2 : n < BENCH_THREADS_MAX ? n : BENCH_THREADS_MAX;
}

/* To the @n-th of the cores allowed. */
static void pin(unsigned n)
{
	unsigned cores = (unsigned)CPU_COUNT(&allowed);
	cpu_set_t one;

	CPU_ZERO(&one);
	n %= cores ? cores : 1;
	for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &allowed) && n-- == 0)
			CPU_SET(cpu, &one);
	if (CPU_COUNT(&one) > 0)
		pthread_setaffinity_np(pthread_self(), sizeof one, &one);
}

struct job {
	const struct bench_allocator *a;
	void (*run)(struct bench_worker *w);
	struct bench_worker w;
};

static atomic_ullong threads_ns, waited_ns;	/* of all threads; of that, for a core */

static uint64_t ns_on_core(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void *job_main(void *arg)
{
	struct job *j = arg;

	pin(j->w.cpu);
	host_bind_cpu(j->w.cpu);
	uint64_t ns = now_ns(), on_core = ns_on_core();
	j->run(&j->w);
	ns = now_ns() - ns;
	on_core = ns_on_core() - on_core;
	atomic_fetch_add(&threads_ns, ns);
	atomic_fetch_add(&waited_ns, ns > on_core ? ns - on_core : 0);
	j->a->drain();
	return NULL;
}

static void *must(void *p)
{
	if (!p) {
		fprintf(stderr, "bench: out of memory\n");
		exit(2);
	}
	return p;
}

static void prepare(struct job *j, unsigned cpu, unsigned threads, unsigned order, size_t frames)
{
	uint64_t r = 0x9e3779b97f4a7c15u * (cpu + 1);

	j->w = (struct bench_worker){ .cpu = cpu, .threads = threads, .order = order,
				      .owner = { 2 }, .share = (frames >> order) / threads,
				      .batch = 2048 };
	j->w.window = j->w.share < BENCH_RING ? j->w.share : BENCH_RING;
	j->w.block = must(calloc(j->w.share, sizeof(*j->w.block)));
	j->w.random = must(calloc(j->w.share, sizeof(*j->w.random)));
	for (size_t i = 0; i < j->w.share; i++) {
		r = r * 6364136223846793005u + 1442695040888963407u;	/* Knuth, MMIX */
		j->w.random[i] = (uint32_t)(r >> 32);
	}
}

/* Run one case once.  Return: nanoseconds an operation, the median of all samples. */
static double run_once(const struct bench_allocator *a, unsigned c, unsigned order,
		       unsigned threads, size_t frames)
{
	struct job *job = must(calloc(threads, sizeof(*job)));
	double *all = must(calloc(threads, BENCH_SAMPLES * sizeof(*all)));
	struct bench_ring *ring = must(aligned_alloc(64, (threads / 2 + 1) * sizeof(*ring)));
	struct bench_barrier barrier = { .threads = threads };
	pthread_t thread[BENCH_THREADS_MAX];
	unsigned n = 0;

	memset(ring, 0, (threads / 2 + 1) * sizeof(*ring));
	for (unsigned i = 0; i < threads; i++) {
		job[i].a = a;
		job[i].run = a->run[c];
		prepare(&job[i], i, threads, order, frames);
		job[i].w.barrier = &barrier;
		job[i].w.ring = &ring[i / 2];
		if (pthread_create(&thread[i], NULL, job_main, &job[i]) != 0)
			must(NULL);
	}
	for (unsigned i = 0; i < threads; i++) {
		pthread_join(thread[i], NULL);
		if (job[i].w.failed) {
			fprintf(stderr, "bench: %s: %s, order %u: an allocation failed\n", a->name,
				bench_cases[c].name, order);
			exit(1);
		}
		memcpy(all + n, job[i].w.sample, job[i].w.n * sizeof(*all));
		n += job[i].w.n;
		free(job[i].w.block);
		free(job[i].w.random);
	}
	double ns = median(all, n) * ns_per_tick;
	free(job);
	free(all);
	free(ring);
	return ns;
}

/* --- the table */

/*
 * Of several runs: alone, the best one, since all that can happen to it makes it
 * slower; with others, the median, since the best one may have been alone.
 */
static double best_or_median(double *v, unsigned n, unsigned threads)
{
	double m = median(v, n);		/* sorts */

	return threads == 1 ? v[0] : m;
}

static size_t frames_free(const struct allocator_ops *a)
{
	struct zone_stats s;
	size_t sum = 0;

	for (unsigned z = 0; z < ZONE_COUNT; z++) {
		a->zone(z, &s);
		sum += s.free;
	}
	return sum;
}

static void calibrate(void)
{
	double lock[REPEATS], plain[REPEATS];

	for (unsigned i = 0; i < REPEATS; i++) {
		lock[i] = time_cas(true);
		plain[i] = time_cas(false);
	}
	lock_cas_ns = best_or_median(lock, REPEATS, 1);
	plain_cas_ns = best_or_median(plain, REPEATS, 1);
}

static void print_row(const struct options *o, FILE *csv, unsigned c, unsigned order,
		      unsigned threads, double ns[ALLOCATORS][REPEATS])
{
	double m[ALLOCATORS];

	printf("%-14s %5u %7u", bench_cases[c].name, order, threads);
	for (unsigned a = 0; a < ALLOCATORS; a++) {
		m[a] = best_or_median(ns[a], o->repeats, threads);
		printf("  %8.1f %7.2f", m[a], m[a] / lock_cas_ns);
		if (csv)
			fprintf(csv, "%s,%s,%u,%u,%.2f,%.3f\n", allocators[a]->name,
				bench_cases[c].name, order, threads, m[a], m[a] / lock_cas_ns);
	}
	printf("  %6.1f x\n", m[1] / m[0]);
	fflush(stdout);
}

static void run_row(const struct options *o, FILE *csv, unsigned c, unsigned order,
		    unsigned threads, size_t frames)
{
	double ns[ALLOCATORS][REPEATS];

	/* In turns, so that a busy moment of the machine hits both alike. */
	for (unsigned r = 0; r < o->repeats; r++)
		for (unsigned a = 0; a < ALLOCATORS; a++)
			ns[a][r] = run_once(allocators[a], c, order, threads, frames);
	print_row(o, csv, c, order, threads, ns);
}

static void print_head(const struct options *o, unsigned cpus, size_t frames)
{
	printf("1 GiB, %zu frames for both; %u CPUs; medians of many samples; of %u runs in turns\n"
	       "the best with one thread, the median with more\n", frames, cpus, o->repeats);
	printf("one compare-and-swap, uncontended: %.2f ns with lock prefix, %.2f ns without\n",
	       lock_cas_ns, plain_cas_ns);
	printf("cas: the time in units of the one with lock prefix\n\none operation is\n");
	for (unsigned c = 0; c < bench_ncases; c++)
		printf("  %-14s %s\n", bench_cases[c].name, bench_cases[c].operation);
	printf("\n%-28s  %16s  %16s\n", "", "labyrinth", "textbook");
	printf("%-14s %5s %7s  %8s %7s  %8s %7s\n", "case", "order", "threads", "ns", "cas", "ns",
	       "cas");
}

static void run_all(const struct options *o, FILE *csv, unsigned cpus, size_t frames)
{
	for (unsigned c = 0; c < bench_ncases; c++) {
		if (o->only && !strstr(bench_cases[c].name, o->only))
			continue;
		for (unsigned k = 0; k < sizeof(orders) / sizeof(*orders); k++) {
			if (bench_cases[c].order0_only && orders[k] > 0)
				continue;
			for (unsigned t = 1; t <= cpus; t = t < 2 ? 2 : cpus > t ? cpus : cpus + 1)
				if (!bench_cases[c].pairs || t % 2 == 0)
					run_row(o, csv, c, orders[k], t, frames);
		}
	}
}

#define BUSY_PERCENT 3u

/* Two threads that do not run at once do not disturb each other, and seem faster than they are. */
static void print_if_busy(void)
{
	unsigned long long all = atomic_load(&threads_ns), waited = atomic_load(&waited_ns);

	if (waited * 100 > all * BUSY_PERCENT)
		printf("\nThe machine was busy: threads waited for a core for %llu %% of their "
		       "time.\nFigures with several threads mean little then; stop other programs, "
		       "and\nrun this again.\n", waited * 100 / all);
}

static size_t start_both(unsigned cpus)
{
	static const struct frame_range ram = { BENCH_FIRST, BENCH_FIRST + FRAMES };
	size_t l, t;

	if (labyrinth_ops.start(&ram, 1, cpus) != 0 || textbook_ops.start(&ram, 1, cpus) != 0)
		exit(2);
	for (unsigned i = 0; i < 2; i++) {
		owner_t o = labyrinth_ops.owner("bench");

		while (textbook_ops.owner("bench").id < o.id)
			continue;
	}
	l = frames_free(&labyrinth_ops);
	t = frames_free(&textbook_ops);
	return l < t ? l : t;
}

static void usage(void)
{
	fprintf(stderr, "usage: bench [--quick] [--no-fragmentation] [--csv FILE] [CASE]\n"
		"Runs the cases whose name contains CASE, or all and the fragmentation test.\n");
	exit(2);
}

static struct options parse(int argc, char **argv)
{
	struct options o = { .repeats = REPEATS, .fragmentation = true };

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--quick"))
			o.repeats = 3;
		else if (!strcmp(argv[i], "--no-fragmentation"))
			o.fragmentation = false;
		else if (!strcmp(argv[i], "--csv") && i + 1 < argc)
			o.csv = argv[++i];
		else if (argv[i][0] == '-' || o.only)
			usage();
		else
			o.only = argv[i];
	}
	return o;
}

int main(int argc, char **argv)
{
	struct options o = parse(argc, argv);
	unsigned cpus = count_cores();
	FILE *csv = o.csv ? fopen(o.csv, "w") : NULL;

	if (o.csv && !csv) {
		perror(o.csv);
		return 2;
	}
	if (csv)
		fprintf(csv, "allocator,case,order,threads,ns,cas\n");
	pin(0);
	calibrate_clock();
	calibrate();
	size_t frames = start_both(cpus);
	print_head(&o, cpus, frames);
	run_all(&o, csv, cpus, frames);
	print_if_busy();
	if (o.fragmentation && (!o.only || strstr("fragmentation", o.only)))
		fragmentation_run(csv);
	if (csv)
		fclose(csv);
	return 0;
}
