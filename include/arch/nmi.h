/* SPDX-License-Identifier: MIT */
/* Who wants to know of NMIs: several may, since one line serves all. */
#pragma once

#include <stdbool.h>

struct trap_frame;

/* Return: was it mine?  Every handler is asked each time, as NMIs that come together are one. */
typedef bool (*nmi_handler_t)(struct trap_frame *f);

#define NMI_HANDLERS_MAX 8u

/**
 * nmi_add() - have @handler called at every NMI, on every CPU
 *
 * It may take exceptions, and be interrupted by further NMIs from the first of their
 * IRETs on.  Where none says that an NMI was its own, the one of trap_set_handler() is
 * asked, and else the machine ends in a panic.
 *
 * Context: any.
 * Return:  false when NMI_HANDLERS_MAX are there already.
 */
bool nmi_add(nmi_handler_t handler);

/* No more.  Another CPU may be in it still.  Context: any. */
void nmi_remove(nmi_handler_t handler);

/* For exception().  Return: did any say that it was its own? */
bool nmi_dispatch(struct trap_frame *f);
