#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# tests/vm/e2e.t itself, with a made-up guest: whatever becomes of a guest must be seen in the
# results, and a run that was cut short goes on where it was. And guest-e2e, with made-up tests.

bats_require_minimum_version 1.5.0

setup() {
	local name
	unset VM_ALL VM_RESUME VM_FILES VM_JOBS VM_TURN
	DIR=$BATS_TEST_TMPDIR/repo/tests/vm
	export BUILD=$BATS_TEST_TMPDIR/build VM_CACHE=$BATS_TEST_TMPDIR/cache VM_KERNELS=6.12
	export BOOTS=$BATS_TEST_TMPDIR/boots FATE=$BATS_TEST_TMPDIR/fate
	mkdir -p "$DIR" "$DIR"/../{e2e,bench,bpf} "$FATE" "$BUILD"
	cp "$BATS_TEST_DIRNAME"/../vm/{e2e.t,common.bash} "$DIR"
	touch "$DIR"/../e2e/{a,b,c}.bats "$DIR/../bench/counts.bats" "$DIR/../bpf/test_d.c"
	for name in fetch-qemu fetch-kernel run; do
		printf '#!/bin/bash\n' >"$DIR/$name"
		chmod +x "$DIR/$name"
	done
	cat >>"$DIR/run" <<-'END'
		# A guest that runs one file after the other. $FATE/NAME, once each: what becomes of it.
		echo "$*" >>"$BOOTS"
		for file; do
			[[ $file == tests/* && $file != */guest-e2e ]] || continue
			name=${file#tests/}
			echo "@start $name"
			fate=$(cat "$FATE/${name##*/}" 2>/dev/null)
			rm -f "$FATE/${name##*/}"
			[[ $fate != hangs ]] || exec sleep infinity
			if [[ $fate == dies ]]; then
				echo "the end of the console" >&2
				exit 125
			fi
			printf '@file %s 3\n%s\tworks\n@end %s\n' "$name" "${fate:-ok}" "$name"
		done
	END
}

# fate NAME WHAT: dies, or fail
fate() {
	echo "$2" >"$FATE/$1"
}

# counts PATTERN N: lines of the output
counts() {
	local n
	n=$(grep -cE "$1" <<<"$output") || true
	[[ $n == "$2" ]] || {
		echo "$n lines of '$1', not $2:" "$output"
		return 1
	}
}

boots() {
	[[ $(wc -l <"$BOOTS") == "$1" ]]
}

@test "all files, and the storm, in one guest" {
	VM_ALL=1 run -0 "$DIR/e2e.t"
	counts '^ok .* 6.12 (vm/guest-storm|e2e/[abc].bats|bench/counts.bats|bpf/test_d.c): works$' 6
	counts '^ok .*: a guest$' 1
	counts '^1\.\.7$' 1
	counts '^not ok' 0
	boots 1
}

@test "a guest that dies: its file has no results, the files after it get another guest" {
	fate b.bats dies
	VM_ALL=1 run -0 "$DIR/e2e.t"
	counts '^not ok .* 6.12 e2e/b.bats: no results$' 1
	counts '^not ok .* 6.12: a guest \(status 125\)$' 1
	counts '^# the end of the console$' 1
	counts '^ok .*: works$' 5
	counts '^ok .*: a guest$' 1
	counts '^1\.\.8$' 1
	boots 2
}

@test "a guest that never begins is not tried for ever" {
	# shellcheck disable=SC2016 # of the guest
	printf '#!/bin/bash\necho >>"$BOOTS"; exit 125\n' >"$DIR/run"
	VM_ALL=1 run -0 "$DIR/e2e.t"
	counts '^not ok .*: no results$' 6
	counts '^not ok .*: a guest' 1
	boots 1
}

@test "resumed: what was good is not run again, what failed is" {
	fate a.bats dies
	fate b.bats fail
	VM_ALL=1 run -0 "$DIR/e2e.t"
	counts '^not ok' 3
	rm "$BOOTS"
	VM_ALL=1 VM_RESUME=1 run -0 "$DIR/e2e.t"
	counts '^ok .*: works$' 6
	counts '^not ok' 0
	boots 1
	[[ $(<"$BOOTS") == *' tests/e2e/a.bats tests/e2e/b.bats' ]]
	# and all again otherwise
	VM_ALL=1 run -0 "$DIR/e2e.t"
	[[ $(tail -n 1 "$BOOTS") == *guest-storm*a.bats*b.bats*c.bats*test_d.c ]]
}

@test "cut short in the middle: the results so far are kept" {
	fate b.bats hangs
	VM_ALL=1 "$DIR/e2e.t" >"$BATS_TEST_TMPDIR/out" 3>&- &
	until grep -q 'b.bats' "$BUILD/vm-results/6.12/begun" 2>/dev/null; do
		sleep 0.02 # lint: sleep-ok a step of a poll, bats has a time limit
	done
	kill $!
	wait $! || [[ $? == 143 ]]
	# it may have been ended before it could do that
	rm -f "$FATE/b.bats"
	VM_ALL=1 VM_RESUME=1 run -0 "$DIR/e2e.t"
	counts '^ok .*: works$' 6
	[[ $(tail -n 1 "$BOOTS") == *'guest-e2e 3 tests/e2e/b.bats tests/e2e/c.bats tests/bench/counts.bats tests/bpf/test_d.c' ]]
}

@test "by turns: after enough commits each kernel has run every portion, one of them at a time" {
	local turn n portions kernel name
	portions=$(sed -n "/^readonly ROTA=(/,/^)/s/^\t'*\([^']*\)'*$/\1/p" "$DIR/e2e.t")
	n=$(wc -l <<<"$portions")
	export VM_KERNELS='6.1 6.12'
	for ((turn = 100; turn < 100 + n * 2; turn++)); do
		: >"$BOOTS"
		VM_TURN=$turn "$DIR/e2e.t" >/dev/null
		boots 2
		for name in $portions; do
			(($(grep -c "/${name##*/}" "$BOOTS") <= 1))
		done
		cat "$BOOTS" >>"$BOOTS.all"
	done
	for kernel in 6.1 6.12; do
		for name in $portions; do
			(($(grep -c -e "--kernel $kernel .*/${name##*/}" "$BOOTS.all") == 1))
		done
	done
}

# Each of the two that confine waits for the one that does not, so that both would run at a time if
# nothing kept them apart; and the one that runs alone finds that they have ended.
@test "in a guest, those that confine run one after the other, and some alone" {
	local file
	cp "$BATS_TEST_DIRNAME/../vm/guest-e2e" "$DIR"
	cat >"$DIR/../run" <<-'END'
		#!/bin/bash
		name=${*: -1}
		name=${name##*/}
		log=build/test/log/e2e-$name
		result=ok
		case $name in
		alone.bats)
			[[ -e begun && -e a.bats && -e b.bats ]] || result=fail
			;;
		c.bats)
			touch begun
			;;
		*)
			mkdir confined || result=fail
			for ((i = 0; i < 500; i++)); do
				[[ ! -e begun ]] || break
				sleep 0.02 # lint: sleep-ok a step of a poll
			done
			[[ -e begun ]] || result=fail
			rmdir confined
			touch "$name"
			;;
		esac
		: >"$log.tap"
		: >"$log.err"
		printf '%s\tworks\n' "$result" >"$log.results"
	END
	chmod +x "$DIR/../run"
	for file in a b; do
		echo '# bats file_tags=long, confines' >"$DIR/../e2e/$file.bats"
	done
	echo '# bats file_tags=alone' >"$DIR/../e2e/alone.bats"
	run -0 "$DIR/guest-e2e" 3 tests/e2e/{alone,a,b,c}.bats
	counts $'^ok\tworks$' 4
	counts '^fail' 0
	counts '^@end e2e/(a|b|c|alone).bats$' 4
}

# As a script that ends by an error outside of any result: the judge calls that a failure.
@test "in a guest, what was said last is shown of one that ends before its time" {
	cp "$BATS_TEST_DIRNAME/../vm/guest-e2e" "$DIR"
	cat >"$DIR/../run" <<-'END'
		#!/bin/bash
		log=build/test/log/e2e-a.bats
		printf '# said before\nok 1 works\n# why it ends\n' >"$log.tap"
		: >"$log.err"
		printf 'ok\tworks\nfail\texit status 1 without a failed test\n' >"$log.results"
	END
	chmod +x "$DIR/../run"
	run -0 "$DIR/guest-e2e" 1 tests/e2e/a.bats
	counts '^# why it ends$' 1
	counts '^# said before$' 0
}
