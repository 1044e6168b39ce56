/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of kernel/ share among themselves. Nobody outside includes it.
 */
#ifndef GRP_KERNEL_INTERNAL_H
#define GRP_KERNEL_INTERNAL_H

#include <limits.h>
#include <sched.h>
#include <sys/types.h>

#include "kernel/bpf.h"

struct bpf_link;
struct bpf_map;
struct bpf_program;
struct direct;
struct settle;
struct bpf_object;
struct fastpath;
struct grace;
struct helper;
struct pressure;
struct ring_buffer;

/* Maps that only the agent reads and writes (A5). */
enum grp_store_map {
	GRP_STORE_META,
	GRP_STORE_HIERARCHIES,
	GRP_STORE_GROUPS,
	GRP_STORE_SETS,
	GRP_STORE_BASES,
	GRP_STORE_VALUES,
	GRP_STORE_JOURNAL,
	GRP_STORE_SHOWN,
	GRP_STORE_MAX,
};

struct grp_bpf {
	char *dir; /* pins of the instance */
	unsigned int generation;
	bool fresh; /* nothing was pinned before */
	bool noticing; /* hooks that notice rewritten CPUs are attached */
	struct fastpath *skel;
	struct direct *direct; /* NULL: this kernel finds no task by its number */
	int direct_fd; /* its program */
	bool direct_still; /* ... cannot be preempted */
	struct grp_scan_record
		*batch; /* mapped, see batch.c; NULL: it takes no many tasks in a call */
	struct settle *settle; /* NULL: this kernel cannot settle from one CPU */
	struct pressure *pressure; /* NULL: direct reclaim is not counted */
	struct ring_buffer *ring;
	int store[GRP_STORE_MAX];
	struct grp_journal_pair *journal; /* mapped, GRP_JOURNAL_ENTRIES of them */
	struct grace *graces; /* periods that are waited for, see grace.c */
	struct helper *helpers[GRP_HELPERS]; /* see helper.c; NULL: it does not run */
	int grace_outer, grace_inner; /* updating the one waits for a grace period */
	int policy; /* scheduling of the agent outside passes */
	struct sched_param param;
	struct sd_event *event;
	struct grp_kernel_view view;
	struct grp_scan_request *request; /* mapped, written before a pass */
	uint64_t *plan; /* mapped, one entry a set */
	size_t base_size; /* of struct grp_base with its CPUs */
	void (*on_event)(const struct grp_event *event, void *data);
	void *on_event_data;
};

/* --- pins.c: the directory of an instance ----------------------------------- */

/* Mounts bpffs when missing and makes the directory. */
int grp_pins_open(const char *instance, struct grp_error *error, char **ret_dir);

/* Path of a pin; @generation 0: not that of a link. Return: 0, -ENAMETOOLONG. */
int grp_pins_path(char *buf, size_t size, const char *dir, unsigned int generation,
		  const char *name);

/* The highest generation of links there is; 0: none. */
int grp_pins_generation(const char *dir, unsigned int *ret_generation);

/*
 * Removes the links of every generation below @below, in the order that keeps
 * counts right: births first, the switch hook last.
 */
int grp_pins_drop_links(const char *dir, unsigned int below);

/* Removes every pin and the directory. Links before maps. */
int grp_pins_drop_all(const char *dir);

/* Removes one link; no error when there is none. */
int grp_pins_drop_link(const char *dir, unsigned int generation, const char *name);

/* Names of the links in the order of attaching; NULL ends. */
extern const char *const grp_link_names[];
/* Of programs that are attached at times only. */
extern const char grp_link_reclaim[];
/* Of those that notice rewritten CPUs; some may not be there. */
extern const char *const grp_notice_names[];

/* --- bpf.c --------------------------------------------------------------------- */

/* Attaches a program and pins its link in the present generation. */
int grp_bpf_attach(struct grp_bpf *bpf, struct bpf_program *program);

/* --- store.c ------------------------------------------------------------------ */

/* Makes the maps of the store, or takes over what is pinned. */
int grp_store_open(struct grp_bpf *bpf, const struct grp_bpf_options *options,
		   struct grp_error *error);
void grp_store_close(struct grp_bpf *bpf);
/* What is pinned for an instance. -ENOENT: nothing that was ever complete. */
int grp_store_peek(const char *instance, struct grp_meta *ret_meta);
extern const char *const grp_store_names[GRP_STORE_MAX];

