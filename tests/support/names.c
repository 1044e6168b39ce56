/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * names DIR N SEED
 *
 * Makes N directories of random names in DIR, one after the other. Each must be
 * refused with the error that its name deserves, or be made, be listed once, be
 * renamed to and fro, and be removed. Prints what was wrong, a line each, and how
 * often each error came. Ends with 1 if something was wrong.
 */
#include <dirent.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"

static const char usage[] = "names DIR N SEED";

/* Around NAME_MAX, where lengths are told apart, and everyday ones. */
#define LONG_FROM 250
#define LONG_LENGTHS 12
#define SHORT_LENGTHS 20
#define LONG_PERCENT 20
#define PRINTABLE_PERCENT 50

#define ERRNOS 256

static unsigned short seed[3];

static unsigned int below(unsigned int n)
{
	return (unsigned int)nrand48(seed) % n;
}

static void make_name(char *name)
{
	bool printable = below(100) < PRINTABLE_PERCENT;
	unsigned int length = below(100) < LONG_PERCENT ? LONG_FROM + below(LONG_LENGTHS) :
							  1 + below(SHORT_LENGTHS);
	unsigned int i;

	for (i = 0; i < length; i++) {
		name[i] = (char)(printable ? '!' + below(94) : 1 + below(255));
		if (name[i] == '/')
			name[i] = '_';
	}
	name[length] = '\0';
}

static int expected(const char *name)
{
	const char *p;

	if (!strcmp(name, ".") || !strcmp(name, ".."))
		return EEXIST;
	if (strlen(name) > NAME_MAX)
		return ENAMETOOLONG;
	for (p = name; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return EINVAL;
	return 0;
}

static unsigned int wrong(const char *name, const char *what, int value)
{
	printf("%s: %d: ", what, value);
	for (; *name; name++)
		printf("%02x", (unsigned char)*name);
	putchar('\n');
	return 1;
}

static int times_listed(const char *name)
{
	DIR *dir = opendir(".");
	struct dirent *entry;
	int n = 0;

	if (!dir)
		die("opendir");
	while ((entry = readdir(dir)))
		n += !strcmp(entry->d_name, name);
	(void)closedir(dir);
	return n;
}

static unsigned int try_name(const char *name, unsigned int *seen)
{
	int got = mkdir(name, 0755) ? errno : 0, listed;
	unsigned int n = 0;

	seen[got < ERRNOS ? got : ERRNOS - 1]++;
	if (got != expected(name))
		n += wrong(name, "mkdir", got);
	if (got)
		return n;
	listed = times_listed(name);
	if (listed != 1)
		n += wrong(name, "times listed", listed);
	if (rename(name, "renamed") || rename("renamed", name))
		n += wrong(name, "rename", errno);
	if (rmdir(name))
		n += wrong(name, "rmdir", errno);
	return n;
}

int main(int argc, char **argv)
{
	unsigned int seen[ERRNOS] = { 0 }, n_wrong = 0;
	char name[LONG_FROM + LONG_LENGTHS];
	uint64_t n;
	int i;

	if (argc != 4)
		die_usage(usage);
	if (chdir(argv[1]))
		die(argv[1]);
	seed[0] = (unsigned short)number(argv[3], USHRT_MAX);
	for (n = number(argv[2], INT_MAX); n; n--) {
		make_name(name);
		n_wrong += try_name(name, seen);
	}
	for (i = 0; i < ERRNOS; i++)
		if (seen[i])
			printf("%s: %u\n", i ? strerrorname_np(i) : "made", seen[i]);
	return n_wrong ? EXIT_FAILURE : EXIT_SUCCESS;
}
