/* SPDX-License-Identifier: MIT */
/* The chain of NMI handlers: slots, so that an NMI in the middle of a change finds it whole. */
#include <arch/nmi.h>

#include <stdatomic.h>
#include <stddef.h>

static _Atomic(nmi_handler_t) handlers[NMI_HANDLERS_MAX];

bool nmi_add(nmi_handler_t handler)
{
	for (unsigned i = 0; i < NMI_HANDLERS_MAX; i++) {
		nmi_handler_t none = NULL;

		/* Release: pairs with nmi_dispatch(), for what the handler will look at. */
		if (atomic_compare_exchange_strong_explicit(&handlers[i], &none, handler,
							    memory_order_release,
							    memory_order_relaxed))
			return true;
	}
	return false;
}

void nmi_remove(nmi_handler_t handler)
{
	for (unsigned i = 0; i < NMI_HANDLERS_MAX; i++) {
		nmi_handler_t there = handler;

		/* relaxed: nothing is handed over */
		if (atomic_compare_exchange_strong_explicit(&handlers[i], &there, NULL,
							    memory_order_relaxed,
							    memory_order_relaxed))
			return;
	}
}

bool nmi_dispatch(struct trap_frame *f)
{
	bool handled = false;

	for (unsigned i = 0; i < NMI_HANDLERS_MAX; i++) {
		/* Acquire: pairs with nmi_add(). */
		nmi_handler_t h = atomic_load_explicit(&handlers[i], memory_order_acquire);

		if (h && h(f))
			handled = true;
	}
	return handled;
}
