/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between fake_kernel.c and fake_task.c; not for tests.
 */
#ifndef GRP_TEST_FAKE_INTERNAL_H
#define GRP_TEST_FAKE_INTERNAL_H

#include "fake_kernel.h"

/* A longer array whose new part is zero; ends the test when there is no memory. */
void *fake_grow(void *items, size_t from, size_t to, size_t size);

/* One single-element update; after the last one allowed nothing changes. */
int fake_update(struct fake_kernel *fake);

int fake_scan_open(void *kernel, void **ret_scan);
int fake_scan_step(void *kernel, void *scan, const struct grp_scan_request *request,
		   const uint16_t *plan, grp_scan_fn fn, void *data);
void fake_scan_close(void *kernel, void *scan);
int fake_pass(void *kernel, enum grp_pass kind, const struct grp_scan_request *request,
	      const uint16_t *plan, grp_scan_fn fn, void *data);
int fake_orphans(void *kernel);
int fake_move_each(void *kernel, const struct grp_scan_request *request, const uint16_t *plan,
		   struct grp_scan_record *records, size_t n);

/* fake_place.c */
/* Whether a pass with this plan tells of a task, whose place, or half of it, is @place. */
bool fake_place_is_told(const struct fake_task *task, const struct grp_scan_request *request,
			const uint16_t *plan, uint64_t place);
struct grp_place_record fake_place_record(const struct fake_task *task);
int fake_mask_put(void *kernel, uint32_t id, const struct grp_mask_record *record);
int fake_placed(void *kernel, const struct grp_scan_request *request, const uint16_t *plan,
		grp_placed_fn fn, void *data);
int fake_place(void *kernel, const struct grp_scan_request *request);
int fake_affinity_set(void *kernel, pid_t tid, const struct grp_mask *mask);
int fake_affinity_get(void *kernel, pid_t tid, struct grp_mask *ret_mask);
int fake_place_look(void *kernel, uint32_t tid);
int fake_place_watch(void *kernel, bool on);
int fake_place_claim(void *kernel, bool on);

/* fake_memory.c */
int fake_policies(void *kernel, const struct grp_scan_request *request, const uint16_t *plan,
		  grp_policy_fn fn, void *data);
int fake_helper_ask(void *kernel, enum grp_helper which, const struct grp_place_request *request,
		    grp_replied_fn fn, void *data);
int fake_helper_wait(void *kernel, uint64_t ns);
void fake_helper_end(void *kernel, enum grp_helper which);

#endif
