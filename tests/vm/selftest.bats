#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The runner of the virtual machine itself: it must never take a broken guest
# for a good one. Starts nine guests, most of them with nothing of ours in them.
#
# timeout: 600

bats_require_minimum_version 1.5.0

ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
BUILD=$(realpath -m "${BUILD:-$ROOT/build}")

guest() {
	"$BATS_TEST_DIRNAME/run" --shell-only --timeout 120 "$@"
}

# What a guest says about itself, a line `name: value` each
facts() {
	cat <<-'END'
		echo "release: $(uname -r)"
		echo "cpus: $(nproc)"
		echo "nodes: $(cat /sys/devices/system/node/online)"
		echo "lsm: $(cat /sys/kernel/security/lsm)"
		echo "preempt: $(cat /sys/kernel/debug/sched/preempt)"
		[[ ! -s /sys/kernel/btf/vmlinux ]] || echo "btf: yes"
		[[ ! -w /dev/fuse ]] || echo "fuse: yes"
		for controller in cpuacct cpuset; do
			dir=/sys/fs/cgroup/$controller
			[[ ! -e $dir/tasks ]] || echo "$controller: v1"
		done
		echo "khz: $(dmesg | sed -n 's/.*tsc: Detected \([0-9]*\)\.\([0-9]*\) MHz.*/\1\2/p' | tail -n 1)"
		echo "bpffs: $(grep -c '^[^ ]* /sys/fs/bpf ' /proc/mounts)"
		mount -t bpf bpf /sys/fs/bpf
		bpftool map create /sys/fs/bpf/m type array key 4 \
			value 8 entries 1 name m
		echo "maps: $(bpftool -j map show | jq length)"
		curl -s http://127.0.0.1:1/
		echo "loopback: $?"
		echo "sum: $(seq 30000 | sha256sum)"
		seq 30000
		echo "on stderr: yes" >&2
		sleep infinity &
		exit 42
	END
}

setup_file() {
	local kernel status

	for kernel in 6.1 6.12; do
		status=0
		"$BATS_TEST_DIRNAME/fetch-qemu"
		"$BATS_TEST_DIRNAME/fetch-kernel" "$kernel"
		guest --kernel "$kernel" --append preempt=full -- \
			bash -c "$(facts)" >"$BATS_FILE_TMPDIR/$kernel" ||
			status=$?
		echo "status: $status" >>"$BATS_FILE_TMPDIR/$kernel"
	done
}

# told KERNEL NAME: what that guest said
told() {
	sed -n "s/^$2: //p" "$BATS_FILE_TMPDIR/$1"
}

# expect NAME REGEX: what both guests said
expect() {
	local kernel

	for kernel in 6.1 6.12; do
		if [[ ! $(told "$kernel" "$1") =~ ^$2$ ]]; then
			echo "$kernel: $1 is '$(told "$kernel" "$1")', not $2"
			return 1
		fi
	done
}

@test "the kernel that was asked for" {
	[[ $(told 6.1 release) == 6.1.* ]]
	[[ $(told 6.12 release) == 6.12.* ]]
}

@test "the command's status is ours, whatever it leaves behind" {
	expect status 42
}

@test "all output arrives unharmed, of both streams" {
	local kernel

	expect 'on stderr' yes
	for kernel in 6.1 6.12; do
		[[ $(grep -E '^[0-9]+$' "$BATS_FILE_TMPDIR/$kernel" |
			sha256sum) == "$(told "$kernel" sum)" ]]
	done
}

@test "4 processors, 2 nodes" {
	expect cpus 4
	expect nodes 0-1
}

@test "the clock is as fast as ours, however busy the host was during the boot" {
	local kernel khz told
	[[ -x $BUILD/test/support/tsc ]] || skip "no $BUILD/test/support/tsc: the build for tests"
	khz=$("$BUILD/test/support/tsc")
	for kernel in 6.1 6.12; do
		told=$(told "$kernel" khz)
		((told > khz - khz / 1000 && told < khz + khz / 1000))
	done
}

@test "BTF, BPF LSM, fuse, maps, and bpffs left to the agent" {
	expect btf yes
	expect lsm '.*,bpf(,.*)?'
	expect fuse yes
	expect maps 1
	expect bpffs 0
}

@test "loopback answers" {
	expect loopback 7 # connection refused
}

@test "v1 cpuacct in both, v1 cpuset in 6.1" {
	expect cpuacct v1
	[[ $(told 6.1 cpuset) == v1 ]]
	[[ $(told 6.12 cpuset) == "" ]]
}

@test "the kernel's command line" {
	expect preempt '.*\(full\).*'
}

@test "a panic is a failure and is shown" {
	run -125 guest -- bash -c 'echo c >/proc/sysrq-trigger'
	[[ $output == *'Kernel panic - not syncing'* ]]
}

# shellcheck disable=SC2016 # for the shell in the guest
@test "a warning of the kernel is a failure and is shown, whatever the command says" {
	run -125 guest -- bash -c 'echo "<4>WARNING: CPU: 1 PID: 9 at kernel/none.c:1" >/dev/kmsg
		seq --format "<6>noise %g" 200 | while read -r line; do
			echo "$line" >/dev/kmsg
		done'
	[[ $output == *'kernel complained: '*'kernel/none.c:1'* && $output == *'noise 1'* ]]
}

