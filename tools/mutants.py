# SPDX-License-Identifier: MIT
"""The places that tools/mutate breaks: file, text as it stands, text that breaks it."""

from collections import namedtuple

# harmless: why it may survive; empty: it matters.
Mutant = namedtuple('Mutant', 'name path what old new harmless', defaults=('',))

SETTLE, TREE, CACHE, ZONE = 'mm/settle.c', 'mm/tree.c', 'mm/cache.c', 'mm/zone.c'
GROUP, GATHER, WAKE = 'mm/group.c', 'mm/gather.c', 'mm/wake.c'
CPU_CACHE, PAGE, FREE, WORD = 'mm/cache.h', 'mm/page.c', 'mm/free.c', 'mm/word.h'
HANDS, ATOMIC = 'mm/hands.c', 'arch/host/include/port/atomic.h'
ALLOC, POOL = 'mm/alloc.c', 'mm/pool.c'

MENDED = 'who came too late tries again there, and that mends the entry'

MUTANTS = (
    # --- settling
    Mutant('settle-no-dirty', SETTLE, 'DIRTY is not written before the child is read (T5)',
           '''	} while (!atom_cas(word, &w, marked) && retry_count(t->id));

	/* Whose mark it was may want to merge: he is not to come back for that. */
	unsigned entry = read_child(t, l, c, merge || e == ENTRY_DIRTY);
	s[0] = step_of(word, marked, slot, entry);''',
           '''	} while (false);
	marked = w;

	unsigned entry = read_child(t, l, c, merge);
	s[0] = (struct step){ word, marked, node_change(marked, slot, e, entry) };'''),
    Mutant('settle-store', SETTLE, 'what was read is stored, whatever happened since (T5)',
           'atom_cas(s[i].word, &s[i].marked, s[i].settled))',
           '(atom_store(s[i].word, s[i].settled), true))'),
    Mutant('settle-parked', SETTLE, 'a parked entry is settled (T2)',
           'if (entry_parked(e) || e < least)', 'if (e < least)'),
    Mutant('settle-merge-always', SETTLE, 'an entry becomes FULL though its child is not',
           'merge && bits == UINT64_MAX ?', 'merge ?'),
    Mutant('settle-unfinished', SETTLE, 'who loses leaves his marks above (I10)',
           '\tif (from + steps > g->last + 1)\n\t\tg->last = from + steps - 1;\n', ''),
    Mutant('settle-anew', SETTLE, 'who has marked an entry and lost marks it anew (T5, I10)',
           'g->least = done > 0 ? 0 : MARKED;', 'g->least = 0;'),
    Mutant('settle-served-above', SETTLE, 'above what he wrote a settler is served by older marks',
           'g->least = done > 0 ? 0 : MARKED;', 'g->least = MARKED;'),
    Mutant('settle-other-merge', SETTLE, 'who settles for another does not merge for him (I8)',
           'read_child(t, l, c, merge || e == ENTRY_DIRTY)', 'read_child(t, l, c, merge)'),
    Mutant('no-promise', SETTLE, 'the entries above are not raised with it (T6)',
           '\tif (l == t->root)\n\t\treturn 0;\n\tentry = news_of',
           '\tif (l)\n\t\treturn 0;\n\tentry = news_of'),
    Mutant('mark-kept', SETTLE, 'a mark above is not made anew: an old reading counts (T6)',
           '''		marked = node_change(above, slot, e, ENTRY_DIRTY);
''',
           '''		marked = above;
		if (e == ENTRY_DIRTY)
			break;
		marked = node_change(above, slot, e, ENTRY_DIRTY);
'''),
    Mutant('news-alone', SETTLE, 'an entry that was DIRTY says the news, not all that is below',
           '\tif (e == ENTRY_DIRTY)\n\t\tcode = node_code(w, l - 1);\n', ''),
    Mutant('news-far', SETTLE, 'above a mark the news is its entry, not the run around it (T6)',
           '\t\tentry = news_of(s[n].settled, l, c, entry);\n\t} while', '\t} while'),
    Mutant('no-pass-on', SETTLE, 'a node that is whole does not tell the one above (I8)',
           ': !node_all_full(s[n].settled) || home_is(t, l, c)', ': true',
           'it only saves a turn: left_whole() looks once more after the last write'),
    Mutant('no-strike-on', SETTLE, 'a node that is empty does not tell the one above',
           'news == ENTRY_NONE ? !node_exhausted(s[n].settled)', 'news == ENTRY_NONE ? true',
           'an entry may promise too much; who finds nothing there settles it'),
    Mutant('home-left-whole', SETTLE,
           'a home that is left while it becomes whole is not merged (I8)',
           'if (again) {', 'if (again && false) {'),
    Mutant('root-late', TREE, 'a run of the root that others have just merged is not taken (I12)',
           'if (l < t->root)\n\t\t\t\treturn false;', 'return false;'),
    Mutant('open-early', SETTLE, 'an entry is opened before it is promised above (T6)',
           'else if (k < t->root && above < whole + 3 && node_exceeds(w, k, above))',
           'else if (false)'),
    Mutant('open-less', SETTLE, 'an entry is opened before its neighbours are promised above (T7)',
           'above < whole + 3 && node_exceeds(w, k, above)', 'above < whole'),
    Mutant('taken-full', SETTLE, 'a taker puts back what he could open (T3, I10)',
           '''		if (e == ENTRY_HELD)
			return false;
		if (e == ENTRY_FULL) {''',
           '''		if (entry_parked(e))
			return false;
		if (false) {'''),
    Mutant('look-anew', SETTLE, 'who comes for a mark makes one where there is none (I10)',
           'return settle(t, l, c, ENTRY_DIRTY, true);', 'return settle(t, l, c, 0, true);'),
    Mutant('lower-anew', SETTLE, 'a promise is lowered that is not made any more (I10)',
           'settle(t, l, c, ENTRY_OPEN + order, false);',
           '(void)order;\n\tsettle(t, l, c, 0, false);'),
    Mutant('merge-anew', SETTLE, 'what is not promised is merged',
           'settle(t, l, c, ENTRY_OPEN + child_order(l), true);', 'settle(t, l, c, 0, true);',
           'a call merges four times at a place, then it gathers: such marks are few'),
    Mutant('taken-dirty', SETTLE, 'a taker who sees DIRTY does not settle (T3)',
           '} else if (e == ENTRY_DIRTY) {', '} else if (false) {'),
    Mutant('taken-untold', SETTLE, 'what a taker leaves of an untold gift is not told (T3, I12)',
           '\t\t\ttell_for_giver(t, l, c, left);\n', '\t\t\t;\n'),
    Mutant('given-dirty', SETTLE, 'a giver who sees DIRTY does not settle (T4)',
           'if (e == ENTRY_DIRTY || (s > step && entry_parked(e)))',
           'if (s > step && entry_parked(e))'),
    Mutant('given-no-merge', SETTLE, 'a gift that completes a child does not merge it (I8)',
           'if (full && !home_is(t, l - 1, c))', 'if (false)'),
    Mutant('read-by-load', SETTLE, 'a node is read without changing it (T6, T7)',
           'while (!atom_cas(&n->word, &w, w + NODE_VERSION) && retry_count(t->id));',
           'while (false);'),
    Mutant('read-dirty', SETTLE, 'a node in which somebody is settling is changed, too (I10)',
           '''		if (node_any_dirty(w))
			return node_code(w, l - 1);
''', ''),
    Mutant('raise-dirty', SETTLE, 'a raising trusts a node in which somebody is settling (T6)',
           'return code != ENTRY_OPEN + child_order(l) && node_any_dirty(w) ? 0 : code;',
           '(void)w;\n\treturn code;'),
    Mutant('raise-store', SETTLE, 'an entry is raised by a store (T6)',
           'if (!atom_cas(s->word, &s->marked, s->settled)) {',
           'if (atom_store(s->word, s->settled), false) {'),
    Mutant('raise-one', SETTLE, 'an entry is raised, and not those above it (T6)',
           'for (; l <= t->root; l++, s++) {',
           'for (unsigned k = l; l <= k; l++, s++) {'),
    Mutant('raise-lost', SETTLE, 'who cannot raise an entry gives up (T6)',
           '\t\t\tretry_count(t->id);\n\t\t\treturn false;\n',
           '\t\t\tretry_count(t->id);\n\t\t\treturn true;\n'),
    Mutant('open-unseen', SETTLE, 'a FULL child is opened without a look above (T7)',
           'if (above == ENTRY_HELD)\n\t\t\treturn false;\n\t\tif (above == ENTRY_FULL)\n'
           '\t\t\tk++;\n\t\telse if', 'if'),
    Mutant('open-dirty', SETTLE, 'a FULL child is opened while its node may become whole (T7)',
           'else if (above == ENTRY_DIRTY)\n', 'else if (false)\n'),
    Mutant('open-store', SETTLE, 'a child becomes open by a store (T7)',
           'else if (!atom_cas(&n->word, &w, node_change(w, slot, ENTRY_FULL, whole)))',
           'else if (atom_store(&n->word, node_change(w, slot, ENTRY_FULL, whole)), false)'),
    Mutant('no-version', 'mm/node.h', 'a node word that comes back looks unchanged',
           '- from) << slot * ENTRY_BITS) + NODE_VERSION;', '- from) << slot * ENTRY_BITS);'),
    # --- taking and giving
    Mutant('no-look', GROUP, 'a taker does not look at the entry afterwards (T3)',
           'if (!entry_half(tree_entry(t, 1, group), GROUP_ORDER) && '
           '!late_bits(t, group, bits, mask))', 'if (false)'),
    Mutant('undo-dropped', GROUP, 'a late take is not put back (T3)',
           '''	while (!atom_cas(&t->bits[group], &bits, bits | mask))
		retry_count(t->id);
''', ''),
    Mutant('undo-too-much', GROUP, 'a late take puts back more than it took (T3)',
           'while (!atom_cas(&t->bits[group], &bits, bits | mask))\n\t\tretry_count',
           'while (!atom_cas(&t->bits[group], &bits, UINT64_MAX))\n\t\tretry_count'),
    Mutant('undo-untold', GROUP, 'a late take that is put back is not told above (T4)',
           '\ttree_given(t, 1, group, bits_code(bits | mask), '
           '(bits | mask) == UINT64_MAX);\n', '', MENDED),
    Mutant('take-store', GROUP, 'bits are taken by a store',
           'if (!atom_cas(&t->bits[group], &bits, bits & ~mask)) {',
           'if (atom_store(&t->bits[group], bits & ~mask), false) {'),
    Mutant('give-store', GROUP, 'bits are given by a store',
           'while (!atom_cas(&t->bits[group], &bits, bits | mask) && retry_count(t->id));',
           'while (atom_store(&t->bits[group], bits | mask), false);'),
    Mutant('give-untold', GROUP, 'a gift of bits is not told above (T4)',
           '\tbits_given(t, group, bits, mask);\n', ''),
    Mutant('give-told-less', GROUP, 'a gift of bits is told only when it completes much (T4)',
           'unsigned larger = e - ENTRY_OPEN + 1;', 'unsigned larger = e - ENTRY_OPEN + 2;'),
    Mutant('run-store', TREE, 'whole children are taken by a store',
           'if (__builtin_expect(!atom_cas(&n->word, &w, *left), 0))',
           'if (atom_store(&n->word, *left), false)'),
    Mutant('run-undo-dropped', TREE, 'a late take of whole children is not put back (T3)',
           '\tgive_run(t, l, c, log);\n\treturn false;\n', '\treturn false;\n'),
    Mutant('run-given-store', TREE, 'whole children are given by a store',
           'if (__builtin_expect(!atom_cas(&n->word, &w, new), 0)) {',
           'if (atom_store(&n->word, new), false) {'),
    Mutant('run-given-untold', TREE, 'a gift of whole children is not told above (T4)',
           '\t\tnode_given(t, l, c, new, log);\n', '\t\t;\n'),
    Mutant('run-told-less', TREE, 'a gift of whole children tells of no larger run',
           'larger ? node_code(w, l) : whole, node_all_full(w)', 'whole, node_all_full(w)'),
    Mutant('run-no-look', TREE, 'a taker of whole children does not look above afterwards (T3)',
           '!entry_half(tree_entry(t, l + 1, self), child_order(l + 1)))', 'false)'),
    Mutant('run-no-version', TREE, 'a node word that comes back after a run looks unchanged',
           'w - (run_ones[log] * (ENTRY_FULL - ENTRY_HELD) << at) + NODE_VERSION;',
           'w - (run_ones[log] * (ENTRY_FULL - ENTRY_HELD) << at);',
           'from FULL to HELD and back: a word that comes back means the same'),
    Mutant('walk-open-unseen', TREE, 'a walk opens a FULL child without a look above (T7)',
           'if (above - ENTRY_OPEN > ORDER_MAX ||\n\t\t    (above', 'if ((above'),
    Mutant('walk-open-untold', TREE, 'a walk opens a child before it is promised above (T7)',
           '(above < whole + 3 && node_exceeds(w, l, above)))\n\t\t\treturn false;\n\t}',
           'false)\n\t\t\treturn false;\n\t}'),
    Mutant('walk-open-less', TREE, 'nor looks whether its neighbours are promised above (T7)',
           '(above < whole + 3 && node_exceeds(w, l, above)))\n\t\t\treturn false;\n\t}',
           'above < whole)\n\t\t\treturn false;\n\t}'),
    Mutant('walk-open-store', TREE, 'a walk opens a child by a store (T7)',
           'return atom_cas(&n->word, &w, node_change(w, c % NODE_FANOUT, ENTRY_FULL, whole)) ||\n'
           '\t       !retry_count(t->id);',
           'atom_store(&n->word, node_change(w, c % NODE_FANOUT, ENTRY_FULL, whole));\n'
           '\treturn true;'),
    Mutant('gather-never', TREE, 'who has merged in vain merges again and again (I10)',
           'tries < MERGES_MAX', 'tries < UINT32_MAX'),
    Mutant('gather-no-look', GATHER, 'a piece is gathered without a look above (T3)',
           'if (l == t->root || tree_taken(t, l + 1, c / NODE_FANOUT, left))',
           '(void)left;\n\tif (true)'),
    Mutant('gather-kept', GATHER, 'the pieces of what cannot be gathered are not given back (I1)',
           '\t\t\tgive_pieces(t, c * NODE_FANOUT, s, child_order(l - 1));\n', ''),
    Mutant('gather-run-kept', GATHER, 'nor whole children of a run (I1)',
           '\t\t\tgive_pieces(t, c, s, child_order(l));\n', ''),
    Mutant('gather-unlowered', GATHER, 'what cannot be gathered is promised on (I10)',
           '\t\t\ttree_lower(t, l, c, child_order(l));', ''),
    Mutant('fuse-bits', GATHER, 'a gathered group has no bits (T2)',
           'atom_cas(&t->bits[c], &none, UINT64_MAX);', '(void)none;'),
    Mutant('fuse-node', GATHER, 'a gathered node is not FULL below (T2)',
           '(w | NODE_ENTRIES) + NODE_VERSION', 'w + NODE_VERSION'),
    Mutant('no-exhausted', GROUP, 'a group that is used up is not struck off',
           '\t\tif (strike)\n\t\t\ttree_lower(t, 1, group, 0);\n'
           '\t\telse\n\t\t\ttree_exhausted(t, 1, group);\n', '\t\t;\n',
           'an entry may promise too much; who finds nothing there settles it'),
    # --- caches
    Mutant('cache-take-torn', CPU_CACHE, 'a frame leaves the cache in two instructions (C2)',
           'while (__builtin_expect(!local_cas(off, &w, w & (w - 1)), 0))',
           'while (local_store(off, w & (w - 1)), false)'),
    Mutant('cache-put-torn', CPU_CACHE, 'a frame enters the cache in two instructions (C2)',
           'while (__builtin_expect(!local_cas(off, &w, w | (uint64_t)1 << bit), 0)) {',
           'while (local_store(off, w | (uint64_t)1 << bit), false) {'),
    Mutant('cache-bit-lost', CPU_CACHE, 'an interrupted put gives up (C1)',
           '''		bit = (uint32_t)(w >> 32) ^ frame;
		if (bit >= CACHE_FRAMES)
			return false;
	}''', '''		return true;
	}'''),
    Mutant('cache-install-over', CACHE, 'a refill replaces what an interrupt has put there (C1)',
           'if (!fill_empty(LOCAL_CURRENT, first, bits) && bits)',
           'local_store(LOCAL_CURRENT, cache_word(first, bits));\n\tif (false)'),
    Mutant('cache-no-flush', CACHE, 'what second is replaced with is dropped (C1)',
           '\tif (old >> 32 != first)\n\t\tflush(old);\n', ''),
    Mutant('cache-drain-torn', CACHE, 'a drain empties a word in two instructions (C2)',
           'while (w != CACHE_NOWHERE && !local_cas(words[i], &w, CACHE_NOWHERE))\n\t\t\t;',
           'local_store(words[i], CACHE_NOWHERE);'),
    # --- frame words
    Mutant('free-unchecked', PAGE, 'freepage() believes its caller (I5)',
           '''	if (unlikely(!word_is(w, word_held(PAGE_HELD, 0, owner))) ||
	    unlikely(!atom_cas(&mm.hot.words[f], &w, word_freed(w))))
		return slow_free(page, 0, owner);
	owner_count''', '''	if (unlikely(!atom_cas(&mm.hot.words[f], &w, word_freed(w))))
		return slow_free(page, 0, owner);
	owner_count'''),
    Mutant('free-store', PAGE, 'freepage() frees by a store: of two frees both succeed (W1)',
           '''	    unlikely(!atom_cas(&mm.hot.words[f], &w, word_freed(w))))
		return slow_free(page, 0, owner);
	owner_count''', '''	    (atom_store(&mm.hot.words[f], word_freed(w)), false))
		return slow_free(page, 0, owner);
	owner_count'''),
    Mutant('dead-owner', PAGE, 'allocpage() serves owners that are not registered',
           '	    unlikely(!owner_live(owner)) || '
           'unlikely(!cache_take_from(LOCAL_CURRENT, &f)))',
           '''	    unlikely(!cache_take_from(LOCAL_CURRENT, &f)))'''),
    Mutant('block-free-store', FREE, 'freepages() frees by a store (W1)',
           'while (!atom_cas(word_at(f), &w, word_freed(w)) && retry_count_for(f, owner));',
           'while (atom_store(word_at(f), word_freed(w)), false);'),
    Mutant('block-free-unchecked', FREE, 'freepages() believes its caller (I5)',
           '\t\tif (!word_is_idle(w & ~WORD_DAMAGED, order, owner))', '\t\tif (false)'),
    Mutant('no-generation', WORD, 'the generation does not grow with a free (W2)',
           'return (w + 1) & WORD_GEN_MASK;', 'return w & WORD_GEN_MASK;'),
    Mutant('transfer-store', HANDS, 'a transfer is a store: it and a free both succeed (W1)',
           'while (!atom_cas(word_at(f), &w, word_passed(w, '
           'word_held(word_state(w), order, to))) &&\n\t\t retry_count_for(f, from));',
           'while (atom_store(word_at(f), word_passed(w, '
           'word_held(word_state(w), order, to))), false);'),
    Mutant('share-store', HANDS, 'a reference is counted by a store (W1)',
           'while (!atom_cas(word_at(f), &w, new) && retry_count_for(f, owner));',
           'while (atom_store(word_at(f), new), false);'),
    # --- zones
    Mutant('wake-store', WAKE, 'two CPUs wake the same area',
           'while (!atom_cas(&z->cursor, &at, next_area(z, at) + CURSOR_CLAIMED) &&\n'
           '\t\t retry_count(z->tree.id));',
           'while (atom_store(&z->cursor, next_area(z, at) + CURSOR_CLAIMED), false);'),
    Mutant('wake-block-store', WAKE, 'two CPUs wake the same block',
           'while (!atom_cas(&z->cursor, &at, next_area(z, at + areas - 1)) &&\n'
           '\t\t retry_count(z->tree.id));',
           'while (atom_store(&z->cursor, next_area(z, at + areas - 1)), false);'),
    Mutant('wake-part-store', WAKE, 'two CPUs wake the same group',
           'while (!atom_cas(&z->part, &at, then) && retry_count(z->tree.id));',
           'while (atom_store(&z->part, then), false);'),
    Mutant('wake-part-over', WAKE, 'a part is left over another',
           'if (part && atom_cas(&z->part, &none, part)) {',
           'if (part && (atom_store(&z->part, part), none == 0)) {'),
    Mutant('wake-part-uncounted', 'mm/mm_state.h', 'what sleeps in a part is forgotten (Z2)',
           'return cursor >> 32 == z->nranges;', 'return (cursor >> 32 & 0xffff) == z->nranges;'),
    Mutant('wake-rest-lost', WAKE, 'who comes second with a part loses it',
           '\tif (part)\n\t\twake_rest(z, sleeper_of(part));\n', ''),
    Mutant('awake-store', WAKE, 'two CPUs that wake groups lose one of the bits',
           'while (!atom_cas(awake, &old, old | UINT64_MAX >> (64 - some) << number % 64))\n'
           '\t\t\tretry_count(z->tree.id);',
           'atom_store(awake, old | UINT64_MAX >> (64 - some) << number % 64);'),
    Mutant('waking-taken', GROUP, 'a damaged page is taken while its group wakes (I2)',
           'if (e < ENTRY_OPEN || (e == ENTRY_FULL', 'if (e == ENTRY_HELD || (e == ENTRY_FULL'),
    Mutant('waking-reserved', FREE, 'memory that is being woken is said to be none',
           'return zone_usable(', 'return zone_sleeping('),
    Mutant('wake-late-bit', WAKE, 'groups that woke are promised to nobody',
           '\ttree_groups_add(&z->tree, s.group, n, bits);\n', ''),
    Mutant('wake-unsettled', 'mm/tree_make.c', 'groups that woke are not promised upward (T4)',
           '\ttree_settle(t, 2, area, true);\n', ''),
    Mutant('wake-second-lost', CACHE, 'the other half of a group that woke is nobody\'s (I1)',
           'if (!fill_empty(LOCAL_SECOND, *first + CACHE_FRAMES, upper))\n'
           '\t\tflush(cache_word(*first + CACHE_FRAMES, upper));', ''),
    Mutant('fold-lost', ZONE, 'what a CPU folds into the count is not added (I3)',
           '\tatom_add(&z->free, (uint64_t)d);\t/* pairs with zone_has(), zone_free() */\n',
           ''),
    Mutant('fold-once', ZONE, 'what an interrupt has folded meanwhile stays folded twice (I12)',
           '} while (d > z->fold_at || d < -z->fold_at);', '} while (false);'),
    # --- counters
    Mutant('zone-fail-lost', ALLOC, "a zone's failed calls are counted by a store (I3)",
           'atom_add(&mm.zone[z].failures[said], 1);',
           'atom_poke(&mm.zone[z].failures[said], atom_peek(&mm.zone[z].failures[said]) + 1);'),
    Mutant('owner-fail-lost', ALLOC, "an owner's failed calls are counted by a store (I3)",
           'atom_add(&owner_failures[owner.id][last], 1);',
           'atom_poke(&owner_failures[owner.id][last], '
           'atom_peek(&owner_failures[owner.id][last]) + 1);'),
    Mutant('fragmented-reserved', ALLOC, 'a fragmented zone is said to be reserved for contracts',
           'if (free < size && free + aside >= size)', 'if (free + aside >= size)'),
    Mutant('retry-no-owner', 'mm/retry.c', 'what the tree lost is nobody\'s',
           '\tlocal_add(LOCAL_OWED, 1);\n', ''),
    Mutant('retry-twice', 'mm/retry.c', 'what the tree lost is charged again and again',
           'while (!local_cas(LOCAL_OWED, &owed, 0))\n\t\t;', ''),
    # --- batches, loans, pools, contracts
    Mutant('bulk-free-store', 'mm/bulk.c', 'freepages_bulk() frees by a store (W1)',
           'if (!atom_cas(&word[i], &w, generation + 1))',
           'if (atom_store(&word[i], generation + 1), false)'),
    Mutant('lend-store', HANDS, 'a page is lent by a store (W1)',
           'while (!atom_cas(word_at(f), &w, as_lent(w, order, owner)) &&\n'
           '\t\t retry_count_for(f, owner));',
           'while (atom_store(word_at(f), as_lent(w, order, owner)), false);'),
    Mutant('reclaim-store', HANDS, 'a loan is reclaimed by a store (W1)',
           'while (!atom_cas(word_at(f), &w, as_reclaimed(w, order, owner)) &&\n'
           '\t\t retry_count_for(f, owner));',
           'while (atom_store(word_at(f), as_reclaimed(w, order, owner)), false);'),
    Mutant('pool-pop-store', POOL, 'a slot is popped by a store (P1)',
           'while (!atom_cas(stack, &top, top_next(top, *left, slot >> 32)));',
           'while (atom_store(stack, top_next(top, *left, slot >> 32)), false);'),
    Mutant('pool-push-store', POOL, 'a slot is pushed by a store (P1)',
           'while (!atom_cas(stack, &top, top_next(top, top_level(top) + 1, n)));',
           'while (atom_store(stack, top_next(top, top_level(top) + 1, n)), false);'),
    Mutant('contract-bit-store', 'mm/contract.c', 'a contract\'s block is taken by a store (K2)',
           'if (atom_cas(word, &w, w & (w - 1))) {',
           'if (atom_store(word, w & (w - 1)), true) {'),
    Mutant('contract-ready-store', 'mm/contract.c', 'a contract counts down by a store (K2)',
           'while (!atom_cas(&c->ready, &r, r - 1));',
           'while (atom_store(&c->ready, r - 1), false);'),
    Mutant('contract-no-sweep', 'mm/contract.c', 'a giver does not see that his contract ends (K4)',
           '\tif (ctl_state(ctl) == CONTRACT_DYING)\n\t\tcontract_sweep(c, ctl);\n', ''),
    # --- orders of memory, for ThreadSanitizer
    Mutant('store-relaxed', ATOMIC, 'a store does not release what was written before',
           'memory_order_release', 'memory_order_relaxed'),
    Mutant('cas-relaxed', ATOMIC, 'a compare-and-swap orders nothing',
           '''&a->v, old, new, memory_order_seq_cst,
						       memory_order_seq_cst''',
           '''&a->v, old, new, memory_order_relaxed,
						       memory_order_relaxed'''),
)
