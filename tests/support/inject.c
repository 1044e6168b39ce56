/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * inject [OPTION]... AGENT TID...: has the helper of AGENT place each thread, round by
 * round, and prints a line for each reply: TID, result, errno, attempts, mode, first
 * word of nodes.
 *
 *   -n ROUNDS   1; with more, only how often each result came is printed
 *   -g          ask for the policy, change nothing
 *   -m MODE -N NODES   a number, a mask in decimal (2: bind, 1)
 *   -M MASK     move pages from these nodes to those of -N, set no policy; then the number of
 *               pages that are left is printed instead of the mode
 *   -t MS       the deadline (60000)
 *   -p          TIDs are processes: all their threads, as they are at each round
 *   -s          for one who kills this: stops itself before the last reply is heard
 */
#include "place.h"

struct options {
	uint64_t rounds, timeout_ms;
	bool processes, stops;
	struct grp_place_request request;
};

static const char usage[] =
	"inject [-g] [-p] [-s] [-n ROUNDS] [-m MODE] [-M NODES] [-N NODES] [-t MS] AGENT TID...";

static uint64_t counts[GRP_PLACE_RESULT_MAX];
static uint64_t total;

static const char *const names[GRP_PLACE_RESULT_MAX] = {
	[GRP_PLACE_DONE] = "done",	   [GRP_PLACE_GONE] = "gone",
	[GRP_PLACE_KERNEL] = "kernel",	   [GRP_PLACE_TRACED] = "traced",
	[GRP_PLACE_DENIED] = "denied",	   [GRP_PLACE_COMPAT] = "32-bit",
	[GRP_PLACE_DISPATCH] = "dispatch", [GRP_PLACE_SECCOMP] = "seccomp",
	[GRP_PLACE_ASLEEP] = "asleep",	   [GRP_PLACE_FROZEN] = "frozen",
	[GRP_PLACE_BUSY] = "busy",	   [GRP_PLACE_NO_CALL] = "no-call",
	[GRP_PLACE_REFUSED] = "refused",   [GRP_PLACE_FAILED] = "failed",
};

static void one(struct place *place, const struct options *options, pid_t tid)
{
	struct grp_place_request request = options->request;
	struct grp_place_reply reply;

	request.tid = tid;
	request.timeout_ms = (uint32_t)options->timeout_ms;
	if (options->stops) {
		place_ask(place, &request);
		(void)raise(SIGSTOP);
		return;
	}
	reply = place_do(place, &request);
	if (reply.result >= GRP_PLACE_RESULT_MAX)
		die_usage("a result that there is not");
	counts[reply.result]++;
	total++;
	if (options->rounds > 1)
		return;
	(void)printf("%d %s %d %u %u %llu\n", tid, names[reply.result], reply.error, reply.attempts,
		     request.op == GRP_PLACE_MIGRATE ? reply.left : reply.mode,
		     (unsigned long long)reply.nodes[0]);
	(void)fflush(stdout);
}

static void all_threads(struct place *place, const struct options *options, const char *pid)
{
	const struct dirent *entry;
	char path[64];
	DIR *dir;

	(void)snprintf(path, sizeof(path), "/proc/%s/task", pid);
	dir = opendir(path);
	if (!dir)
		die(path);
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			one(place, options, (pid_t)number(entry->d_name, INT32_MAX));
	(void)closedir(dir);
}

static void parse(int argc, char **argv, struct options *options)
{
	int option;

	while ((option = getopt(argc, argv, "gpsn:m:M:N:t:")) != -1)
		switch (option) {
		case 'g':
			options->request.op = GRP_PLACE_GET;
			break;
		case 'p':
			options->processes = true;
			break;
		case 's':
			options->stops = true;
			break;
		case 'n':
			options->rounds = number(optarg, 1000000);
			break;
		case 'm':
			options->request.mode = (uint32_t)number(optarg, UINT32_MAX);
			break;
		case 'M':
			options->request.op = GRP_PLACE_MIGRATE;
			options->request.from[0] = number(optarg, INT64_MAX);
			break;
		case 'N':
			options->request.nodes[0] = number(optarg, INT64_MAX);
			break;
		case 't':
			options->timeout_ms = number(optarg, 3600000);
			break;
		default:
			die_usage(usage);
		}
	if (argc - optind < 2)
		die_usage(usage);
}

int main(int argc, char **argv)
{
	struct options options = { .rounds = 1, .timeout_ms = PLACE_PATIENCE_MS };
	struct place place;

	options.request = (struct grp_place_request){ .op = GRP_PLACE_SET,
						      .mode = MPOL_BIND,
						      .nodes = { 1 } };
	parse(argc, argv, &options);
	place = place_start(argv[optind]);
	for (uint64_t round = 0; round < options.rounds; round++)
		for (int i = optind + 1; i < argc; i++)
			if (options.processes)
				all_threads(&place, &options, argv[i]);
			else
				one(&place, &options, (pid_t)number(argv[i], INT32_MAX));
	for (unsigned int i = 0; options.rounds > 1 && i < GRP_PLACE_RESULT_MAX; i++)
		if (counts[i])
			(void)printf("%s %llu\n", names[i], (unsigned long long)counts[i]);
	place_end(&place);
	return 0;
}
