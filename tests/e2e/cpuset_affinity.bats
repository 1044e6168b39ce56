#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# bats file_tags=confines
#
# Affinity side by side with the kernel's own v1 controller (CPUSET-12, 13): the same steps with one
# process in its groups and one in ours, then the same masks, after each step. Fails when a mask, a
# wish or an inheritance of ours is another than the kernel's (since 6.2, which remembers wishes).
#
# timeout: 120

load lib
load cpuset
load affinity

setup_file() {
	new_instance
	start_agent
	ctl mount -o cpuset c
}

teardown_file() {
	cleanup
}

setup() {
	both
	# A wish that the kernel does not remember could not be compared.
	wishes_are_remembered || skip "this kernel forgets wishes (before 6.2)"
	make_both t/a t/b
	same t/a mems 0
	same t/b mems 0
	write a 0
	write b "$LAST"
	spawn kernels "$SUPPORT/burn" 1 --hold
	spawn ours "$SUPPORT/burn" 1 --hold
	KERNELS=$(spawned kernels)
	OURS=$(spawned ours)
}

teardown() {
	local status=0
	end_processes "$(state_dir)" || status=1
	clear_groups || status=1
	cleanup || status=1
	return "$status"
}

# In a group of the kernel's that takes its CPU and gives it back. Looked at once for all tests.
wishes_are_remembered() {
	local probe=$TOP/probe mask
	if [[ -e $BATS_FILE_TMPDIR/mask ]]; then
		[[ $(<"$BATS_FILE_TMPDIR/mask") == "$LAST" ]]
		return
	fi
	mkdir "$probe"
	echo 0 >"$probe/cpuset.mems"
	echo "$ALL" >"$probe/cpuset.cpus"
	spawn probe taskset -c "$LAST" "$SUPPORT/burn" 1 --hold
	wait_until 30 has "$(spawned probe)" "$LAST"
	spawned probe >"$probe/tasks"
	echo 0 >"$probe/cpuset.cpus"
	echo "$ALL" >"$probe/cpuset.cpus"
	mask=$(affinity "$(spawned probe)")
	stop probe
	wait_until 30 rmdir "$probe"
	echo "$mask" >"$BATS_FILE_TMPDIR/mask"
	[[ $mask == "$LAST" ]]
}

# --- steps, each on both sides -------------------------------------------------------------------

write() { # GROUP LIST
	echo "$2" >"$TOP/$1/cpuset.cpus"
	ctl set "c:/t/$1" cpuset.cpus "$2"
}

move() { # GROUP|top
	local below=/$1
	[[ $1 != top ]] || below=
	echo "$KERNELS" >"$TOP$below/tasks"
	ctl attach "c:/t$below" "$OURS"
}

# A refusal of the kernel's is no failure: what matters is the mask then.
ask() { # LIST
	taskset -apc "$1" "$KERNELS" >/dev/null 2>&1 || true
	taskset -apc "$1" "$OURS" >/dev/null
}

# steps: lines "STEP ARGUMENT... MASK", MASK as KERNEL/OURS where they differ
steps() {
	local line words expected kernel n=0
	while read -ra words; do
		((${#words[@]})) || continue
		line=${words[*]}
		expected=${words[-1]}
		unset 'words[-1]'
		"${words[@]}"
		n=$((n + 1))
		kernel=${expected%/*}
		assert_equal "$(affinity "$KERNELS")" "$kernel" "step $n, $line: the kernel's" || return
		wait_until 10 has "$OURS" "${expected#*/}" || fail "step $n, $line: ours" || return
	done
	assert_equal "$n" "$1" "steps"
}

@test "attach, write, move: the same masks" {
	steps 9 <<-END
		move a 0
		write a $ALL $ALL
		move b $LAST
		write b 0 0
		move a $ALL
		write a $LAST $LAST
		move b 0
		write b $ALL $ALL
		move top $ALL
	END
}

@test "what a task asks for: the same masks" {
	steps 13 <<-END
		ask $LAST $LAST
		move a 0
		write a $ALL $LAST
		write a 0 0
		move b $LAST
		ask $ALL $LAST
		write b $ALL $ALL
		ask 0 0
		write b $LAST $LAST
		write b $ALL 0
		move a 0
		ask $ALL 0
		write a $ALL $ALL
	END
}

# The kernel refuses to be asked for CPUs of which a group has none (EINVAL), and forgets it. Nobody can
# refuse that from outside, so with us the call succeeds, is put right, and is what the task wants.
@test "what a task asks for in vain: with us it has been asked for" {
	steps 5 <<-END
		move a 0
		ask $LAST 0
		write a $ALL $ALL/$LAST
		ask $ALL $ALL
		write a 0 0
	END
}

@test "what is born has the same mask and the same wish" {
	# shellcheck disable=SC2016 # for the other shell
	start_side() { # NAME WRAPPER...
		spawn "$1" "${@:2}" sh -c 'read -r _ <"$0"; sleep infinity & echo $!; wait' "$BATS_TEST_TMPDIR/$1"
	}
	local side
	for side in mother_k mother_o; do
		mkfifo "$BATS_TEST_TMPDIR/$side"
		start_side "$side" taskset -c "$LAST"
		wait_until 30 has "$(spawned "$side")" "$LAST"
	done
	KERNELS=$(spawned mother_k)
	OURS=$(spawned mother_o)
	steps 1 <<-END
		move a 0
	END
	for side in mother_k mother_o; do
		echo >"$BATS_TEST_TMPDIR/$side"
		wait_until 30 has_printed "$side"
	done
	KERNELS=$(output mother_k)
	OURS=$(output mother_o)
	steps 3 <<-END
		write a $ALL $LAST
		write a 0 0
		move b $LAST
	END
	kill "$KERNELS" "$OURS"
}