int grp_store_meta_get(void *kernel, struct grp_meta *ret);
int grp_store_meta_put(void *kernel, const struct grp_meta *meta);
int grp_store_hierarchy_put(void *kernel, unsigned int slot,
			    const struct grp_hierarchy_record *record);
int grp_store_group_put(void *kernel, uint32_t id, const struct grp_group_record *record);
int grp_store_set_put(void *kernel, uint32_t id, const struct grp_set_record *record);
int grp_store_base_put(void *kernel, uint64_t key, const struct grp_base *base);
int grp_store_base_get(void *kernel, uint64_t key, struct grp_base *ret);
int grp_store_value_put(void *kernel, const struct grp_value_key *key,
			const struct grp_value *value);
int grp_store_journal_put(void *kernel, unsigned int entry, const struct grp_journal *record);

/* One walk over all elements of a hash. */
struct grp_store_walk {
	/* @key: as large as that of the map; what it returns besides 0 ends the walk. */
	int (*fn)(const void *key, const struct grp_store_walk *walk);
	void *value; /* room for one */
	const struct grp_store_visitor *visitor;
	void *data;
};
/* Return: 0; -errno; what fn returned. No key is longer than struct grp_value_key. */
int grp_store_walk(int fd, const struct grp_store_walk *walk);

int grp_store_visit(void *kernel, const struct grp_store_visitor *visitor, void *data);

/* --- pass.c ------------------------------------------------------------------- */

int grp_pass_run(void *kernel, enum grp_pass kind, const struct grp_scan_request *request,
		 const uint16_t *plan, grp_scan_fn fn, void *data);
int grp_scan_open(void *kernel, void **ret_scan);
int grp_scan_step(void *kernel, void *scan, const struct grp_scan_request *request,
		  const uint16_t *plan, grp_scan_fn fn, void *data);
void grp_scan_close(void *kernel, void *scan);
int grp_pass_control(void *kernel, const struct grp_control *control);
uint64_t grp_pass_clock(void *kernel);

/* Runs a pass until its end; @fn is told of each @size bytes. Under SCHED_FIFO. */
struct grp_pass_reader {
	struct bpf_program *program;
	size_t size; /* of a record */
	int (*fn)(const void *record, void *data);
	void *data;
};
int grp_pass_read(struct grp_bpf *bpf, const struct grp_scan_request *request, const uint16_t *plan,
		  const struct grp_pass_reader *reader);

/* What every program reads that walks over tasks; NULL as for a pass. */
void grp_pass_prepare(struct grp_bpf *bpf, const struct grp_scan_request *request,
		      const uint16_t *plan);
/* The caller restores what it had; refused where real-time tasks are not allowed. */
void grp_fifo_enter(void);
/* An open pass; limited to a thread or a process where one is asked for. Return: 0; -errno. */
int grp_pass_open(const struct bpf_program *program, const struct grp_scan_request *request,
		  int *ret_fd);

/* --- drop.c ------------------------------------------------------------------- */

/* No task has storage in this map any more, but those born meanwhile. -errno. */
int grp_storage_drop(int tasks);
/* The same where it matters, once no program uses it; at worst the kernel does it. */
void grp_storage_give_up(int tasks);

/* --- maps.c: of the programs, before they are loaded --------------------------- */

/* Sizes, and the constants that go with them. */
int grp_maps_size(struct grp_bpf *bpf);

/* libbpf adopts what is pinned at the paths set here, and pins what it makes. */
int grp_maps_pin(struct grp_bpf *bpf);

/* As struct grp_kernel_ops has it. */
int grp_maps_orphans(void *kernel);

/*
 * Every map of another object is the fast path's of that name, but @own; NULL: it has none of
 * its own. -ENOENT: the fast path has none of that name.
 */
int grp_maps_share(const struct grp_bpf *bpf, struct bpf_object *object, const struct bpf_map *own);

/*
 * An array that may be mapped, wholly; as long as the process lives: the agent opens one
 * kernel in its life. NULL with errno.
 */
void *grp_maps_map(const struct bpf_map *map, int protection);

/* --- direct.c ----------------------------------------------------------------- */

/* Where the kernel has it; no error where not. */
void grp_direct_open(struct grp_bpf *bpf);
void grp_direct_close(struct grp_bpf *bpf);

/* Whether a pass can be done by its program; then what the program is given. */
bool grp_direct_can(const struct grp_bpf *bpf, enum grp_pass kind,
		    const struct grp_scan_request *request, const uint16_t *plan,
		    struct grp_direct *ret_direct);

