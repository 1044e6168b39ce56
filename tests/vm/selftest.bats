#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The runner of the virtual machine itself: it must never take a broken guest
# for a good one. Starts six guests, with nothing of ours in them.
#
# timeout: 600

bats_require_minimum_version 1.5.0

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
