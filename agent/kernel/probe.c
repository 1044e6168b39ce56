/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of features and what is found out without BPF programs.
 */
#include "kernel/probe.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/membarrier.h>
#include <linux/perf_event.h>
#include <mntent.h>
#include <sched.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "kernel/probe_internal.h"

/* The inode of the first pid namespace; part of the kernel's interface. */
#define PID_INIT_INODE 0xEFFFFFFCU
#define KPROBE_TYPE_FILE "/sys/bus/event_source/devices/kprobe/type"
/* A function that nobody calls outside of tests of BPF. */
#define KPROBE_FUNCTION "bpf_fentry_test1"

bool grp_probe_no(struct grp_probe *probe, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(probe->reason, GRP_FEATURE_REASON_MAX, format, args);
	va_end(args);
	return false;
}

/* --- what needs no program ------------------------------------------------------- */

static bool probe_btf(struct grp_probe *probe, int argument)
{
	return probe->btf ||
	       grp_probe_no(probe, "/sys/kernel/btf/vmlinux: %s (CONFIG_DEBUG_INFO_BTF)",
			    strerror(-probe->btf_error));
}

static bool is_filesystem(const char *name)
{
	_cleanup_fclose_ FILE *stream = fopen("/proc/filesystems", "re");
	char line[128];

	while (stream && fgets(line, sizeof(line), stream)) {
		const char *word = strrchr(line, '\t');

		line[strcspn(line, "\n")] = '\0';
		if (word && !strcmp(word + 1, name))
			return true;
	}
	return false;
}

static bool probe_bpffs(struct grp_probe *probe, int argument)
{
	struct statfs fs;

	if (statfs("/sys/fs/bpf", &fs) == 0 && fs.f_type == BPF_FS_MAGIC)
		return true;
	if (!is_filesystem("bpf"))
		return grp_probe_no(probe, "this kernel has no bpf filesystem");
	if (access("/sys/fs/bpf", F_OK) < 0)
		return grp_probe_no(probe, "/sys/fs/bpf: %s", strerror(errno));
	return true; /* it is mounted when it is needed */
}

/* @argument: number of the capability. */
static bool probe_capability(struct grp_probe *probe, int argument)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	if (syscall(SYS_capget, &header, data) < 0)
		return grp_probe_no(probe, "capget: %s", strerror(errno));
	return (data[argument / 32].effective >> (argument % 32) & 1) ||
	       grp_probe_no(probe, "the agent was started without it");
}

static bool probe_fifo(struct grp_probe *probe, int argument)
{
	const struct sched_param fifo = { .sched_priority = sched_get_priority_min(SCHED_FIFO) };
	struct sched_param param;
	int policy = sched_getscheduler(0);

	if (policy < 0 || sched_getparam(0, &param) < 0 ||
	    sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &fifo) < 0)
		return grp_probe_no(probe,
				    "refused: %s (CAP_SYS_NICE, RLIMIT_RTPRIO, cpu.rt_runtime_us)",
				    strerror(errno));
	(void)sched_setscheduler(0, policy, &param);
	return true;
}

/* @option: a v1 controller. */
static bool probe_v1(struct grp_probe *probe, const char *option)
{
	_cleanup_fclose_ FILE *stream = fopen("/proc/self/mounts", "re");
	struct mntent entry;
	char buffer[4096];

	while (stream && getmntent_r(stream, &entry, buffer, sizeof(buffer)))
		if (!strcmp(entry.mnt_type, "cgroup") && hasmntopt(&entry, option))
			return true;
	return grp_probe_no(probe, "not mounted; only comparisons need it");
}

static bool probe_v1_cpuacct(struct grp_probe *probe, int argument)
{
	return probe_v1(probe, "cpuacct");
}

static bool probe_v1_cpuset(struct grp_probe *probe, int argument)
{
	return probe_v1(probe, "cpuset");
}

static bool probe_membarrier(struct grp_probe *probe, int argument)
{
	long commands = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);

	if (commands < 0)
		return grp_probe_no(probe, "%s", strerror(errno));
	return (commands & MEMBARRIER_CMD_GLOBAL) ||
	       grp_probe_no(probe, "no MEMBARRIER_CMD_GLOBAL (nohz_full)");
}

static bool probe_pid_namespace(struct grp_probe *probe, int argument)
{
	struct stat st;

	if (stat("/proc/self/ns/pid", &st) < 0)
		return grp_probe_no(probe, "/proc/self/ns/pid: %s", strerror(errno));
	return st.st_ino == PID_INIT_INODE ||
	       grp_probe_no(probe, "the agent runs in a pid namespace of its own");
}

static bool read_number(const char *path, uint64_t *ret_number)
{
	_cleanup_fclose_ FILE *stream = fopen(path, "re");
	char line[32];

	if (!stream || !fgets(line, sizeof(line), stream))
		return false;
	line[strcspn(line, "\n")] = '\0';
	return grp_parse_u64(line, 0, UINT32_MAX, ret_number) == 0;
}