@test "what counts as a complaint of the kernel" {
	local pattern line
	pattern=$(sed -n "s/^readonly COMPLAINT='\(.*\)'/\1/p" "$BATS_TEST_DIRNAME/run")
	while read -r line; do
		grep -qE "$pattern" <<<"$line" || { echo "not noticed: $line" && return 1; }
	done <<-'END'
		WARNING: CPU: 3 PID: 21 at kernel/bpf/hashtab.c:159 htab_map_update_elem+0x0/0x2c0
		BUG: kernel NULL pointer dereference, address: 0000000000000018
		BUG: sleeping function called from invalid context at mm/page_alloc.c:5167
		BUG: scheduling while atomic: kworker/0:1/8/0x00000002
		watchdog: BUG: soft lockup - CPU#2 stuck for 26s! [bats:212]
		watchdog: Watchdog detected hard LOCKUP on cpu 1
		rcu: INFO: rcu_preempt self-detected stall on CPU
		rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
		rcu: INFO: rcu_tasks_trace detected stalls on tasks:
		INFO: task kworker/1:2:77 blocked for more than 120 seconds.
		general protection fault, probably for non-canonical address 0xdead000000000100
	END
	run -1 grep -E "$pattern" <<-'END'
		rcu: Preemptible hierarchical RCU implementation.
		smpboot: CPU 3 is now offline
		init: 20261128T115656-1-2 status 1
	END
}

@test "power-off without a status is a failure" {
	run -125 guest -- bash -c 'echo o >/proc/sysrq-trigger; sleep infinity'
	[[ $output == *'died before its command ended'* ]]
}

@test "a hang is a failure, in time" {
	SECONDS=0
	run -124 guest --timeout 12 -- sleep infinity
	[[ $output == *'no end within 12 s'* ]]
	((SECONDS < 30))
}

has_prompt() {
	grep -q 'bash-.*# ' "$BATS_TEST_TMPDIR/screen"
}

@test "a prompt at a terminal, and its status" {
	local fifo=$BATS_TEST_TMPDIR/keys screen=$BATS_TEST_TMPDIR/screen keys pid status=0
	command -v script >/dev/null || skip "no script(1) here"
	mkfifo "$fifo"
	exec {keys}<>"$fifo"
	SHELL=/bin/bash setpriv --pdeathsig TERM script -qec \
		"stty rows 24 cols 100; '$BATS_TEST_DIRNAME/shell' --shell-only" /dev/null \
		<"$fifo" >"$screen" 2>&1 3>&- &
	pid=$!
	SECONDS=0
	# what is typed before that is lost
	until has_prompt; do
		((SECONDS < 120)) && kill -0 "$pid"
		sleep 0.2 # lint: sleep-ok a step of a poll with a deadline
	done
	echo 'stty size; exit 42' >&"$keys"
	wait "$pid" || status=$?
	((status == 42))
	grep -q '24 100' "$screen"
}

# e2e DIR VARIABLE=VALUE...: the suite, with the test file DIR/tests/e2e/probe.bats alone
probe() {
	local root=$BATS_TEST_TMPDIR/root item
	mkdir -p "$root/build" "$root/tests/e2e"
	for item in "$ROOT"/*; do
		[[ ${item##*/} == build || ${item##*/} == tests ]] || cp -r "$item" "$root/"
	done
	cp -r "$ROOT"/tests/{vm,run} "$root/tests/"
	cat >"$root/tests/e2e/probe.bats"
	BUILD=$BUILD VM_KERNELS=6.12 VM_FILES="probe gone" run "$root/tests/vm/e2e.t"
}

@test "e2e: results of a file are ours, one that gives none is a failure" {
	local at=@
	probe <<-END
		${at}test "good" { [[ \$(uname -r) == 6.12.* && \$SLOW == 5 ]]; }
		${at}test "bad" { echo because; false; }
		${at}test "not here" { skip "no reason"; }
	END
	echo "$output"
	((status == 0))
	[[ $output == 'ok 1 - 6.12 e2e/probe.bats: good'* ]]
	[[ $output == *$'\nnot ok '*' - 6.12 e2e/probe.bats: bad'*'# because'* ]]
	[[ $output == *$'\nok '*' - 6.12 e2e/probe.bats # skip not here: no reason'* ]]
	[[ $output == *$'\nnot ok '*' - 6.12 e2e/gone.bats: not run'* ]]
	[[ $output == *$'\nok '*' - 6.12: a guest'* ]]
	[[ ${lines[-1]} == 1..5 ]]
}

@test "e2e: a guest that dies is a failure, and each file that it did not end" {
	local at=@
	probe <<-END
		${at}test "deadly" { echo c >/proc/sysrq-trigger; }
	END
	echo "$output"
	[[ $output == *$'not ok 1 - 6.12 e2e/probe.bats: no results'* ]]
	[[ $output == *$'\nnot ok '*' - 6.12: a guest (status 125)'*'# '*'Kernel panic'* ]]
}

@test "no network: one message" {
	((EUID == 0)) || skip "only root can leave the network"
	VM_CACHE=$BATS_TEST_TMPDIR run -125 unshare -n \
		"$BATS_TEST_DIRNAME/fetch-kernel" 6.1
	((${#lines[@]} == 1))
	[[ $output == *'cannot download kernel-6.1'* ]]
	[[ ! -e $BATS_TEST_TMPDIR/kernel-6.1 ]]
}

@test "what is not built is named" {
	BUILD=$BATS_TEST_TMPDIR run -125 "$BATS_TEST_DIRNAME/mkinitramfs" \
		"$BATS_TEST_TMPDIR/image"
	[[ $output == *'grpagent grpctl'* ]]
	[[ ! -e $BATS_TEST_TMPDIR/image ]]
}

@test "usage errors start nothing" {
	run -2 guest -- # no command
	run -2 guest --cpus 0 -- true
	run -2 guest --cpus 4x -- true
	run -2 guest --no-such-option -- true
	run -2 guest --kernel 5.10 -- true
}
