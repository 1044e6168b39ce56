/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * released PATH
 *
 * A release agent for tests, started by a link to it: as its environment is fixed,
 * it looks beside the name that it was started by. With LINK for that name it
 *  - appends "start PID PATH" to LINK.log and, in the end, "end PID PATH"
 *  - if there is LINK.report: appends what it was given, one "WHAT VALUE" a line
 *  - if there is LINK.hold, a FIFO: reads it to its end in between
 *  - if there is LINK.then: becomes that program at last, with PATH
 */
#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"

struct beside {
	char log[4096], report[4096], hold[4096], then[4096];
};

static void name_file(char (*file)[4096], const char *link, const char *suffix)
{
	if (snprintf(*file, sizeof(*file), "%s.%s", link, suffix) >= (int)sizeof(*file))
		die_usage("released PATH");
}

/* One write, so that lines of many do not mix. */
static void note(const char *file, const char *word, const char *path)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	if (fd < 0 || dprintf(fd, "%s %d %s\n", word, (int)getpid(), path) < 0)
		die(file);
	close(fd);
}

/* --- the report ------------------------------------------------------------------ */

/* Lines of /proc/self/status that say which signals are blocked and ignored. */
static void report_signals(FILE *out)
{
	FILE *status = fopen("/proc/self/status", "re");
	char line[256];

	if (!status)
		die("/proc/self/status");
	while (fgets(line, sizeof(line), status))
		if (!strncmp(line, "SigBlk:", 7) || !strncmp(line, "SigIgn:", 7))
			fprintf(out, "%.6s %s", line, line + 8);
	fclose(status);
}

static bool is_number(const char *text, int n)
{
	char own[16];

	snprintf(own, sizeof(own), "%d", n);
	return !strcmp(text, own);
}

static void report_fds(FILE *out)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;

	if (!dir)
		die("/proc/self/fd");
	while ((entry = readdir(dir))) {
		char target[256];
		ssize_t len = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);

		if (len < 0 || is_number(entry->d_name, dirfd(dir)) ||
		    is_number(entry->d_name, fileno(out)))
			continue;
		target[len] = '\0';
		fprintf(out, "fd %s %s\n", entry->d_name, target);
	}
	closedir(dir);
}

static void report_text_file(FILE *out, const char *what, const char *file)
{
	char text[64] = "";
	FILE *in = fopen(file, "re");

	if (!in || !fgets(text, sizeof(text), in))
		die(file);
	fclose(in);
	fprintf(out, "%s %s", what, text);
}

static void report(const char *file, int argc, char **argv)
{
	char directory[4096];
	struct rlimit files;
	mode_t mask = umask(0);
	FILE *out = fopen(file, "ae");

	if (!out || !getcwd(directory, sizeof(directory)) || getrlimit(RLIMIT_NOFILE, &files))
		die(file);
	fprintf(out, "argc %d\n", argc);
	for (int i = 0; i < argc; i++)
		fprintf(out, "arg %s\n", argv[i]);
	for (char **variable = environ; *variable; variable++)
		fprintf(out, "env %s\n", *variable);
	fprintf(out, "uid %d\ngid %d\n", (int)getuid(), (int)getgid());
	fprintf(out, "cwd %s\numask %03o\n", directory, mask);
	fprintf(out, "leader %s\n", getsid(0) == getpid() ? "yes" : "no");
	fprintf(out, "nofile %llu\n", (unsigned long long)files.rlim_cur);
	report_text_file(out, "oom", "/proc/self/oom_score_adj");
	report_signals(out);
	report_fds(out);
	if (fclose(out))
		die(file);
}

/* --- all together ------------------------------------------------------------------- */

static void wait_held(const char *file)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	char c;

	if (fd < 0)
		return;
	while (read(fd, &c, 1) > 0)
		;
	close(fd);
}

int main(int argc, char **argv)
{
	struct beside beside;

	if (argc < 2)
		die_usage("released PATH");
	name_file(&beside.log, argv[0], "log");
	name_file(&beside.report, argv[0], "report");
	name_file(&beside.hold, argv[0], "hold");
	name_file(&beside.then, argv[0], "then");
	note(beside.log, "start", argv[1]);
	if (!access(beside.report, F_OK))
		report(beside.report, argc, argv);
	wait_held(beside.hold);
	note(beside.log, "end", argv[1]);
	if (!access(beside.then, X_OK)) {
		execv(beside.then, argv);
		die(beside.then);
	}
	return 0;
}
