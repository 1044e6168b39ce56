/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hostile SOCKET MODE [ARGUMENT]
 *
 * A client that does not behave, against the agent's socket. Prints in one line
 * what came of it; never decides whether that is right.
 *
 *  half		half a request; holds the connection until SIGTERM. "holding"
 *  flood N		N bytes without an end
 *  nested N		N opening brackets, then the end of a request
 *  garbage N		N bytes of everything
 *  deaf N		N calls, and never reads an answer; holds until SIGTERM.
 *			"sent BYTES": what the agent took before it took no more
 *  connect N		N connections at a time; holds them until SIGTERM.
 *			"answered M": how many of them were served
 *  drip TEXT		one request, a byte at a time
 *  call TEXT		one request, properly
 *  calls		requests from stdin, one a line, sent without waiting for answers
 *
 * Where an answer is waited for: "reply TEXT", "closed" or "timeout"; for
 * `calls` one such line for each.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "support.h"

#define CONNECTIONS_MAX 10000
#define ANSWER_MS 20000
#define STALLED_MS 2000
#define PING "{\"method\":\"org.grpagent.Ping\"}"

static const char usage[] =
	"hostile SOCKET half|flood|nested|garbage|deaf|connect|drip|call|calls [ARGUMENT]";

static int try_connect(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		die(path);
	}
	memcpy(address.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		die("socket");
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

static int must_connect(const char *path)
{
	int fd = try_connect(path);

	if (fd < 0)
		die(path);
	return fd;
}

/* send_all() - Return: false when the other side has closed. */
static bool send_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t sent = send(fd, data, len, MSG_NOSIGNAL);

		if (sent < 0)
			return false;
		data += sent;
		len -= (size_t)sent;
	}
	return true;
}

/* Prints one message. Return: whether more can come. */
static bool print_answer(int fd, int timeout_ms)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	bool any = false;
	char c;

	for (;;) {
		if (poll(&wait, 1, timeout_ms) <= 0) {
			(void)puts("timeout");
			return false;
		}
		if (read(fd, &c, 1) != 1) {
			(void)puts(any ? "" : "closed");
			return false;
		}
		if (!any)
			(void)fputs("reply ", stdout);
		any = true;
		if (!c)
			break;
		(void)putchar(c);
	}
	(void)putchar('\n');
	return true;
}

static _Noreturn void hold(void)
{
	(void)fflush(stdout);
	for (;;)
		(void)pause();
}

static char *filled(size_t len, int c)
{
	char *data = malloc(len + 1);

	if (!data)
		die("malloc");
	memset(data, c, len);
	data[len] = '\0';
	return data;
}

static void mode_half(const char *path, const char *unused)
{
	int fd = must_connect(path);

	(void)unused;
	if (!send_all(fd, PING, strlen(PING) / 2))
		die("send");
	(void)puts("holding");
	hold();
}

static void mode_flood(const char *path, const char *argument)
{
	size_t len = number(argument, 1ULL << 30);
	char *data = filled(len, 'a');
	int fd = must_connect(path);

	(void)send_all(fd, data, len);
	(void)print_answer(fd, ANSWER_MS);
	free(data);
}

static void mode_nested(const char *path, const char *argument)
{
	size_t len = number(argument, 1ULL << 30);
	char *data = filled(len, '[');
	int fd = must_connect(path);

	(void)send_all(fd, data, len + 1);
	(void)print_answer(fd, ANSWER_MS);
	free(data);
}

static void mode_garbage(const char *path, const char *argument)
{
	size_t len = number(argument, 1ULL << 30);
	char *data = filled(len, 0);
	int fd = must_connect(path);
	uint32_t state = 1;

	for (size_t i = 0; i < len; i++) {
		state = state * 1664525 + 1013904223;
		data[i] = (char)(state >> 24);
	}
	(void)send_all(fd, data, len + 1);
	(void)print_answer(fd, ANSWER_MS);
	free(data);
}

