/* SPDX-License-Identifier: MIT */
/*
 * A driver's receive path, on a page pool.  The network card is the test's: a
 * debug exception after every instruction of the driver's thread stands for its
 * interrupt, so that packets arrive in the middle of everything the thread does.
 */
#define SUITE "pool_rx"
#include <tests/test.h>

#include <arch/atomic.h>
#include <arch/trap.h>
#include <labyrinth/mm.h>
#include <labyrinth/pool.h>

#define RING_SIZE    16u
#define VECTOR_DEBUG 1u
#define PACKETS      400u

/* The queue: the interrupt writes at head, the thread reads at tail. */
static struct queue {
	struct pool *pool;
	void *ring[RING_SIZE];
	atom64_t head, tail;
	uint64_t arrived;		/* packets; each carries its number */
	uint64_t dropped;
	unsigned every;			/* interrupts to a packet */
	uint64_t interrupts;
} queue;

/* The handler: a page for the packet, the packet into it, the page into the ring. */
static void receive(struct queue *q)
{
	uint64_t head = atom_peek(&q->head);
	uint64_t *page = NULL;

	if (head - atom_load(&q->tail) < RING_SIZE)
		page = pool_take(q->pool);
	if (!page) {
		q->dropped++;
		return;
	}
	page[0] = q->arrived;
	page[PAGE_SIZE / sizeof(*page) - 1] = ~q->arrived;
	q->arrived++;
	q->ring[head % RING_SIZE] = page;
	/* Pairs with the load in next_packet(): the packet is in the ring, then it counts. */
	atom_store(&q->head, head + 1);
}

static bool on_interrupt(struct trap_frame *f)
{
	(void)f;
	if (++queue.interrupts % queue.every == 0)
		receive(&queue);
	return true;
}

/* The thread: the oldest packet, if there is one. */
static uint64_t *next_packet(struct queue *q)
{
	uint64_t tail = atom_peek(&q->tail);
	uint64_t *page = NULL;

	if (atom_load(&q->head) != tail) {
		page = q->ring[tail % RING_SIZE];
		atom_store(&q->tail, tail + 1);
	}
	return page;
}

/* RFLAGS.TF: a debug exception after each instruction.  Intel SDM vol. 3, 18.3.1.4. */
static void let_packets_arrive(void)
{
	__asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq" : : : "memory", "cc");
}

static void let_no_packets_arrive(void)
{
	__asm__ volatile("pushfq; andq $~0x100, (%%rsp); popfq" : : : "memory", "cc");
}

/* Return: packets that were not what they should be. */
static unsigned handle_packets(struct queue *q, uint64_t n)
{
	unsigned wrong = 0;

	for (uint64_t next = 0; next < n;) {
		uint64_t *page = next_packet(q);

		if (!page)
			continue;
		wrong += page[0] != next || page[PAGE_SIZE / sizeof(*page) - 1] != ~next;
		wrong += pool_give(q->pool, page) != PAGE_OK;
		next++;
	}
	return wrong;
}

static void run_queue(unsigned every)
{
	owner_t driver = owner_register("network card");
	struct pool_stats s;
	struct owner_stats o;
	uint64_t *page;

	queue = (struct queue){ .every = every };
	queue.pool = pool_create(driver, GFP_ATOMIC, 8, 24);
	ASSERT(queue.pool);
	trap_handler_t old = trap_set_handler(VECTOR_DEBUG, on_interrupt);
	let_packets_arrive();
	unsigned wrong = handle_packets(&queue, PACKETS);
	let_no_packets_arrive();
	trap_set_handler(VECTOR_DEBUG, old);
	EXPECT_EQ(wrong, 0);

	while ((page = next_packet(&queue)))
		EXPECT_EQ(pool_give(queue.pool, page), PAGE_OK);
	pool_stats(queue.pool, &s);
	owner_stats(driver, &o);
	EXPECT_EQ(s.takes, queue.arrived);
	EXPECT_EQ(s.gives, queue.arrived);
	EXPECT_EQ(s.misses, 0);
	EXPECT_EQ(s.level, s.bought - s.passed_on);
	EXPECT_EQ(o.held, s.level + 1);
	test_note("%llu interrupts, %llu packets, %llu dropped; the pool: least %u, %llu refills",
		  (unsigned long long)queue.interrupts, (unsigned long long)queue.arrived,
		  (unsigned long long)queue.dropped, s.least, (unsigned long long)s.refills);
	EXPECT_EQ(pool_destroy(queue.pool), s.level);
	EXPECT_EQ(owner_unregister(driver), 0);
}

TEST(a_packet_every_few_instructions)
{
	run_queue(311);
}

/* More than the thread can handle: the ring is full most of the time, packets are dropped. */
TEST(a_flood)
{
	run_queue(1);
	EXPECT_CMP(queue.dropped, >, 0);
}
