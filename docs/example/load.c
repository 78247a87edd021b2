/* SPDX-License-Identifier: MIT */
/*
 * A load of one's own on Labyrinth's page allocator, as a library: two threads
 * pass blocks to each other, then everything is counted and checked.
 * docs/library.md tells how to compile and run it.
 */
#include <labyrinth-mm.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { FRAMES = 1 << 18, CPUS = 2, ROUNDS = 1000000, SLOTS = 4096 };

static _Atomic lab_frame slot[SLOTS];	/* blocks on their way from one to the other */
static lab_owner sender, receiver;

/* What a wrong call answers is a number; this is how to show it. */
static void must(int error, const char *what)
{
	if (error != LAB_OK) {
		fprintf(stderr, "%s: %s\n", what, lab_error_name(error));
		exit(EXIT_FAILURE);
	}
}

/* The other CPU: takes what lies in the slots and frees it. */
static void *receive(void *arg)
{
	(void)arg;
	must(lab_bind(1), "lab_bind");
	for (unsigned got = 0, i = 0; got < ROUNDS; i++) {
		lab_frame f = atomic_exchange(&slot[i % SLOTS], LAB_NONE);

		if (f == LAB_NONE)
			continue;
		must(lab_free(f, 0, receiver), "lab_free");
		got++;
	}
	return NULL;
}

static void send(void)
{
	for (unsigned sent = 0, i = 0; sent < ROUNDS; i++) {
		if (atomic_load(&slot[i % SLOTS]) != LAB_NONE)
			continue;
		lab_frame f = lab_alloc(0, sender);
		if (f == LAB_NONE)
			must(lab_why(), "lab_alloc");
		must(lab_transfer(f, 0, sender, receiver), "lab_transfer");
		atomic_store(&slot[i % SLOTS], f);
		sent++;
	}
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The best of some: in each of them the system may have given the processor to others. */
static void hot_pair(void)
{
	enum { TRIES = 20, PAIRS = 100000 };
	double best = 1e9;

	for (unsigned n = 0; n < TRIES; n++) {
		double start = seconds(), took;

		for (unsigned i = 0; i < PAIRS; i++)
			lab_free(lab_alloc(0, sender), 0, sender);
		took = seconds() - start;
		best = took < best ? took : best;
	}
	printf("one frame, out and back: %.1f ns\n", best / PAIRS * 1e9);
}

static void complain(const char *what)
{
	printf("audit: %s\n", what);
}

static void count(void)
{
	struct lab_stats s;
	struct lab_owner_stats o;

	lab_drain();
	lab_stats(&s);
	printf("%llu frames, %llu free, %llu held\n", (unsigned long long)s.total,
	       (unsigned long long)s.free, (unsigned long long)s.held);
	for (unsigned order = 0; order < LAB_ORDERS; order++)
		if (s.blocks[order])
			printf("  %6llu free blocks of order %u\n",
			       (unsigned long long)s.blocks[order], order);
	must(lab_owner_stats(sender, &o), "lab_owner_stats");
	/* The peak may leave out 64 a CPU, of single frames: what is given back at once. */
	printf("%s never held more than %llu frames\n", lab_owner_name(sender),
	       (unsigned long long)o.peak + 64 * CPUS);
	printf("%.2f bytes of metadata a frame\n", (double)lab_metadata_bytes() / FRAMES);
}

int main(void)
{
	pthread_t other;

	must(lab_init(0, FRAMES, CPUS), "lab_init");	/* this thread is now CPU 0 */
	sender = lab_owner_new("ariadne");
	receiver = lab_owner_new("theseus");
	hot_pair();

	for (unsigned i = 0; i < SLOTS; i++)
		slot[i] = LAB_NONE;
	if (pthread_create(&other, NULL, receive, NULL) != 0)
		return EXIT_FAILURE;
	send();
	pthread_join(other, NULL);
	count();

	/* A wrong call changes nothing and says what is wrong. */
	lab_frame block = lab_alloc(3, sender);
	printf("freed by the wrong owner: %s\n", lab_error_name(lab_free(block, 3, receiver)));
	must(lab_free(block, 3, sender), "lab_free");

	size_t faults = lab_audit(complain);
	printf("audit: %zu faults\n", faults);
	lab_reset();
	return faults ? EXIT_FAILURE : EXIT_SUCCESS;
}
