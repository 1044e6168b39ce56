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
 *
 * blocked -c COMMAND MS: all kinds at the same time; those that sleep for a time do so for MS.
 * COMMAND gets the numbers of all, and has seen to it that they are placed when it ends.
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

/*
 * It was let go just now: woken before it is in its call again, it would miss that, as it would
 * if it had not begun. Return: what was wrong, NULL: nothing.
 */
static const char *wake(const struct kind *kind, struct stage *stage, pid_t pid)
{
	wait_asleep(pid);
	if (has_ended(pid))
		return "ended by itself";
	kind->wake(stage, pid);
	return NULL;
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
		sleep_ns((kind->wake ? 1 : (time_ms) / 20) * NS_PER_MS);
		if (now() > end)
			return wrong("has not ended, after %llu rounds",
				     (unsigned long long)rounds);
	}
	if (!rounds)
		return "never placed";
	return kind->wake ? wake(kind, stage, pid) : NULL;
}

/* For a signal that is blocked during its call, and pending all the time. */
static void before(const struct kind *kind, pid_t pid)
{
	if (kind->sleep != in_ppoll_that_blocks && kind->sleep != in_ppoll_ignoring)
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

static pid_t start_kind(const struct kind *kind, struct stage *stage)
{
	const char *what;
	pid_t pid;

	set_stage(stage);
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		what = kind->sleep(stage) ?: touch_pages();
		if (what)
			(void)printf("%s: %s\n", kind->name, what);
		(void)fflush(stdout);
		_exit(what ? 1 : 0);
	}
	before(kind, pid);
	return pid;
}

/* @what: was wrong so far; NULL: nothing. Return: whether all was well. */
static bool end_kind(const struct kind *kind, struct stage *stage, pid_t pid, const char *what)
{
	bool good;
	int status;

	if (what) {
		(void)printf("%s: %s\n", kind->name, what);
		(void)kill(pid, SIGKILL);
	}
	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	clear_stage(stage);
	if (!what && !WIFEXITED(status))
		(void)printf("%s: killed by signal %d\n", kind->name, WTERMSIG(status));
	good = !what && WIFEXITED(status) && !WEXITSTATUS(status);
	if (good)
		(void)printf("%s: undisturbed\n", kind->name);
	(void)fflush(stdout);
	return good;
}

static int one_by_one(const char *agent, const char *name)
{
	struct place place = place_start(agent);
	unsigned int n = 0, bad = 0;
	pid_t pid;

	for (unsigned int i = 0; i < N_KINDS; i++) {
		struct stage stage = { 0 };

		if (name && strcmp(name, kinds[i].name) != 0)
			continue;
		n++;
		pid = start_kind(&kinds[i], &stage);
		bad += !end_kind(&kinds[i], &stage, pid, disturb(&place, &kinds[i], &stage, pid));
	}
	place_end(&place);
	return n && !bad ? 0 : 1;
}

static void run(const char *command, const pid_t *pids)
{
	static char numbers[N_KINDS][16];
	const char *arguments[N_KINDS + 2] = { command };
	int status;
	pid_t pid;

	for (unsigned int i = 0; i < N_KINDS; i++) {
		(void)snprintf(numbers[i], sizeof(numbers[i]), "%d", pids[i]);
		arguments[i + 1] = numbers[i];
	}
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		(void)execv(command, (char **)arguments);
		die(command);
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status))
		die_usage("blocked -c COMMAND MS, of which COMMAND has failed");
}

static int all_at_once(const char *command)
{
	static struct stage stages[N_KINDS];
	pid_t pids[N_KINDS];
	unsigned int bad = 0;

	for (unsigned int i = 0; i < N_KINDS; i++)
		pids[i] = start_kind(&kinds[i], &stages[i]);
	for (unsigned int i = 0; i < N_KINDS; i++)
		wait_asleep(pids[i]);
	run(command, pids);
	for (unsigned int i = 0; i < N_KINDS; i++) {
		const char *what = NULL;

		if (kinds[i].wake)
			what = wake(&kinds[i], &stages[i], pids[i]);
		bad += !end_kind(&kinds[i], &stages[i], pids[i], what);
	}
	return bad ? 1 : 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "-c")) {
		time_ms = number(argv[3], 3600000);
		return all_at_once(argv[2]);
	}
	if (argc < 2 || argc > 3)
		die_usage("blocked AGENT [KIND] | blocked -c COMMAND MS");
	return one_by_one(argv[1], argv[2]);
}
