/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * BPF features found out by loading programs of a few instructions. Those that
 * are attached for a moment sit on functions that nobody calls, or do nothing;
 * that of the LSM lets everybody but us pass.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kernel/internal.h"
#include "kernel/probe_internal.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

/* What a program is, besides its instructions. */
struct kind {
	enum bpf_prog_type type;
	enum bpf_attach_type attach;
	uint32_t flags;
	uint32_t target_kind; /* of the kernel's type; 0: no target */
	const char *target;
};

static const struct kind kind_tp_btf = { BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, 0,
					 BTF_KIND_TYPEDEF, "btf_trace_sched_process_exit" };
static const struct kind kind_reclaim = { BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, 0,
					  BTF_KIND_TYPEDEF,
					  "btf_trace_mm_vmscan_direct_reclaim_begin" };
static const struct kind kind_migrate = { BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, 0,
					  BTF_KIND_TYPEDEF, "btf_trace_sched_migrate_task" };
static const struct kind kind_asked = { BPF_PROG_TYPE_TRACING, BPF_TRACE_FEXIT, 0, BTF_KIND_FUNC,
					"sched_setaffinity" };
static const struct kind kind_tracepoint = { BPF_PROG_TYPE_TRACEPOINT, 0, 0, 0, NULL };
static const struct kind kind_iter = { BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER, 0, BTF_KIND_FUNC,
				       "bpf_iter_task" };
static const struct kind kind_fentry = { BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, 0, BTF_KIND_FUNC,
					 "bpf_fentry_test1" };
static const struct kind kind_fmod_ret = { BPF_PROG_TYPE_TRACING, BPF_MODIFY_RETURN, 0,
					   BTF_KIND_FUNC, "bpf_modify_return_test" };
static const struct kind kind_lsm = { BPF_PROG_TYPE_LSM, BPF_LSM_MAC, 0, BTF_KIND_FUNC,
				      "bpf_lsm_task_getsid" };
static const struct kind kind_syscall = { BPF_PROG_TYPE_SYSCALL, 0, BPF_F_SLEEPABLE, 0, NULL };
static const struct kind kind_raw_tp = { BPF_PROG_TYPE_RAW_TRACEPOINT, 0, 0, 0, NULL };

/* Instructions, named as in the kernel. */
#define MOV_IMM(dst, value)                                                           \
	{                                                                             \
		.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = (dst), .imm = (value) \
	}
#define MOV_REG(dst, src)                                                               \
	{                                                                               \
		.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = (dst), .src_reg = (src) \
	}
#define SHIFT_RIGHT(dst, bits)                                                       \
	{                                                                            \
		.code = BPF_ALU64 | BPF_RSH | BPF_K, .dst_reg = (dst), .imm = (bits) \
	}
#define LOAD(dst, src, offset)                                                          \
	{                                                                               \
		.code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = (dst), .src_reg = (src), \
		.off = (offset)                                                         \
	}
#define LOAD_MAP(dst, fd)                    \
	{ .code = BPF_LD | BPF_IMM | BPF_DW, \
	  .dst_reg = (dst),                  \
	  .src_reg = BPF_PSEUDO_MAP_FD,      \
	  .imm = (fd) },                     \
	{                                    \
		0                            \
	}
#define JUMP_UNLESS(dst, value, offset)                                               \
	{                                                                             \
		.code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = (dst), .off = (offset), \
		.imm = (value)                                                        \
	}
#define JUMP_ZERO(dst, offset)                                                       \
	{                                                                            \
		.code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = (dst), .off = (offset) \
	}
#define CALL(helper)                                        \
	{                                                   \
		.code = BPF_JMP | BPF_CALL, .imm = (helper) \
	}
#define CALL_KERNEL(id)                                                                   \
	{                                                                                 \
		.code = BPF_JMP | BPF_CALL, .src_reg = BPF_PSEUDO_KFUNC_CALL, .imm = (id) \
	}
