/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The control filesystem as the kernel asks it, without a kernel: requests of FUSE are
 * sent over a socket to the session of a mount, over the agent in memory. What a real
 * mount does is in tests/e2e/fs*.bats; here are sizes that no machine has at hand.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "bystander.h"
#include "fake_agent.h"
#include "front/fs_internal.h"

#include <linux/fuse.h>
#include <utlist.h>

#define MANY 100000
#define USER 1000
#define OTHER 1001
#define MIB (1024UL * 1024)
/* What is not answered by then (10 s of nothing) is not answered. */
#define ROUND_USEC 1000
#define ROUNDS_MAX 10000
#define REPLY_MAX (256U * 1024)
/* Below what a user may hold by some bytes. */
#define NEARLY_ALL (64 * MIB - 4096)

struct fixture {
	struct fake_agent *fake;
	struct grp_fs *fs;
	struct grp_fs_mount *mount;
	int kernel; /* the other end */
	uint64_t unique;
	char *reply; /* without its header */
	size_t len;
};

/* --- the kernel's side ------------------------------------------------------------------ */

struct request {
	struct fuse_in_header head;
	char data[128];
};

/* Return: its number. */
static uint64_t say(struct fixture *f, enum fuse_opcode opcode, uint64_t node, uint32_t uid,
		    const void *data, size_t len)
{
	struct request request = {
		.head = { .len = (uint32_t)(sizeof(request.head) + len),
			  .opcode = opcode,
			  .unique = ++f->unique,
			  .nodeid = node,
			  .uid = uid,
			  .gid = uid,
			  .pid = (uint32_t)getpid() },
	};

	memcpy(request.data, data, len);
	assert_int_equal(send(f->kernel, &request, request.head.len, 0), request.head.len);
	assert_true(fuse_session_receive_buf(f->mount->session, &f->mount->buf) > 0);
	fuse_session_process_buf(f->mount->session, &f->mount->buf);
	return f->unique;
}

/* The next answer, which must be that to @unique. Return: 0, or its errno. */
static int hear(struct fixture *f, uint64_t unique)
{
	struct fuse_out_header head;
	struct iovec iov[] = { { &head, sizeof(head) }, { f->reply, REPLY_MAX } };
	struct msghdr message = { .msg_iov = iov, .msg_iovlen = 2 };
	ssize_t n;

	for (int rounds = 0;; rounds++) {
		n = recvmsg(f->kernel, &message, MSG_DONTWAIT);
		if (n >= 0)
			break;
		assert_int_equal(errno, EAGAIN);
		assert_true(rounds < ROUNDS_MAX);
		assert_return_code(sd_event_run(f->fake->agent.event, ROUND_USEC), 0);
	}
	assert_true((size_t)n >= sizeof(head));
	assert_int_equal(head.unique, unique);
	f->len = (size_t)n - sizeof(head);
	return -head.error;
}

static int ask(struct fixture *f, enum fuse_opcode opcode, uint64_t node, uint32_t uid,
	       const void *data, size_t len)
{
	return hear(f, say(f, opcode, node, uid, data, len));
}

static void say_hello(struct fixture *f)
{
	const struct fuse_init_in init = { .major = FUSE_KERNEL_VERSION,
					   .minor = 31,
					   .max_readahead = 65536 };

	assert_int_equal(ask(f, FUSE_INIT, 0, 0, &init, sizeof(init)), 0);
}

/* Return: 0 or errno. */
static int open_file(struct fixture *f, uint64_t node, uint32_t uid, uint64_t *ret_handle)
{
	const struct fuse_open_in open = { .flags = 0 };
	struct fuse_open_out out;
	int r = ask(f, FUSE_OPEN, node, uid, &open, sizeof(open));

	*ret_handle = 0;
	if (r)
		return r;
	assert_int_equal(f->len, sizeof(out));
	memcpy(&out, f->reply, sizeof(out));
	*ret_handle = out.fh;
	return 0;
}

static void close_file(struct fixture *f, uint64_t node, uint64_t handle)
{
	const struct fuse_release_in release = { .fh = handle };

	assert_int_equal(ask(f, FUSE_RELEASE, node, 0, &release, sizeof(release)), 0);
}

/* All that is read, in pieces; owned by the caller. */
static char *read_all(struct fixture *f, uint64_t node, uint64_t handle, size_t piece)
{
	struct fuse_read_in in = { .fh = handle, .size = (uint32_t)piece };
	char *text = NULL, *bigger;

	do {
		assert_int_equal(ask(f, FUSE_READ, node, 0, &in, sizeof(in)), 0);
		bigger = realloc(text, in.offset + f->len + 1);
		assert_non_null(bigger);
		text = bigger;
		memcpy(text + in.offset, f->reply, f->len);
		in.offset += f->len;
		text[in.offset] = '\0';
	} while (f->len);
	return text;
}

/* --- the agent's side -------------------------------------------------------------------- */

/* Nothing of a socket can be spliced as of a device. */
static void on_init(void *data, struct fuse_conn_info *conn)
{
	(void)data;
	conn->want &= ~(unsigned int)(FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE |
				      FUSE_CAP_SPLICE_MOVE);
}

