/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An agent that knows only what a script tells it, for tests of grpctl without
 * root. It serves one client after the other and does not understand JSON.
 *
 * usage: fake_agent SOCKET SCRIPT LOG
 *
 * A line of SCRIPT is a method and the reply to it, separated by blanks:
 *   org.grpagent.Ping {"parameters":{"instance":"main","version":"1"}}
 * Calls must come in that order; a line whose method ends in * answers every
 * further call of that method. In front of the reply may stand
 *   !half   send only the first half of it, then hang up
 *   !slow   send it byte by byte
 *   !close  hang up without a reply (which is left out)
 *   !hangup hang up after the reply
 *   !leave  end after the reply, socket included
 *   !more   the next line is another reply to the same call
 *   !pad=N  put N blanks behind the first byte of the reply
 * Each request is appended to LOG as a line. The program prints the id of a
 * process in the background and returns once that listens; it ends when the
 * script is done, or after 60 s. A call that the script does not expect is
 * answered with an error.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define LIFE_SECONDS 600

static const char unexpected[] = "{\"error\":\"test.fake.Unexpected\",\"parameters\":{}}";

struct step {
	char *method;
	bool repeats;
	bool half, slow, close, hangup, leave, more;
	size_t pad;
	char *reply;
};

struct fake {
	FILE *script;
	FILE *log;
	const char *path;
	char *line;
	size_t line_size;
	struct step step;
	bool have_step;
};

__attribute__((noreturn)) static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* Takes the words beginning with ! off the reply. */
static char *take_marks(struct step *step, char *text)
{
	while (*text == '!') {
		char *word = strsep(&text, " \t");

		step->half |= !strcmp(word, "!half");
		step->slow |= !strcmp(word, "!slow");
		step->close |= !strcmp(word, "!close");
		step->hangup |= !strcmp(word, "!hangup");
		step->leave |= !strcmp(word, "!leave");
		step->more |= !strcmp(word, "!more");
		if (!strncmp(word, "!pad=", 5))
			step->pad = strtoul(word + 5, NULL, 10);
		if (!text)
			return word + strlen(word);
		text += strspn(text, " \t");
	}
	return text;
}

/* False: the script is done. */
static bool next_step(struct fake *fake)
{
	char *text;
	size_t len;

	if (fake->have_step && fake->step.repeats)
		return true;
	fake->have_step = false;
	do {
		if (getline(&fake->line, &fake->line_size, fake->script) < 0)
			return false;
		fake->line[strcspn(fake->line, "\n")] = '\0';
	} while (!*fake->line || *fake->line == '#');
	text = fake->line;
	fake->step = (struct step){ .method = strsep(&text, " \t") };
	len = strlen(fake->step.method);
	if (len && fake->step.method[len - 1] == '*') {
		fake->step.method[len - 1] = '\0';
		fake->step.repeats = true;
	}
	text = text ? text + strspn(text, " \t") : fake->step.method + len;
	fake->step.reply = take_marks(&fake->step, text);
	fake->have_step = true;
	return true;
}

/* One request without its NUL. NULL: the client is gone. */
static char *read_request(int fd)
{
	size_t used = 0, size = 2 << 20; /* twice what a call may have */
	char *text = malloc(size);

	if (!text)
		die("malloc");
	while (used < size && recv(fd, &text[used], 1, 0) == 1) {
		if (!text[used++])
			return text;
	}
	free(text);
	return NULL;
}

static void send_all(int fd, const char *bytes, size_t len, size_t chunk)
{
	while (len) {
		ssize_t n = send(fd, bytes, len < chunk ? len : chunk, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		bytes += n;
		len -= (size_t)n;
	}
}

static void send_reply(int fd, const struct step *step)
{
	size_t len = strlen(step->reply), chunk = step->slow ? 1 : len + 1;
	char *blanks;

	if (step->half) {
		send_all(fd, step->reply, len / 2, chunk);
		return;
	}
	if (!step->pad) {
		send_all(fd, step->reply, len + 1, chunk);
		return;
	}
	blanks = malloc(step->pad);
	if (!blanks)
		die("malloc");
	memset(blanks, ' ', step->pad);
	send_all(fd, step->reply, 1, chunk);
	send_all(fd, blanks, step->pad, step->pad);
	send_all(fd, step->reply + 1, len, chunk);
	free(blanks);
}

/* False: hang up. */
static bool answer(struct fake *fake, int fd, const char *request)
{
	char expected[256];

	fprintf(fake->log, "%s\n", request);
	fflush(fake->log);
	snprintf(expected, sizeof(expected), "\"method\":\"%s\"", fake->step.method);
	if (!strstr(request, expected)) {
		send_all(fd, unexpected, sizeof(unexpected), sizeof(unexpected));
		return false;
	}
	if (!fake->step.close)
		send_reply(fd, &fake->step);
	while (fake->step.more && next_step(fake))
		send_reply(fd, &fake->step);
	if (fake->step.leave) {
		unlink(fake->path);
		exit(0);
	}
	return !fake->step.half && !fake->step.close && !fake->step.hangup;
}

/* True: the script is done. */
static bool serve(struct fake *fake, int fd)
{
	for (;;) {
		char *request = read_request(fd);
		bool goes_on;

		if (!request)
			return false;
		if (!fake->have_step) {
			free(request);
			return true;
		}
		goes_on = answer(fake, fd, request);
		free(request);
		if (!next_step(fake))
			return true;
		if (!goes_on)
			return false;
	}
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		die(path);
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	unlink(path);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, 16) < 0)
		die(path);
	return fd;
}

/* The tests' own descriptors must not be held open. */
static void go_background(int listener, int log)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid) {
		printf("%d\n", (int)pid);
		exit(0);
	}
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	for (int fd = 3; fd < 256; fd++) {
		if (fd != listener && fd != log)
			close(fd);
	}
	alarm(LIFE_SECONDS);
}

/* The whole script at once: its file is closed in the background. */
static FILE *read_script(const char *path)
{
	FILE *file = fopen(path, "re");
	FILE *memory;
	char *text = NULL;
	size_t size = 0;

	if (!file || getdelim(&text, &size, '\0', file) <= 0)
		die(path);
	fclose(file);
	memory = fmemopen(NULL, strlen(text) + 1, "w+");
	if (!memory || fputs(text, memory) == EOF)
		die("fmemopen");
	rewind(memory);
	free(text);
	return memory;
}

int main(int argc, char **argv)
{
	struct fake fake = { 0 };
	int listener;

	if (argc != 4) {
		fputs("usage: fake_agent SOCKET SCRIPT LOG\n", stderr);
		return 2;
	}
	fake.path = argv[1];
	fake.script = read_script(argv[2]);
	fake.log = fopen(argv[3], "ae");
	if (!fake.log)
		die(argv[3]);
	listener = listen_at(argv[1]);
	go_background(listener, fileno(fake.log));
	for (bool done = !next_step(&fake); !done;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			return 1;
		done = serve(&fake, fd);
		close(fd);
	}
	free(fake.line);
	return 0;
}