#define EXIT                               \
	{                                  \
		.code = BPF_JMP | BPF_EXIT \
	}

static const struct bpf_insn return_0[] = { MOV_IMM(BPF_REG_0, 0), EXIT };

/* --- loading and attaching --------------------------------------------------------- */

/* Return: id of a type of the kernel; -errno, the reason is set. */
static int find_type(struct grp_probe *probe, const char *name, uint32_t kind)
{
	int id;

	if (!probe->btf) {
		(void)grp_probe_no(probe, "needs BTF of the kernel");
		return probe->btf_error;
	}
	id = btf__find_by_name_kind(probe->btf, name, kind);
	if (id < 0)
		(void)grp_probe_no(probe, "this kernel has no %s", name);
	return id;
}

/* Return: descriptor; -errno, the reason is set. */
static int load(struct grp_probe *probe, const struct kind *kind, const struct bpf_insn *program,
		size_t n)
{
	LIBBPF_OPTS(bpf_prog_load_opts, options);
	int fd, id = 0;

	if (kind->target) {
		id = find_type(probe, kind->target, kind->target_kind);
		if (id < 0)
			return id;
	}
	options.expected_attach_type = kind->attach;
	options.attach_btf_id = (uint32_t)id;
	options.prog_flags = kind->flags;
	fd = bpf_prog_load(kind->type, "grp_probe", "GPL", program, n, &options);
	if (fd < 0)
		(void)grp_probe_no(probe, "does not load: %s", strerror(-fd));
	return fd;
}

static bool can_load(struct grp_probe *probe, const struct kind *kind)
{
	_cleanup_close_ int fd = load(probe, kind, return_0, N(return_0));

	return fd >= 0;
}

static bool can_attach(struct grp_probe *probe, const struct kind *kind)
{
	_cleanup_close_ int fd = load(probe, kind, return_0, N(return_0));
	_cleanup_close_ int link = fd < 0 ? -1 : bpf_raw_tracepoint_open(NULL, fd);

	if (fd < 0)
		return false;
	return link >= 0 || grp_probe_no(probe, "loads, does not attach: %s", strerror(-link));
}

/* --- programs ------------------------------------------------------------------------ */

bool grp_probe_tp_btf(struct grp_probe *probe, int argument)
{
	return can_attach(probe, &kind_tp_btf);
}

/* For cpuset.memory_pressure. */
bool grp_probe_reclaim(struct grp_probe *probe, int argument)
{
	return can_load(probe, &kind_reclaim);
}

/* For cpuset.cpus: who is about to run outside of it. */
bool grp_probe_outside(struct grp_probe *probe, int argument)
{
	return can_load(probe, &kind_migrate);
}

/* For cpuset.cpus: who rewrites it. Of this and the next the first that there is. */
bool grp_probe_asked_exit(struct grp_probe *probe, int argument)
{
	size_t len;

	if (can_attach(probe, &kind_asked))
		return true;
	len = strlen(probe->reason);
	(void)snprintf(probe->reason + len, GRP_FEATURE_REASON_MAX - len,
		       ": setaffinity-syscall instead");
	return false;
}

/* Every system call of the machine goes another way for that moment, no more. */
bool grp_probe_asked_syscall(struct grp_probe *probe, int argument)
{
	_cleanup_close_ int fd = load(probe, &kind_tracepoint, return_0, N(return_0));
	_cleanup_close_ int event = fd < 0 ? -1 : grp_tracepoint_open(GRP_TRACEPOINT_ASKED);
	_cleanup_close_ int link = -1;

	if (fd < 0)
		return false;
	if (event < 0)
		return grp_probe_no(probe, "cannot be opened: %s (CONFIG_FTRACE_SYSCALLS)",
				    strerror(-event));
	link = bpf_link_create(fd, event, BPF_PERF_EVENT, NULL);
	return link >= 0 || grp_probe_no(probe, "does not attach: %s", strerror(-link));
}