static void open_session(struct fixture *f, int fd)
{
	char name[] = "unit", path[32];
	char *argv[] = { name, NULL };
	struct fuse_args args = FUSE_ARGS_INIT(1, argv);
	struct fuse_lowlevel_ops ops = { .init = on_init };

	grp_fs_dir_ops(&ops);
	grp_fs_file_ops(&ops);
	grp_fs_write_op(&ops);
	f->mount->session = fuse_session_new(&args, &ops, sizeof(ops), f->mount);
	fuse_opt_free_args(&args);
	assert_non_null(f->mount->session);
	(void)snprintf(path, sizeof(path), "/dev/fd/%d", fd);
	assert_int_equal(fuse_session_mount(f->mount->session, path), 0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int ends[2];

	f->fake = fake_agent_new(8, 8);
	f->reply = malloc(REPLY_MAX);
	assert_int_equal(grp_fs_new(&f->fake->agent, &f->fs), 0);
	f->mount = calloc(1, sizeof(*f->mount));
	f->mount->fs = f->fs;
	f->mount->hierarchy = strdup("default");
	f->mount->directory = strdup("/unit");
	f->mount->device = -1;
	DL_APPEND(f->fs->mounts, f->mount);
	f->fs->n_mounts++;
	assert_return_code(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), errno);
	f->kernel = ends[0];
	open_session(f, ends[1]);
	say_hello(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	assert_null(f->fs->handles);
	assert_null(f->fs->users);
	grp_fs_free(f->fs);
	(void)close(f->kernel);
	fake_agent_free(f->fake);
	free(f->reply);
	free(f);
	return 0;
}

static uint64_t node_of(struct fixture *f, struct grp_group *group, const char *name)
{
	struct grp_file_ref ref;
	struct grp_fs_node node;

	assert_true(grp_file_find(f->fake->agent.core, group, name, &ref));
	grp_fs_file_node(group, &ref, &node);
	return node.ino;
}

static struct grp_group *root_of(struct fixture *f)
{
	return grp_fs_root(f->mount);
}

/* --- tests ------------------------------------------------------------------------------- */

/* A process of so many threads, numbered from 1000 on. */
static void make_many(struct fixture *f)
{
	fake_task_old(f->fake->kernel, 10, 10);
	fake_task_threads(f->fake->kernel, 1000, MANY);
}

/* Whether a text is the numbers from 1000 on, one a line. */
static void assert_all(const char *text)
{
	const char *at = text;

	for (unsigned long i = 0; i < MANY; i++) {
		char *end;

		assert_int_equal(strtoul(at, &end, 10), 1000 + i);
		assert_int_equal(*end, '\n');
		at = end + 1;
	}
	assert_string_equal(at, "");
}

/* TASK-2: what was there when it was opened, all of it, whatever happens meanwhile. */
static void test_snapshot_of_many(void **state)
{
	struct fixture *f = *state;
	uint64_t node = node_of(f, root_of(f), "tasks"), handle;
	char *text;

	make_many(f);
	assert_int_equal(open_file(f, node, USER, &handle), 0);
	for (uint32_t tid = 1000; tid < 1100; tid++) {
		fake_task_exit(f->fake->kernel, tid);
		fake_task_reap(f->fake->kernel, tid);
	}
	fake_task_fork(f->fake->kernel, 1200, 1000 + MANY, 1000);
	text = read_all(f, node, handle, 4096);
	assert_all(text);
	free(text);
	text = read_all(f, node, handle, 131072);
	assert_all(text);
	free(text);
	close_file(f, node, handle);
}

/* An open that has to find very many: others are answered before, and it may be interrupted. */
static void test_open_of_many(void **state)
{
	struct fixture *f = *state;
	uint64_t node = node_of(f, root_of(f), "tasks"), opened;
	const struct fuse_open_in open = { .flags = 0 };
	const struct fuse_getattr_in attributes = { .fh = 0 };
	struct fuse_interrupt_in interrupt;
	struct fuse_open_out out;

	make_many(f);
	opened = say(f, FUSE_OPEN, node, USER, &open, sizeof(open));
	assert_return_code(sd_event_run(f->fake->agent.event, 0), 0);
	assert_in_range(bystander_wait(f->fake->agent.event), 1, BYSTANDER_TURNS);
	assert_non_null(f->mount->listings);
	assert_int_equal(ask(f, FUSE_GETATTR, node, USER, &attributes, sizeof(attributes)), 0);
	assert_int_equal(hear(f, opened), 0);
	memcpy(&out, f->reply, sizeof(out));
	close_file(f, node, out.fh);
	opened = say(f, FUSE_OPEN, node, USER, &open, sizeof(open));
	interrupt.unique = opened;
	(void)say(f, FUSE_INTERRUPT, 0, 0, &interrupt, sizeof(interrupt));
	assert_int_equal(hear(f, opened), EINTR);
	assert_null(f->fs->handles);
	/* One that nobody will be told of: its mount ends. */
	(void)say(f, FUSE_OPEN, node, USER, &open, sizeof(open));
	grp_fs_listings_drop(f->mount);
	assert_null(f->fs->handles);
}

/* Whether the directory that was heard has this name as the last one. */
static void assert_last(const struct fixture *f, const char *name)
{
	struct fuse_dirent entry;
	size_t at = 0, last = 0;

	for (; at < f->len; at += FUSE_DIRENT_ALIGN(FUSE_NAME_OFFSET + entry.namelen)) {
		memcpy(&entry, f->reply + at, FUSE_NAME_OFFSET);
		last = at;
	}
	memcpy(&entry, f->reply + last, FUSE_NAME_OFFSET);
	assert_int_equal(entry.namelen, strlen(name));
	assert_memory_equal(f->reply + last + FUSE_NAME_OFFSET, name, entry.namelen);
}

/* The same of proc, which has all processes; one of them has very many threads. */
static void test_proc_of_many(void **state)
{
	struct fixture *f = *state;
	const struct fuse_getattr_in attributes = { .fh = 0 };
	struct fuse_read_in in = { .size = 4096 };
	const struct fuse_open_in open = { .flags = 0 };
	struct fuse_release_in release;
	struct fuse_interrupt_in interrupt;
	struct fuse_open_out out;
	struct grp_fs_node node;

	make_many(f);
	grp_fs_proc_node(GRP_FS_PROC, 0, &node);
	assert_int_equal(ask(f, FUSE_OPENDIR, node.ino, USER, &open, sizeof(open)), 0);
	memcpy(&out, f->reply, sizeof(out));
	release.fh = in.fh = out.fh;
	interrupt.unique = say(f, FUSE_READDIR, node.ino, USER, &in, sizeof(in));
	assert_return_code(sd_event_run(f->fake->agent.event, 0), 0);
	assert_int_equal(ask(f, FUSE_GETATTR, node.ino, USER, &attributes, sizeof(attributes)), 0);
	assert_int_equal(hear(f, interrupt.unique), 0);
	assert_last(f, "1000");
	interrupt.unique = say(f, FUSE_READDIR, node.ino, USER, &in, sizeof(in));
	(void)say(f, FUSE_INTERRUPT, 0, 0, &interrupt, sizeof(interrupt));
	assert_int_equal(hear(f, interrupt.unique), EINTR);
	assert_int_equal(ask(f, FUSE_RELEASEDIR, node.ino, 0, &release, sizeof(release)), 0);
}

static void hold(struct fixture *f, uint64_t handle, size_t bytes)
{
	struct grp_fs_handle *held = grp_fs_handle_find(f->fs, handle);

	assert_non_null(held);
	assert_int_equal(grp_fs_handle_set_text(held, malloc(bytes), bytes), 0);
}

/* What a user has open may hold 64 MiB; that is his, and others' business is their own. */
static void test_limit_of_a_user(void **state)
{
	struct fixture *f = *state;
	uint64_t node = node_of(f, root_of(f), "tasks"), full, other, root, again;
	struct grp_fs_figures figures;

	make_many(f);
	assert_int_equal(open_file(f, node, USER, &full), 0);
	hold(f, full, NEARLY_ALL);
	assert_int_equal(open_file(f, node, USER, &again), ENOMEM);
	assert_int_equal(open_file(f, node, OTHER, &other), 0);
	assert_int_equal(open_file(f, node, 0, &root), 0);
	hold(f, root, 2 * NEARLY_ALL);
	/* Nothing of the one that was refused is left. */
	grp_fs_figures(f->fs, &figures);
	assert_int_equal(figures.handles, 3);
	close_file(f, node, full);
	assert_int_equal(open_file(f, node, USER, &again), 0);
	close_file(f, node, again);
	close_file(f, node, other);
	close_file(f, node, root);
}

/* A file of values is read when it is read: it holds nothing until then, and is paid for then. */
static void test_limit_at_read(void **state)
{
	struct fixture *f = *state;
	uint64_t node = node_of(f, root_of(f), "notify_on_release"), tasks, full, handle;
	struct fuse_read_in read = { .size = 4096 };
	const struct grp_fs_handle *held;
	size_t others;

	tasks = node_of(f, root_of(f), "tasks");
	assert_int_equal(open_file(f, node, USER, &handle), 0);
	assert_int_equal(open_file(f, tasks, USER, &full), 0);
	held = grp_fs_handle_find(f->fs, full);
	others = grp_fs_handle_find(f->fs, handle)->bytes + held->bytes - held->len;
	/* One byte is left. */
	hold(f, full, 64 * MIB - others - 1);
	read.fh = handle;
	assert_int_equal(ask(f, FUSE_READ, node, USER, &read, sizeof(read)), ENOMEM);
	close_file(f, tasks, full);
	assert_int_equal(ask(f, FUSE_READ, node, USER, &read, sizeof(read)), 0);
	assert_memory_equal(f->reply, "0\n", f->len);
	close_file(f, node, handle);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_snapshot_of_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_open_of_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_proc_of_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limit_of_a_user, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limit_at_read, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
