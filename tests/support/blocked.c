/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * blocked AGENT [KIND]: for each kind of call in which a thread may sleep, a child does
 * so, is placed by the helper of AGENT again and again, and has to get from its call
 * exactly what it would have got without. Prints a line for each kind; ends with 1 if
 * one was disturbed. It is bound to the last memory node, and new pages that it touches
 * afterwards have to be there.
 *
 * A call with a time must end although it is disturbed more often than that time is
 * long, and not before. One that waits for something must go on waiting until it comes,
 * then be told of it.
 */
#include "blocked.h"

/* --- the parent --------------------------------------------------------------------------- */

static void set_stage(struct stage *stage)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	stage->word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	stage->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	stage->queue = msgget(IPC_PRIVATE, 0600);
	stage->semaphore = semget(IPC_PRIVATE, 1, 0600);
	if (stage->word == MAP_FAILED || pipe2(stage->pipe, O_CLOEXEC) || stage->socket < 0 ||
	    bind(stage->socket, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(stage->socket, 1) || stage->queue < 0 || stage->semaphore < 0)
		die("no stage");
}

static void clear_stage(struct stage *stage)
{
	(void)munmap((void *)stage->word, 4096);
	(void)close(stage->pipe[0]);
	(void)close(stage->pipe[1]);
	(void)close(stage->socket);
	(void)msgctl(stage->queue, IPC_RMID, NULL);
	(void)semctl(stage->semaphore, 0, IPC_RMID);
}

static char state_of(pid_t pid)
{
	char path[64], text[512] = "", *end;
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;
	(void)close(fd);
	text[n > 0 ? n : 0] = 0;
	end = strrchr(text, ')');
	return end ? end[2] : '?';
}

/* Asleep, or at its end. */
static void wait_asleep(pid_t pid)
{
	while (!strchr("STZ?", state_of(pid)))
		sleep_ns(NS_PER_MS);
}

static bool has_ended(pid_t pid)
{
	return state_of(pid) == 'Z';
}

/* Return: what was wrong, NULL: nothing. */
static const char *disturb(struct place *place, const struct kind *kind, struct stage *stage,
			   pid_t pid)
{
	uint64_t end = now() + 120 * NS_PER_S, rounds = 0;
	struct grp_place_reply reply;

	while (!has_ended(pid) && (!kind->wake || rounds < ROUNDS_WAITING)) {
		wait_asleep(pid);
		reply = place_bind(place, pid);
		if (reply.result == GRP_PLACE_GONE && !kind->wake)
			break;
		if (reply.result != GRP_PLACE_DONE)
			return wrong("placing it: result %u, errno %d", reply.result, reply.error);
		rounds++;
		/* more often than its time is long: started anew each time it would never end */
		sleep_ns((kind->wake ? 1 : TIME_MS / 20) * NS_PER_MS);
		if (now() > end)
			return wrong("has not ended, after %llu rounds",
				     (unsigned long long)rounds);
	}
	if (!rounds)
		return "never placed";
	if (kind->wake && has_ended(pid))
		return "ended by itself";
	if (kind->wake)
		kind->wake(stage, pid);
	return NULL;
}

/* For a signal that is blocked during its call, and pending all the time. */
static void before(const struct kind *kind, pid_t pid)
{
	if (kind->sleep != in_ppoll_that_blocks)
		return;
	wait_asleep(pid);
	if (kill(pid, WAKE_SIGNAL))
		die("kill");
}

/* Where the kernel has put new pages of ours. Return: what was wrong, NULL: nothing. */
static const char *touch_pages(void)
{
	const size_t n_pages = 64, bytes = n_pages * 4096;
	char *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int node = -1;

	if (pages == MAP_FAILED)
		die("mmap");
	for (size_t i = 0; i < bytes; i += 4096) {
		pages[i] = 1;
		if (syscall(SYS_get_mempolicy, &node, NULL, 0, pages + i,
			    MPOL_F_NODE | MPOL_F_ADDR))
			return wrong("get_mempolicy: %s", strerror(errno));
		if (node != (int)place_node())
			return wrong("page %zu is on node %d", i / 4096, node);
	}
	return NULL;
}

static bool try(struct place *place, const struct kind *kind)
{
	struct stage stage = { 0 };
	const char *what;
	int status;
	pid_t pid;

	set_stage(&stage);
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		what = kind->sleep(&stage) ?: touch_pages();
		if (what)
			(void)printf("%s: %s\n", kind->name, what);
		(void)fflush(stdout);
		_exit(what ? 1 : 0);
	}
	before(kind, pid);
	what = disturb(place, kind, &stage, pid);
	if (what) {
		(void)printf("%s: %s\n", kind->name, what);
		(void)kill(pid, SIGKILL);
	}
	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	clear_stage(&stage);
	if (!what && !WIFEXITED(status))
		(void)printf("%s: killed by signal %d\n", kind->name, WTERMSIG(status));
	return !what && WIFEXITED(status) && !WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	unsigned int n = 0, bad = 0;
	struct place place;

	if (argc < 2 || argc > 3)
		die_usage("blocked AGENT [KIND]");
	place = place_start(argv[1]);
	for (unsigned int i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (argc == 3 && strcmp(argv[2], kinds[i].name) != 0)
			continue;
		n++;
		if (!try(&place, &kinds[i]))
			bad++;
		else
			(void)printf("%s: undisturbed\n", kinds[i].name);
		(void)fflush(stdout);
	}
	place_end(&place);
	return n && !bad ? 0 : 1;
}