bool grp_probe_fentry(struct grp_probe *probe, int argument)
{
	return can_attach(probe, &kind_fentry);
}

bool grp_probe_fmod_ret(struct grp_probe *probe, int argument)
{
	return can_attach(probe, &kind_fmod_ret);
}

bool grp_probe_iter_task(struct grp_probe *probe, int argument)
{
	_cleanup_close_ int fd = load(probe, &kind_iter, return_0, N(return_0));
	_cleanup_close_ int link = fd < 0 ? -1 : bpf_link_create(fd, 0, BPF_TRACE_ITER, NULL);

	if (fd < 0)
		return false;
	return link >= 0 || grp_probe_no(probe, "loads, does not attach: %s", strerror(-link));
}

bool grp_probe_iter_process(struct grp_probe *probe, int argument)
{
	_cleanup_close_ int fd = load(probe, &kind_iter, return_0, N(return_0));
	union bpf_iter_link_info info = { .task.pid = (uint32_t)getpid() };
	LIBBPF_OPTS(bpf_link_create_opts, options, .iter_info = &info,
		    .iter_info_len = sizeof(info));
	_cleanup_close_ int link = fd < 0 ? -1 : bpf_link_create(fd, 0, BPF_TRACE_ITER, &options);

	if (fd < 0)
		return false;
	return link >= 0 ||
	       grp_probe_no(probe, "refused (%s): passes go over all tasks", strerror(-link));
}

bool grp_probe_syscall(struct grp_probe *probe, int argument)
{
	_cleanup_close_ int fd = load(probe, &kind_syscall, return_0, N(return_0));
	LIBBPF_OPTS(bpf_test_run_opts, options);
	int r;

	if (fd < 0)
		return false;
	r = bpf_prog_test_run_opts(fd, &options);
	return r == 0 || grp_probe_no(probe, "loads, does not run: %s", strerror(-r));
}

bool grp_probe_run_on_cpu(struct grp_probe *probe, int argument)
{
	_cleanup_close_ int fd = load(probe, &kind_raw_tp, return_0, N(return_0));
	LIBBPF_OPTS(bpf_test_run_opts, options);
	int r = sched_getcpu();

	if (fd < 0)
		return false;
	options.cpu = r < 0 ? 0 : (uint32_t)r;
	options.flags = BPF_F_TEST_RUN_ON_CPU;
	r = bpf_prog_test_run_opts(fd, &options);
	return r == 0 || grp_probe_no(probe, "loads, does not run: %s", strerror(-r));
}

bool grp_probe_loop(struct grp_probe *probe, int argument)
{
	int r;

	/* libbpf looks for a complaint of the verifier: without one from it, that is no yes. */
	if (!can_load(probe, &kind_raw_tp))
		return false;
	r = libbpf_probe_bpf_helper(BPF_PROG_TYPE_RAW_TRACEPOINT, BPF_FUNC_loop, NULL);
	if (r < 0)
		return grp_probe_no(probe, "cannot be tried: %s", strerror(-r));
	return r > 0 || grp_probe_no(probe, "this kernel has no helper bpf_loop");
}

bool grp_probe_task_from_pid(struct grp_probe *probe, int argument)
{
	int find = find_type(probe, "bpf_task_from_pid", BTF_KIND_FUNC);
	int drop = find < 0 ? find : find_type(probe, "bpf_task_release", BTF_KIND_FUNC);
	const struct bpf_insn program[] = {
		MOV_IMM(BPF_REG_1, 1),
		CALL_KERNEL(find),
		JUMP_ZERO(BPF_REG_0, 2),
		MOV_REG(BPF_REG_1, BPF_REG_0),
		CALL_KERNEL(drop),
		MOV_IMM(BPF_REG_0, 0),
		EXIT,
	};
	_cleanup_close_ int fd = drop < 0 ? -1 : load(probe, &kind_syscall, program, N(program));

	return fd >= 0;
}

