/* SPDX-License-Identifier: MIT */
/* Reading the live tables: rights are what all levels together allow (SDM vol. 3, 4.6). */
#include <arch/pagetable.h>

#include <arch/directmap.h>
#include <port/io.h>
#include <port/paging.h>

/* As directmap_init() set the page attribute table. */
static const char *cache_name(pte_t e, unsigned level)
{
	static const char *const names[8] = {
		"write-back", "write-through", "uncached-minus", "uncached",
		"write-combining", "write-through", "uncached-minus", "uncached",
	};
	pte_t pat = level == 1 ? PTE_PAT : PTE_PAT_LARGE;

	return names[(e & PTE_PWT ? 1 : 0) | (e & PTE_PCD ? 2 : 0) | (e & pat ? 4 : 0)];
}

static const pte_t *root(void)
{
	return directmap_of((phys_t){ read_cr3() & PTE_ADDRESS });
}

static bool is_leaf(pte_t e, unsigned level)
{
	return level == 1 || (level < TABLE_LEVELS && (e & PTE_LARGE));
}

/* @e with only those rights that the entries above, summed up in @above, grant too. */
static pte_t restrict_rights(pte_t e, pte_t above)
{
	e &= above | ~(pte_t)(PTE_WRITE | PTE_USER);
	return e | (above & PTE_NX);
}

static struct mapping describe(pte_t e, unsigned level, uint64_t virt)
{
	return (struct mapping){
		.virt = virt,
		.phys = e & PTE_ADDRESS & ~(level_size(level) - 1),
		.size = level_size(level),
		.writable = e & PTE_WRITE,
		.executable = !(e & PTE_NX),
		.user = e & PTE_USER,
		.cache = cache_name(e, level),
	};
}

bool pagetable_lookup(const void *v, struct mapping *out)
{
	uint64_t virt = (uint64_t)v;
	const pte_t *table = root();
	pte_t rights = PTE_WRITE | PTE_USER;

	for (unsigned level = TABLE_LEVELS; level > 0; level--) {
		pte_t e = table[level_index(virt, level)];

		if (!(e & PTE_PRESENT))
			return false;
		e = restrict_rights(e, rights);
		if (is_leaf(e, level)) {
			*out = describe(e, level, virt & ~(level_size(level) - 1));
			return true;
		}
		rights = e;
		table = directmap_of((phys_t){ e & PTE_ADDRESS });
	}
	return false;
}

struct walk {
	struct mapping run;		/* not yet visited; empty if its size is 0 */
	void (*visit)(const struct mapping *m, void *arg);
	void *arg;
};

static void emit(struct walk *w)
{
	if (w->run.size)
		w->visit(&w->run, w->arg);
	w->run.size = 0;
}

static void add(struct walk *w, const struct mapping *m)
{
	struct mapping *r = &w->run;

	if (r->size && r->virt + r->size == m->virt && r->phys + r->size == m->phys &&
	    r->writable == m->writable && r->executable == m->executable &&
	    r->user == m->user && r->cache == m->cache) {
		r->size += m->size;
		return;
	}
	emit(w);
	*r = *m;
}

/* Recursion ends: each call goes one level down. */
static void walk_table(struct walk *w, const pte_t *table, unsigned level, uint64_t virt,
		       pte_t rights)
{
	for (unsigned i = 0; i < TABLE_ENTRIES; i++) {
		pte_t e = table[i];
		uint64_t v = virt + i * level_size(level);

		if (level == TABLE_LEVELS && i >= TABLE_ENTRIES / 2)
			v |= 0xffff000000000000u;	/* canonical form */
		if (!(e & PTE_PRESENT))
			continue;
		e = restrict_rights(e, rights);
		if (is_leaf(e, level)) {
			struct mapping m = describe(e, level, v);

			add(w, &m);
		} else {
			walk_table(w, directmap_of((phys_t){ e & PTE_ADDRESS }), level - 1, v, e);
		}
	}
}

void pagetable_walk(void (*visit)(const struct mapping *m, void *arg), void *arg)
{
	struct walk w = { .run.size = 0, .visit = visit, .arg = arg };

	walk_table(&w, root(), TABLE_LEVELS, 0, PTE_WRITE | PTE_USER);
	emit(&w);
}

/* Executable runs are few: the kernel's text, and whoever breaks the rule. */
#define EXECUTABLE_MAX 16u

struct wx_check {
	void (*report)(const struct mapping *m, const char *why);
	size_t found;
	size_t n;
	struct mapping executable[EXECUTABLE_MAX];
};

static void broken(struct wx_check *c, const struct mapping *m, const char *why)
{
	c->found++;
	if (c->report)
		c->report(m, why);
}

static void note_executable(const struct mapping *m, void *arg)
{
	struct wx_check *c = arg;

	if (!m->executable)
		return;
	if (m->writable)
		broken(c, m, "writable and executable");
	else if (c->n < EXECUTABLE_MAX)
		c->executable[c->n++] = *m;
	else
		broken(c, m, "one executable piece too many to compare with the writable ones");
}

static void compare_writable(const struct mapping *m, void *arg)
{
	struct wx_check *c = arg;

	if (!m->writable || m->executable)
		return;
	for (size_t i = 0; i < c->n; i++) {
		const struct mapping *x = &c->executable[i];

		if (m->phys < x->phys + x->size && x->phys < m->phys + m->size)
			broken(c, m, "writable here, executable at another address");
	}
}

size_t pagetable_check_wx(void (*report)(const struct mapping *m, const char *why))
{
	struct wx_check c = { .report = report };

	pagetable_walk(note_executable, &c);
	pagetable_walk(compare_writable, &c);
	return c.found;
}