static void mode_deaf(const char *path, const char *argument)
{
	uint64_t calls = number(argument, 1ULL << 30);
	int fd = must_connect(path);
	struct pollfd wait = { .fd = fd, .events = POLLOUT };
	size_t total = 0, at = 0;

	if (fcntl(fd, F_SETFL, O_NONBLOCK))
		die("fcntl");
	while (calls && poll(&wait, 1, STALLED_MS) == 1) {
		ssize_t sent = send(fd, PING + at, sizeof(PING) - at, MSG_NOSIGNAL);

		if (sent < 0 && errno != EAGAIN)
			break;
		total += sent > 0 ? (size_t)sent : 0;
		at += sent > 0 ? (size_t)sent : 0;
		calls -= at == sizeof(PING);
		at %= sizeof(PING);
	}
	(void)printf("sent %zu\n", total);
	hold();
}

static void mode_connect(const char *path, const char *argument)
{
	static int fds[CONNECTIONS_MAX];
	size_t n = number(argument, CONNECTIONS_MAX), answered = 0;
	char reply[512];
	ssize_t len;

	for (size_t i = 0; i < n; i++)
		fds[i] = try_connect(path);
	for (size_t i = 0; i < n; i++) {
		struct pollfd wait = { .fd = fds[i], .events = POLLIN };

		if (fds[i] < 0 || !send_all(fds[i], PING, sizeof(PING)))
			continue;
		len = poll(&wait, 1, ANSWER_MS) == 1 ? recv(fds[i], reply, sizeof(reply), 0) : -1;
		/* One that is refused is told so, if it has asked before that. */
		if (len > 0 && !memmem(reply, len, "\"error\"", strlen("\"error\"")))
			answered++;
	}
	(void)printf("answered %zu\n", answered);
	hold();
}

static void mode_drip(const char *path, const char *text)
{
	int fd = must_connect(path);
	size_t len = strlen(text) + 1;

	for (size_t i = 0; i < len && send_all(fd, text + i, 1); i++)
		sleep_ns(NS_PER_MS);
	(void)print_answer(fd, ANSWER_MS);
}

static void mode_call(const char *path, const char *text)
{
	int fd = must_connect(path);

	(void)send_all(fd, text, strlen(text) + 1);
	(void)print_answer(fd, ANSWER_MS);
}

static void mode_calls(const char *path, const char *unused)
{
	char *line = NULL, *all = NULL;
	size_t allocated = 0, len = 0, n = 0;
	FILE *memory = open_memstream(&all, &len);
	int fd = must_connect(path);
	ssize_t got;
	pid_t sender;

	(void)unused;
	if (!memory)
		die("open_memstream");
	while ((got = getline(&line, &allocated, stdin)) > 0) {
		line[got - 1] = '\0';
		n++;
		if (fwrite(line, 1, (size_t)got, memory) != (size_t)got)
			die("fwrite");
	}
	if (fclose(memory))
		die("fclose");
	/* Sent by a process of its own: the agent takes no more while it cannot answer. */
	sender = fork();
	if (sender < 0)
		die("fork");
	if (sender == 0)
		_exit(!send_all(fd, all, len));
	while (n-- && print_answer(fd, ANSWER_MS))
		;
	(void)kill(sender, SIGKILL);
	free(line);
	free(all);
}

static const struct mode {
	const char *name;
	void (*run)(const char *path, const char *argument);
	bool argument;
} modes[] = {
	{ "half", mode_half, false },	 { "flood", mode_flood, true },
	{ "nested", mode_nested, true }, { "garbage", mode_garbage, true },
	{ "deaf", mode_deaf, true },	 { "connect", mode_connect, true },
	{ "drip", mode_drip, true },	 { "call", mode_call, true },
	{ "calls", mode_calls, false },
};

int main(int argc, char **argv)
{
	if (argc < 3 || argc > 4)
		die_usage(usage);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL))
		die("prctl");
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(modes[i].name, argv[2]) != 0)
			continue;
		if (modes[i].argument != (argc == 4))
			die_usage(usage);
		modes[i].run(argv[1], argv[3]);
		return 0;
	}
	die_usage(usage);
}
