/* SPDX-License-Identifier: GPL-2.0-only */
#include "place/proc.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"

/* From linux/sched.h; the last one is of Linux 6.4. */
#define PF_KTHREAD 0x00200000U
#define PF_IO_WORKER 0x00000010U
#define PF_USER_WORKER 0x00004000U

/* Signals that do nothing unless there is a handler. */
#define BIT_OF(signal) (1ULL << ((signal)-1))
#define IGNORED_BY_DEFAULT (BIT_OF(SIGCHLD) | BIT_OF(SIGURG) | BIT_OF(SIGWINCH) | BIT_OF(SIGCONT))

#define NS_PER_MS 1000000ULL
/* Of a member of as many groups as there may be: what we look for is behind them. */
#define STATUS_BYTES (1U << 20)

/* Return: length, NUL-terminated; -errno. What does not fit is cut. */
static ssize_t read_file(pid_t tid, const char *name, char *buffer, size_t size)
{
	_cleanup_close_ int fd = -1;
	char path[64];
	size_t length = 0;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", tid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	do {
		n = read(fd, buffer + length, size - 1 - length);
		if (n < 0)
			return -errno;
		length += (size_t)n;
	} while (n > 0 && length < size - 1);
	buffer[length] = 0;
	return (ssize_t)length;
}

/* What stands after "@name:" and blanks in lines of names; NULL: nothing. Cut where it ends. */
static char *field(char *text, const char *name, const char *end)
{
	size_t length = strlen(name);

	for (char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, length) != 0)
			continue;
		line += length;
		line += strspn(line, " \t:");
		line[strcspn(line, end)] = 0;
		return line;
	}
	return NULL;
}

static uint64_t number_of(const char *text, const char *name, bool hexadecimal)
{
	size_t length = strlen(name);
	char value[32] = "0x";
	char *digits = value + (hexadecimal ? 2 : 0);
	uint64_t number = 0;

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, length) != 0 || line[length] != ':')
			continue;
		line += length + 1;
		line += strspn(line, " \t");
		(void)snprintf(digits, sizeof(value) - 2, "%.*s", (int)strcspn(line, " \t\n"),
			       line);
		return grp_parse_kernel_u64(value, &number) < 0 ? 0 : number;
	}
	return 0;
}

/* Field @n of stat from 3 on; @text: behind the name. */
static uint64_t stat_field(const char *text, unsigned int n)
{
	char copy[32];
	uint64_t number = 0;

	for (unsigned int i = 3; i < n && text; i++) {
		text = strchr(text, ' ');
		text = text ? text + 1 : NULL;
	}
	if (!text)
		return 0;
	(void)snprintf(copy, sizeof(copy), "%.*s", (int)strcspn(text, " \n"), text);
	return grp_parse_u64(copy, 0, UINT64_MAX, &number) < 0 ? 0 : number;
}

int grp_place_status(pid_t tid, struct grp_place_status *ret_status)
{
	struct grp_place_status status = { 0 };
	_cleanup_free_ char *text = malloc(STATUS_BYTES);
	const char *behind;
	ssize_t n = text ? read_file(tid, "stat", text, STATUS_BYTES) : -ENOMEM;

	if (n < 0)
		return (int)n;
	behind = strrchr(text, ')');
	if (!behind || strlen(behind) < 3)
		return -EIO;
	behind += 2;
	status.state = *behind;
	status.kernel_thread =
		(stat_field(behind, 9) & (PF_KTHREAD | PF_IO_WORKER | PF_USER_WORKER)) != 0;
	status.start_ticks = stat_field(behind, 22);
	status.cpu = (unsigned int)stat_field(behind, 39);

	n = read_file(tid, "status", text, STATUS_BYTES);
	if (n < 0)
		return (int)n;
	status.tracer = (pid_t)number_of(text, "TracerPid", false);
	status.blocked = number_of(text, "SigBlk", true);
	status.pending = number_of(text, "SigPnd", true) | number_of(text, "ShdPnd", true);
	status.caught = number_of(text, "SigCgt", true);
	status.ignored = number_of(text, "SigIgn", true) | (IGNORED_BY_DEFAULT & ~status.caught);
	status.sleeps = number_of(text, "voluntary_ctxt_switches", false);
	status.seccomp = (unsigned int)number_of(text, "Seccomp", false);
	*ret_status = status;
	return 0;
}

uint64_t grp_place_last_ran_ns(pid_t tid)
{
	char text[4096], *value, *fraction;
	uint64_t ms = 0, ns = 0;

	if (read_file(tid, "sched", text, sizeof(text)) < 0)
		return 0;
	value = field(text, "se.exec_start", "\n");
	fraction = value ? strchr(value, '.') : NULL;
	if (!fraction)
		return 0;
	*fraction++ = 0;
	if (grp_parse_u64(value, 0, UINT64_MAX / NS_PER_MS - 1, &ms) < 0 ||
	    grp_parse_u64(fraction, 0, NS_PER_MS - 1, &ns) < 0)
		return 0;
	return ms * NS_PER_MS + ns;
}

void grp_place_blocked(pid_t tid, struct grp_place_blocked *ret_blocked)
{
	struct grp_place_blocked blocked = { 0 };
	char text[512], *rest = text, *word;
	uint64_t values[1 + GRP_PLACE_ARGUMENTS + 2] = { 0 };
	unsigned int n = 0;

	*ret_blocked = blocked;
	if (read_file(tid, "syscall", text, sizeof(text)) < 0)
		return;
	while (n < sizeof(values) / sizeof(*values) && (word = strsep(&rest, " \n")) && *word)
		if (grp_parse_kernel_u64(word, &values[n++]) < 0)
			return;
	/* "running", or "-1 SP PC": in no call */
	if (n != sizeof(values) / sizeof(*values))
		return;
	blocked.known = true;
	blocked.number = (int)values[0];
	memcpy(blocked.arguments, values + 1, sizeof(blocked.arguments));
	blocked.ip = values[n - 1];
	*ret_blocked = blocked;
}

bool grp_place_is_compat(pid_t tid)
{
	_cleanup_close_ int fd = -1;
	unsigned char header[EI_CLASS + 1];
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/exe", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return fd >= 0 && read(fd, header, sizeof(header)) == sizeof(header) &&
	       header[EI_CLASS] == ELFCLASS32;
}

uint64_t grp_place_vdso(pid_t tid)
{
	_cleanup_close_ int fd = -1;
	uint64_t pair[2];
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/auxv", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && read(fd, pair, sizeof(pair)) == sizeof(pair) && pair[0] != AT_NULL)
		if (pair[0] == AT_SYSINFO_EHDR)
			return pair[1];
	return 0;
}
