#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
#
# The control filesystem under many at once: 64 shells that do random operations, each with a model of
# what has to be answered (tests/v1/random_shell); and names of random bytes. With SOAK=1 for 60 s.

load fs_helper

SHELLS=64
SECONDS_OF_IT=$(by_length 2 3 60)

setup() {
	need_fuse
	new_instance
	AGENT_WRAP=$SUPPORT/smallpages start_agent
	ctl mount -o cpuacct p
	mount_fs p
}

teardown() {
	local status=0
	end_mounts || status=1
	cleanup || status=1
	return "$status"
}

# run_shells N SECONDS: none of them may have seen anything that its model does not explain
run_shells() {
	local i n
	mkdir "$DIR/shared"
	for ((i = 0; i < $1; i++)); do
		spawn "shell$i" env BUILD="$BUILD" "$BATS_TEST_DIRNAME/../v1/random_shell" "$DIR" $((1 + RANDOM_START + i)) \
			$(($2 * SLOW))
	done
	for ((i = 0; i < $1; i++)); do
		# Not by its status: bash forgets that when a later process gets the same number.
		wait_until $(($2 * SLOW + 120)) has_printed "shell$i"
		[[ $(output "shell$i") =~ ^done\ [0-9]+$ ]] || fail "$(output "shell$i")$(errors "shell$i")"
	done
	n=$(for ((i = 0; i < $1; i++)); do output "shell$i"; done | awk '{ n += $2 } END { print n }')
	echo "$1 shells, $n operations"
	find "$DIR/shared" -depth -type d -exec rmdir {} +
	((n >= $1 * 8))
}

descriptors() {
	find "/proc/$(agent_pid)/fd" -mindepth 1 | wc -l
}

descriptors_are() {
	assert_equal "$(descriptors)" "$1" "descriptors"
}

@test "64 shells: every answer is explained, nothing leaks" {
	local before references rss
	RANDOM_START=$((RANDOM % 10000 + 1))
	echo "shells from $RANDOM_START on"
	before=$(descriptors)
	run_shells "$SHELLS" 1
	rss=$(rss_kb)
	wait_until 30 counter_is_up_to fs_handles 0
	references=$(counter fs_references)
	run_shells "$SHELLS" "$SECONDS_OF_IT"
	wait_until 30 descriptors_are "$before"
	wait_until 30 counter_is_up_to fs_handles 0
	# The kernel keeps what it has found in the root; of groups that are gone it keeps nothing.
	wait_until 30 counter_is_up_to fs_references $((references + 8))
	assert_equal "$(ctl --json tree p:/ | jq length)" 1 "groups"
	assert_equal "$(audit)" 0 "corrections"
	echo "references $references, then $(counter fs_references); $rss KiB, then $(rss_kb)"
	# as many groups at a time and as many clients as in the first round; sanitizers keep what is freed
	grep -q __asan_init "$AGENT_BIN" || assert_between "$(rss_kb)" 0 $((rss + 2048)) "KiB of memory, $rss before"
}

@test "names of random bytes: nothing but the documented errors" {
	run -0 "$SUPPORT/names" "$DIR" "$(by_length 300 1500 20000)" "$((RANDOM + 1))"
	echo "$output"
	assert_equal "$(ctl --json tree p:/ | jq length)" 1 "groups"
}
