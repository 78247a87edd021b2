# SPDX-License-Identifier: MIT
"""The faults that tools/check-step-planted plants: each needs an interrupt at one instruction."""

from mutants import Mutant

CACHE, BULK, ALLOC, POOL = 'mm/cache.h', 'mm/bulk.c', 'mm/alloc.c', 'mm/pool.c'
CPU, PAGE, CACHE_C = 'arch/x86_64/include/port/cpu.h', 'mm/page.c', 'mm/cache.c'
HOME = 'mm/home.c'

PLANTED = (
    Mutant('take-store', CACHE, 'a page leaves the cache by a store, not by cmpxchg (C2)',
           '''	while (__builtin_expect(!local_cas(off, &w, w & (w - 1)), 0))
		if ((uint32_t)w == 0)
			return false;
''', '''	local_store(off, w & (w - 1));
'''),
    Mutant('put-store', CACHE, 'a page enters the cache by a store, not by cmpxchg (C2)',
           '''	while (__builtin_expect(!local_cas(off, &w, w | (uint64_t)1 << bit), 0)) {
		bit = (uint32_t)(w >> 32) ^ frame;
		if (bit >= CACHE_FRAMES)
			return false;
	}
''', '''	local_store(off, w | (uint64_t)1 << bit);
'''),
    Mutant('count-torn', CPU, 'a CPU adds to its counters in two instructions',
           '''	__asm__ volatile("addq %1, %%gs:%0" : "+m"(PORT_LOCAL(off)) : '''
           '''"er"(n) : "memory", "cc");
''', '''	local_store(off, local_load(off) + n);
'''),
    Mutant('bulk-store', BULK, 'a batch leaves the cache by a store',
           '} while (bits && !local_cas(LOCAL_CURRENT, &w, w ^ bits));',
           '} while (bits && (local_store(LOCAL_CURRENT, w ^ bits), false));'),
    Mutant('drain-torn', CACHE_C, 'a drain empties a word in two instructions (C2)',
           'while (w != CACHE_NOWHERE && !local_cas(words[i], &w, CACHE_NOWHERE))\n\t\t\t;',
           'local_store(words[i], CACHE_NOWHERE);'),
    Mutant('free-store', PAGE, 'freepage() frees by a store: of two frees both succeed (W1)',
           '''	    unlikely(!atom_cas(&mm.hot.words[f], &w, word_freed(w))))
		return slow_free(page, 0, owner);
	owner_count''', '''	    (atom_store(&mm.hot.words[f], word_freed(w)), false))
		return slow_free(page, 0, owner);
	owner_count'''),
    Mutant('no-version', POOL, 'the top of a pool that comes back looks unchanged (P1)',
           'return (top_version(top) + 1) << 2', 'return top_version(top) << 2'),
    Mutant('home-store', HOME, 'a home that an interrupt moved to is left by nobody (I8)',
           '''	do {
		if (old == new)
			return;
	} while (!local_cas(off, &old, new));
''', '''	if (old == new)
		return;
	local_store(off, new);
'''),
    Mutant('one-look', ALLOC, 'a request fails although an interrupt has just freed a page (I12)',
           'if (closed && cache_closed())',
           'if (((uint32_t)(local_load(LOCAL_CURRENT) | local_load(LOCAL_SECOND)) == 0) | '
           '(closed & 0))'),
    Mutant('word-elsewhere', CACHE, "the cache's word is read through an address taken once (C2)",
           '''	uint64_t w = local_load(off);

	if (__builtin_expect((uint32_t)w == 0, 0))
		return false;
	while (__builtin_expect(!local_cas(off, &w, w & (w - 1)), 0))
		if ((uint32_t)w == 0)
			return false;
''', '''	const unsigned char *area = cpu_local_area(cpu_number());
	const volatile uint64_t *at = (const volatile void *)(area + off);
	uint64_t w = *at, old = w;

	if (__builtin_expect((uint32_t)w == 0, 0))
		return false;
	for (; !local_cas(off, &old, w & (w - 1)); old = w = *at)
		if ((uint32_t)w == 0)
			return false;
'''),
    Mutant('count-kept', BULK, "a batch keeps its owner's count in a register meanwhile",
           '''	const uint64_t held = word_held(PAGE_HELD, 0, owner);
	size_t n = 0;

	while (bits) {
		unsigned skip = (unsigned)__builtin_ctzll(bits);
		unsigned run = (unsigned)__builtin_ctzll(~(bits >> skip));

		hand_out_run(mm.hot.words + first + skip, run, held,
			     mm.hot.base + ((size_t)(first + skip) << PAGE_SHIFT), pages + n);
		n += run;
		bits = bits >> skip >> run << run << skip;
	}
	owner_count(owner, (int64_t)n);
''', '''	const uint64_t held = word_held(PAGE_HELD, 0, owner);
	const uint64_t before = local_load(LOCAL_NET + owner.id * sizeof(uint64_t));
	size_t n = 0;

	while (bits) {
		unsigned skip = (unsigned)__builtin_ctzll(bits);
		unsigned run = (unsigned)__builtin_ctzll(~(bits >> skip));

		hand_out_run(mm.hot.words + first + skip, run, held,
			     mm.hot.base + ((size_t)(first + skip) << PAGE_SHIFT), pages + n);
		n += run;
		bits = bits >> skip >> run << run << skip;
	}
	local_store(LOCAL_NET + owner.id * sizeof(uint64_t), before + n);
'''),
)

# What an interrupt on the thread's own CPU cannot bring to light.
MOVED = ('word-elsewhere', 'count-kept')

# The script that arranges what a fault needs, which is swept alone.
SCRIPT = {'no-version': 'pools', 'home-store': 'homes', 'one-look': 'last_in_cache',
          'word-elsewhere': 'hot_pair', 'count-kept': 'batches'}
