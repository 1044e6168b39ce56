/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * uring_work [--seconds N] [--ops N] FILE
 *
 * Lets the kernel's io_uring workers do the work: every request is forced into
 * a worker thread (IOSQE_ASYNC), so most of the CPU time of this process is
 * burnt by threads that no fork hook ever sees. Reads, writes and fsyncs of
 * FILE, which is made and removed. Prints how much time this thread itself and
 * how much the workers took. Ends with 77 where io_uring is not allowed.
 */
#include <fcntl.h>
#include <getopt.h>
#include <liburing.h>
#include <sys/resource.h>
#include <unistd.h>

#include "support.h"

#define DEPTH 32U
#define BLOCK_BYTES (256U * 1024)

static const char usage[] = "uring_work [--seconds N] [--ops N] FILE";

struct options {
	uint64_t seconds, ops;
	const char *file;
};

static char blocks[DEPTH][BLOCK_BYTES];

static void parse(int argc, char **argv, struct options *options)
{
	static const struct option longs[] = {
		{ "seconds", required_argument, NULL, 's' },
		{ "ops", required_argument, NULL, 'o' },
		{ NULL },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 's')
			options->seconds = number(optarg, 1000000);
		else if (c == 'o')
			options->ops = number(optarg, 1000000000);
		else
			die_usage(usage);
	}
	if (optind + 1 != argc)
		die_usage(usage);
	options->file = argv[optind];
}

static void open_ring(struct io_uring *ring)
{
	int result = io_uring_queue_init(DEPTH, ring, 0);

	if (result == 0)
		return;
	if (result == -EPERM || result == -ENOSYS || result == -EACCES) {
		(void)printf("io_uring is not to be had here: %s\n", strerror(-result));
		exit(EXIT_SKIP);
	}
	errno = -result;
	die("io_uring_queue_init");
}

static void submit_batch(struct io_uring *ring, int fd, uint64_t round)
{
	int submitted;

	for (unsigned int i = 0; i < DEPTH; i++) {
		struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

		if (!sqe) {
			errno = EBUSY;
			die("io_uring_get_sqe");
		}
		if (i == DEPTH - 1)
			io_uring_prep_fsync(sqe, fd, 0);
		else if ((i + round) % 2)
			io_uring_prep_read(sqe, fd, blocks[i], BLOCK_BYTES,
					   (uint64_t)i * BLOCK_BYTES);
		else
			io_uring_prep_write(sqe, fd, blocks[i], BLOCK_BYTES,
					    (uint64_t)i * BLOCK_BYTES);
		io_uring_sqe_set_flags(sqe, IOSQE_ASYNC);
	}
	submitted = io_uring_submit_and_wait(ring, DEPTH);
	if (submitted != (int)DEPTH) {
		errno = submitted < 0 ? -submitted : EAGAIN;
		die("io_uring_submit_and_wait");
	}
}

static void collect_batch(struct io_uring *ring)
{
	for (unsigned int i = 0; i < DEPTH; i++) {
		struct io_uring_cqe *cqe;
		int result = io_uring_wait_cqe(ring, &cqe);

		if (result == 0 && cqe->res < 0)
			result = cqe->res;
		if (result < 0) {
			errno = -result;
			die("request");
		}
		io_uring_cqe_seen(ring, cqe);
	}
}

static uint64_t used_ns(int who)
{
	struct rusage usage_now;

	if (getrusage(who, &usage_now))
		die("getrusage");
	return (uint64_t)(usage_now.ru_utime.tv_sec + usage_now.ru_stime.tv_sec) * NS_PER_S +
	       (uint64_t)(usage_now.ru_utime.tv_usec + usage_now.ru_stime.tv_usec) * NS_PER_US;
}

int main(int argc, char **argv)
{
	struct options options = { .seconds = 1 };
	uint64_t end, ops = 0, own;
	struct io_uring ring;
	int fd;

	parse(argc, argv, &options);
	open_ring(&ring);
	fd = open(options.file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		die(options.file);
	if (unlink(options.file))
		die(options.file);
	end = clock_ns(CLOCK_MONOTONIC) + options.seconds * NS_PER_S;
	do {
		submit_batch(&ring, fd, ops / DEPTH);
		collect_batch(&ring);
		ops += DEPTH;
	} while (options.ops ? ops < options.ops : clock_ns(CLOCK_MONOTONIC) < end);
	own = used_ns(RUSAGE_THREAD);
	(void)printf("{\"ops\":%llu,\"own_ns\":%llu,\"workers_ns\":%llu}\n",
		     (unsigned long long)ops, (unsigned long long)own,
		     (unsigned long long)(used_ns(RUSAGE_SELF) - own));
	/* the ring is left to exit: its workers go with the process */
	return 0;
}