static bool probe_kprobe(struct grp_probe *probe, int argument)
{
	struct perf_event_attr attr = { .size = sizeof(attr), .disabled = 1 };
	_cleanup_close_ int fd = -1;
	uint64_t type;

	if (!read_number(KPROBE_TYPE_FILE, &type))
		return grp_probe_no(probe, "this kernel has no kprobes (CONFIG_KPROBE_EVENTS)");
	attr.type = (uint32_t)type;
	attr.kprobe_func = (uint64_t)(uintptr_t)KPROBE_FUNCTION;
	fd = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	return fd >= 0 || grp_probe_no(probe, "refused: %s", strerror(errno));
}

/* For the control filesystem. */
static bool probe_fuse(struct grp_probe *probe, int argument)
{
	_cleanup_close_ int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	return fd >= 0 || grp_probe_no(probe, "/dev/fuse: %s", strerror(errno));
}

/* --- the table ---------------------------------------------------------------------- */

struct row {
	const char *name;
	bool needed;
	grp_probe_fn probe;
	int argument;
};

static const struct row rows[] = {
	{ "cap-bpf", true, probe_capability, CAP_BPF },
	{ "cap-perfmon", true, probe_capability, CAP_PERFMON },
	{ "cap-sys-admin", true, probe_capability, CAP_SYS_ADMIN },
	{ "cap-sys-nice", false, probe_capability, CAP_SYS_NICE },
	{ "cap-sys-ptrace", false, probe_capability, CAP_SYS_PTRACE },
	{ "pid-namespace", true, probe_pid_namespace, 0 },
	{ "btf", true, probe_btf, 0 },
	{ "bpffs", true, probe_bpffs, 0 },
	{ "task-storage", true, grp_probe_task_storage, 0 },
	{ "tp-btf", true, grp_probe_tp_btf, 0 },
	{ "iter-task", true, grp_probe_iter_task, 0 },
	{ "iter-process", false, grp_probe_iter_process, 0 },
	{ "syscall-program", true, grp_probe_syscall, 0 },
	{ "run-on-cpu", true, grp_probe_run_on_cpu, 0 },
	{ "ring-buffer", true, grp_probe_ring_buffer, 0 },
	{ "mmap-array", true, grp_probe_mmap_array, 0 },
	{ "bpf-loop", true, grp_probe_loop, 0 },
	{ "sched-fifo", false, probe_fifo, 0 },
	{ "reclaim-events", false, grp_probe_reclaim, 0 },
	{ "outside-events", false, grp_probe_outside, 0 },
	{ "setaffinity-exit", false, grp_probe_asked_exit, 0 },
	{ "setaffinity-syscall", false, grp_probe_asked_syscall, 0 },
	{ "ptrace", false, grp_probe_ptrace, 0 },
	{ "suspend-seccomp", false, grp_probe_suspend_seccomp, 0 },
	{ "process-vm", false, grp_probe_process_vm, 0 },
	{ "migrate-pages", false, grp_probe_migrate_pages, 0 },
	{ "weighted-interleave", false, grp_probe_weighted, 0 },
	{ "task-from-pid", false, grp_probe_task_from_pid, 0 },
	{ "lsm", false, grp_probe_lsm, 0 },
	{ "fmod-ret", false, grp_probe_fmod_ret, 0 },
	{ "fentry", false, grp_probe_fentry, 0 },
	{ "kprobe", false, probe_kprobe, 0 },
	{ "membarrier", false, probe_membarrier, 0 },
	{ "fuse", false, probe_fuse, 0 },
	{ "v1-cpuacct", false, probe_v1_cpuacct, 0 },
	{ "v1-cpuset", false, probe_v1_cpuset, 0 },
};

int grp_probe_each(int (*fn)(const struct grp_feature *feature, void *data), void *data)
{
	/* What fails here is an answer, not a message. */
	libbpf_print_fn_t print = libbpf_set_print(NULL);
	struct grp_probe probe = { .btf = btf__load_vmlinux_btf() };
	int r = 0;

	if (!probe.btf)
		probe.btf_error = -errno;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && r == 0; i++) {
		struct grp_feature feature = { .name = rows[i].name, .needed = rows[i].needed };

		probe.reason = feature.reason;
		feature.available = rows[i].probe(&probe, rows[i].argument);
		r = fn(&feature, data);
	}
	btf__free(probe.btf);
	(void)libbpf_set_print(print);
	return r;
}

static int take_missing(const struct grp_feature *feature, void *data)
{
	if (feature->available || !feature->needed)
		return 0;
	*(struct grp_feature *)data = *feature;
	return 1;
}

int grp_probe_missing(struct grp_feature *ret_feature)
{
	return grp_probe_each(take_missing, ret_feature);
}
