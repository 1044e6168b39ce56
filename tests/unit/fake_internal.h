/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between fake_kernel.c and fake_task.c; not for tests.
 */
#ifndef GRP_TEST_FAKE_INTERNAL_H
#define GRP_TEST_FAKE_INTERNAL_H

#include "fake_kernel.h"

/* A longer array whose new part is zero; ends the test when there is no memory. */
void *fake_grow(void *items, size_t from, size_t to, size_t size);

int fake_pass(void *kernel, enum grp_pass kind, const struct grp_scan_request *request,
	      const uint16_t *plan, grp_scan_fn fn, void *data);

#endif
