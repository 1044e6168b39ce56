#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Each rule of tests/lint/rules finds its known-bad sample and leaves the good one alone. The layout
# rules of clang-format and shellcheck are checked to be switched on at all.

bats_require_minimum_version 1.5.0

setup() {
	RULES=$BATS_TEST_DIRNAME/rules
	TOP=$(realpath "$BATS_TEST_DIRNAME/../..")
	export ROOT=$BATS_TEST_TMPDIR/tree
	mkdir -p "$ROOT"/{agent/base,bpf,cli,tests/e2e}
	cd "$ROOT" || return
}

# Writes file $1: an SPDX line, then stdin.
sample() {
	case $1 in
	*.[ch]) echo '/* SPDX-License-Identifier: GPL-2.0-only */' ;;
	*) printf '#!/bin/bash\n# SPDX-License-Identifier: GPL-2.0-only\n' ;;
	esac >"$1"
	cat >>"$1"
}

# Rule $1 finds something in file $2, at line $3 if given, and no other rule does.
caught() {
	run -1 "$RULES" "$2"
	[ "${#lines[@]}" -eq 1 ]
	[[ ${lines[0]} == "$2:${3:-}"*" $1: "* ]]
}

passes() {
	run -0 "$RULES" "$@"
	[ -z "$output" ]
}

repeat() {
	local i
	for ((i = 0; i < $1; i++)); do
		printf '%s\n' "$2"
	done
}

@test "the tree itself keeps the rules" {
	ROOT=$TOP run "$RULES"
	echo "$output"
	[ "$status" -eq 0 ]
}

@test "the whole tree is searched when no file is named" {
	sample bpf/a.bpf.c <<<'	bpf_printk("x");'
	sample cli/fine.c <<<'int x;'
	run -1 "$RULES"
	[ "${#lines[@]}" -eq 1 ]
}

@test "spdx" {
	echo 'int x;' >agent/a.c
	caught spdx agent/a.c 1
	printf '#!/bin/bash\necho\n' >tests/e2e/tool
	caught spdx tests/e2e/tool 1
	echo 'data' >tests/e2e/data.json
	passes tests/e2e/data.json
}

@test "parse: every number reader, outside parse.c only" {
	local call
	for call in 'atoi(s)' 'strtoull (s, NULL, 0)' 'sscanf(s, "%d", &x)' 'x = strtol(s, 0, 0)'; do
		sample agent/a.c <<<"	$call;"
		caught parse agent/a.c 2
	done
	sample agent/base/parse.c <<<'	strtoull(s, NULL, 0);'
	sample cli/a.c <<<'	my_atoi(s); grp_parse_u64(s);'
	passes agent/base/parse.c cli/a.c
}

@test "string" {
	local call
	for call in 'strcpy(a, b)' 'sprintf(a, "x")' 'strcat(a, b)'; do
		sample cli/a.c <<<"	$call;"
		caught string cli/a.c 2
	done
	sample cli/a.c <<<'	snprintf(a, 4, "x"); vsnprintf(a, 4, f, ap); asprintf(&a, "x");'
	passes cli/a.c
}

@test "turn" {
	sample agent/a.c <<<'	sd_event_add_defer(event, &source, on_work, data);'
	caught turn agent/a.c 2
}

@test "no-sleep" {
	sample agent/a.c <<<'	usleep(10);'
	caught no-sleep agent/a.c 2
}

@test "bpf-printk" {
	sample bpf/a.bpf.c <<<'	bpf_printk("x");'
	caught bpf-printk bpf/a.bpf.c 2
}

@test "comment" {
	sample cli/a.c <<<'int x; // why'
	caught comment cli/a.c 2
	sample cli/a.c <<<'char *url = "http://localhost";'
	passes cli/a.c
}

@test "machine-path" {
	local dir=work
	sample cli/a.c <<<"char *path = \"/$dir/main\";"
	caught machine-path cli/a.c 2
	sample cli/a.c <<<'char *path = "/sys/fs/cgroup/network/x";'
	passes cli/a.c
}

@test "file-length: 500 lines pass, 501 do not" {
	repeat 499 'int x;' | sample cli/a.c
	passes cli/a.c
	repeat 500 'int x;' | sample cli/a.c
	caught file-length cli/a.c 500
}

@test "function-length: 60 lines pass, 61 do not" {
	local lines
	for lines in 60 61; do
		{
			printf 'static int *long_one(int a,\n\t\t     int b)\n{\n'
			repeat "$lines" '	x++;'
			printf '}\n\nint short_one(void)\n{\n\tx++;\n}\n'
		} | sample "cli/a$lines.c"
	done
	passes cli/a60.c
	caught function-length cli/a61.c 4
	[[ $output == *"long_one has 61 lines"* ]]
}

@test "function-length: a table is not a function" {
	{
		echo 'const int table[] = {'
		repeat 100 '	1,'
		echo '};'
	} | sample cli/a.c
	passes cli/a.c
}

@test "fixed-sleep: in tests, unless excused with a reason" {
	local nap=sleep line
	for line in "$nap 1" "x && $nap 0.5" "foo; $nap \$n" "while ! $nap 2"; do
		sample tests/e2e/a.bats <<<"$line"
		caught fixed-sleep tests/e2e/a.bats 3
	done
	sample tests/e2e/a.bats <<<"$nap 1 # lint: sleep-ok"
	caught fixed-sleep tests/e2e/a.bats 3
	sample tests/e2e/a.bats <<<"$nap 1 # lint: sleep-ok polls with a deadline"
	passes tests/e2e/a.bats
	sample tests/e2e/a.bats <<<"$nap infinity &"
	passes tests/e2e/a.bats
}

@test "clang-format: kernel layout" {
	command -v clang-format >/dev/null || skip "no clang-format"
	cp "$TOP/.clang-format" .
	sample cli/a.c <<'END'
static int *f(void)
{
	if (x)
		return NULL;
	return g(x);
}
END
	clang-format --dry-run -Werror cli/a.c
	sample cli/b.c <<<'static int* f(void) { return g( x ); }'
	run ! clang-format --dry-run -Werror cli/b.c
}

@test "shellcheck reads scripts without an ending too" {
	sample tests/e2e/tool <<<'true'
	echo text >tests/e2e/data
	run -0 "$RULES" --list-shell
	[ "$output" = tests/e2e/tool ]
}