/* The answer is in direct->record. Under SCHED_FIFO unless bpf->direct_still. -ESRCH. */
int grp_direct_run(struct grp_bpf *bpf, struct grp_direct *direct);

/* --- batch.c ------------------------------------------------------------------ */

/* Whether it can do a pass: the move of a process. */
bool grp_batch_can(const struct grp_bpf *bpf, enum grp_pass kind,
		   const struct grp_scan_request *request);
/* As a pass. @fn: not to begin another one. */
int grp_batch_threads(struct grp_bpf *bpf, const struct grp_scan_request *request,
		      const uint16_t *plan, grp_scan_fn fn, void *data);
int grp_batch_each(void *kernel, const struct grp_scan_request *request, const uint16_t *plan,
		   struct grp_scan_record *records, size_t n);

/* --- settle.c ----------------------------------------------------------------- */

/* Loads the program that settles all CPUs from one, where the kernel can do that. */
void grp_settle_open(struct grp_bpf *bpf);
void grp_settle_close(struct grp_bpf *bpf);

/* Return: CPUs that are online, all settled; 0: it cannot be done so, or not just now. */
unsigned int grp_settle_from_here(const struct grp_bpf *bpf);

/* As kernel.h has it: from here, or by an interrupt on each CPU. */
int grp_settle(void *kernel);

/* --- place.c ------------------------------------------------------------------ */

int grp_places_put_mask(void *kernel, uint32_t id, const struct grp_mask_record *record);
int grp_places_visit(const struct grp_bpf *bpf, const struct grp_store_visitor *visitor,
		     void *data);
int grp_places_placed(void *kernel, const struct grp_scan_request *request, const uint16_t *plan,
		      grp_placed_fn fn, void *data);
int grp_places_policies(void *kernel, const struct grp_scan_request *request, const uint16_t *plan,
			grp_policy_fn fn, void *data);
int grp_places_write(void *kernel, const struct grp_scan_request *request);
int grp_places_set_affinity(void *kernel, pid_t tid, const struct grp_mask *mask);
int grp_places_get_affinity(void *kernel, pid_t tid, struct grp_mask *ret_mask);
int grp_places_look(void *kernel, uint32_t tid);

/* --- helper.c ------------------------------------------------------------------- */

int grp_helper_ask(void *kernel, enum grp_helper which, const struct grp_place_request *request,
		   grp_replied_fn fn, void *data);
int grp_helper_wait(void *kernel, uint64_t ns);
void grp_helper_end(void *kernel, enum grp_helper which);
/* Both end when they have done what they were asked. */
void grp_helpers_close(struct grp_bpf *bpf);

/* --- tracepoint.c ----------------------------------------------------------------- */

#define GRP_TRACEPOINT_ASKED "events/syscalls/sys_exit_sched_setaffinity/id"

/*
 * grp_tracepoint_open() - a perf event of a tracepoint, for a program to be attached to.
 * @file: its number's, in tracefs. Return: descriptor; -errno.
 */
int grp_tracepoint_open(const char *file);

/* --- notice.c ------------------------------------------------------------------- */

int grp_notice_watch(void *kernel, bool on);
int grp_notice_claim(void *kernel, bool on);
/* The claim of an instance, if it has it. */
int grp_notice_drop_claim(const char *instance);

/* --- topology.c --------------------------------------------------------------- */

/* From sysfs. Return: 0; -errno: the list of possible or online CPUs. */
int grp_topology_read(void *kernel, struct grp_topology *ret);

/* The same from another place than /sys/devices/system, for tests. */
int grp_topology_read_at(const char *dir, struct grp_topology *ret);

/* grp_topology_is_tickless() - some CPU may compute without ticks (nohz_full). */
bool grp_topology_is_tickless(void);

/* --- reclaim.c --------------------------------------------------------------- */

int grp_reclaim_switch(void *kernel, bool on);
/* At start, before older generations go: they have counted, so the new one does. */
void grp_reclaim_adopt(struct grp_bpf *bpf);
/* What a dead set has counted: nobody else writes it any more. */
int grp_reclaim_clear(struct grp_bpf *bpf, uint32_t set);
/* Memory of ours only; the kernel side goes on. */
void grp_reclaim_close(struct grp_bpf *bpf);

/* --- grace.c ------------------------------------------------------------------ */

int grp_grace_open(struct grp_bpf *bpf);
void grp_grace_close(struct grp_bpf *bpf);
int grp_grace_start(void *kernel, void (*done)(void *data), void *data);

#endif