/*
 * A program of the LSM loads and attaches also where "bpf" is not among the
 * active modules, and is never called then. So it is asked for an effect: our
 * own getsid(2) fails.
 */
bool grp_probe_lsm(struct grp_probe *probe, int argument)
{
	const struct bpf_insn program[] = {
		CALL(BPF_FUNC_get_current_pid_tgid),
		SHIFT_RIGHT(BPF_REG_0, 32),
		JUMP_UNLESS(BPF_REG_0, getpid(), 2),
		MOV_IMM(BPF_REG_0, -EPERM),
		EXIT,
		MOV_IMM(BPF_REG_0, 0),
		EXIT,
	};
	_cleanup_close_ int fd = load(probe, &kind_lsm, program, N(program));
	_cleanup_close_ int link = fd < 0 ? -1 : bpf_raw_tracepoint_open(NULL, fd);

	if (fd < 0)
		return false;
	if (link < 0)
		return grp_probe_no(probe, "loads, does not attach: %s", strerror(-link));
	if (getsid(getpid()) < 0)
		return true;
	return grp_probe_no(probe, "not active: boot with lsm=...,bpf (see %s)",
			    "/sys/kernel/security/lsm");
}

/* --- maps ------------------------------------------------------------------------------- */

/* A map of task storage wants its types described. Return: descriptor or -errno. */
static int create_storage(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_NO_PREALLOC);
	struct btf *btf = btf__new_empty();
	int r;

	if (!btf)
		return -errno;
	r = btf__add_int(btf, "int", sizeof(int), BTF_INT_SIGNED);
	if (r > 0) {
		options.btf_key_type_id = (uint32_t)r;
		r = btf__add_int(btf, "long", sizeof(long), 0);
	}
	if (r > 0) {
		options.btf_value_type_id = (uint32_t)r;
		r = btf__load_into_kernel(btf);
	}
	if (r == 0) {
		options.btf_fd = (uint32_t)btf__fd(btf);
		r = bpf_map_create(BPF_MAP_TYPE_TASK_STORAGE, "grp_probe", sizeof(int),
				   sizeof(long), 0, &options);
	}
	btf__free(btf);
	return r;
}

/* The map, and a program that takes an element of it at a hook. */
bool grp_probe_task_storage(struct grp_probe *probe, int argument)
{
	_cleanup_close_ int map = create_storage();
	const struct bpf_insn program[] = {
		LOAD(BPF_REG_2, BPF_REG_1, 0),
		LOAD_MAP(BPF_REG_1, map),
		MOV_IMM(BPF_REG_3, 0),
		MOV_IMM(BPF_REG_4, BPF_LOCAL_STORAGE_GET_F_CREATE),
		CALL(BPF_FUNC_task_storage_get),
		MOV_IMM(BPF_REG_0, 0),
		EXIT,
	};
	_cleanup_close_ int fd = map < 0 ? -1 : load(probe, &kind_tp_btf, program, N(program));

	if (map < 0)
		return grp_probe_no(probe, "the map cannot be made: %s", strerror(-map));
	return fd >= 0;
}

bool grp_probe_ring_buffer(struct grp_probe *probe, int argument)
{
	_cleanup_close_ int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "grp_probe", 0, 0,
						(uint32_t)sysconf(_SC_PAGESIZE), NULL);

	return fd >= 0 || grp_probe_no(probe, "cannot be made: %s", strerror(-fd));
}

bool grp_probe_mmap_array(struct grp_probe *probe, int argument)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE);
	_cleanup_close_ int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "grp_probe", sizeof(uint32_t),
						sizeof(uint64_t), 1, &options);
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	void *memory;

	if (fd < 0)
		return grp_probe_no(probe, "cannot be made: %s", strerror(-fd));
	memory = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return grp_probe_no(probe, "cannot be mapped: %s", strerror(errno));
	(void)munmap(memory, size);
	return true;
}
