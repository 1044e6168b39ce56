#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
#
# Owners, modes and rights: the kernel's own v1 directories are the oracle of every
# answer (v1-behaviour H, CONT-5, CONT-10, ERR-4, ERR-5).

load lib
load delegation

# (uid_t)-1: as it is
SAME_ID=4294967295

# try_v1 USER DIRECTORY OPERATION PATH...: 0 or the name of the error, of system calls
try_v1() {
	local op=$3 arg args=() uid gid
	for arg in "${@:4}"; do
		[[ $arg == /* ]] && arg=$2$arg
		args+=("$arg")
	done
	case $op in
	mv) op=rename ;;
	chmod) args=("${args[1]}" "${args[0]}") ;;
	chown)
		uid=${args[0]%%:*} gid=${args[0]#*:}
		[[ ${args[0]} == *:* ]] || gid=
		args=("${args[1]}" "${uid:-$SAME_ID}" "${gid:-$SAME_ID}")
		;;
	esac
	as "$1" "$SUPPORT/try" "$op" "${args[@]}"
}

# try_ours USER PREFIX OPERATION PATH...: the same, of grpctl
try_ours() {
	local user=$1 prefix=$2 op=$3 arg args=() output
	for arg in "${@:4}"; do
		[[ $arg == /* ]] && arg=$prefix$arg
		args+=("$arg")
	done
	[[ $op == chown ]] && args=(-d "${args[@]}")
	if output=$(ctl_as "$user" "$op" "${args[@]}" 2>&1); then
		echo 0
	else
		sed -nE 's/.*\(([A-Z]+)\)$/\1/p' <<<"$output"
	fi
}

# build_tree PLACE RUN: RUN is what mkdir, chown and chmod are words of
build_tree() {
	local place=$1 run=$2
	"$run" mkdir "$place/a" "$place/a/x" "$place/b" "$place/b/x" "$place/own" "$place/own/in" \
		"$place/own/in/deep" "$place/hidden" "$place/hidden/x" "$place/sticky" "$place/sticky/root" \
		"$place/team"
	"$run" chown "$ALICE:$TEAM" "$place/own"
	"$run" chown "$ALICE:$ALICE" "$place/own/in"
	"$run" chmod 0750 "$place/hidden"
	"$run" chmod 1777 "$place/sticky"
	"$run" chown ":$TEAM" "$place/team"
	"$run" chmod 0775 "$place/team"
}

# Each is done on both sides, as that user, in this order; the results must be the same.
operations() {
	cat <<-END
		$ALICE mkdir /a
		$ALICE mkdir /new
		$ALICE mkdir /a/x
		$ALICE mkdir /a/new
		$ALICE mkdir /tasks
		$ALICE mkdir /tasks/x
		$ALICE mkdir /nosuch/x
		$ALICE mkdir /hidden/x
		$ALICE mkdir /hidden/new
		$ALICE mkdir /hidden/x/new
		$ALICE mkdir /own/new
		$ALICE mkdir /own/new
		$ALICE mkdir /own/new/below
		$ALICE mkdir /team/new
		$ALICE,$TEAM mkdir /team/new
		$BOB,$TEAM mkdir /team/bobs
		$BOB rmdir /team/new
		$BOB,$TEAM rmdir /team/new
		$ALICE mkdir /sticky/alices
		$BOB mkdir /sticky/bobs
		$BOB rmdir /sticky/alices
		$BOB mv /sticky/alices /sticky/mine
		$BOB mv /sticky/root /sticky/mine
		$BOB mv /sticky/bobs /sticky/mine
		$BOB rmdir /sticky/mine
		$BOB rmdir /sticky/root
		$ALICE rmdir /sticky/alices
		$ALICE rmdir /a
		$ALICE rmdir /nosuch
		$ALICE rmdir /own/tasks
		$ALICE rmdir /hidden/x
		$ALICE rmdir /hidden/nosuch
		$ALICE rmdir /own
		$ALICE rmdir /own/in
		$ALICE rmdir /own/new
		$ALICE rmdir /own/new/below
		$ALICE rmdir /own/new
		$ALICE mv /a /b
		$ALICE mv /a /new
		$ALICE mv /a /tasks
		$ALICE mv /a/x /b/x
		$ALICE mv /a /a/x/y
		$ALICE mv /nosuch /new
		$ALICE mv /hidden/x /hidden/y
		$ALICE mv /own/in /own/renamed
		$ALICE mv /own/renamed /own/tasks
		$ALICE mv /own/tasks /own/x
		$ALICE mv /own/renamed /new
		$ALICE mv /own/renamed /sticky/x
		$ALICE mv /own/renamed/deep /own/deep
		$ALICE mv /own/renamed /own/in
		$ALICE chmod 0777 /a
		$ALICE chmod 0777 /hidden/x
		$ALICE chmod 0777 /nosuch
		$ALICE chmod 0700 /own
		$BOB chmod 0777 /own
		$BOB mkdir /own/in
		$ALICE chmod 0755 /own
		$ALICE chown $ALICE /a
		$ALICE chown :$ALICE /a
		$ALICE chown $ALICE /own
		$ALICE chown :$TEAM /own
		$ALICE chown :$BOB /own
		$ALICE chown $BOB /own
		$ALICE chown $BOB:$ALICE /own
		$ALICE chown :$ALICE /own
		$ALICE chown :$TEAM /own
		$ALICE,$TEAM chown :$TEAM /own
		$ALICE,$TEAM chown $ALICE:$TEAM /own
		$ALICE chmod 2755 /own
		$ALICE,$TEAM chmod 2755 /own
		$ALICE,$TEAM chown :$TEAM /own/in
		$BOB chown :$BOB /own/in
		$BOB chown $BOB /hidden/x
	END
}

# tree_v1, tree_ours: what there is afterwards, "PATH uid gid mode"
tree_v1() {
	find "$1" -mindepth 1 -type d -printf '/%P %U %G %m\n' | sort
}

tree_ours() {
	ctl --json tree "$1" | jq -r --arg p "$1" \
		'.[1:][] | "\(.group | ltrimstr($p)) \(.uid) \(.gid) \(.mode)"' |
		awk '{ printf "%s %d %d %o\n", $1, $2, $3, $4 }' | sort
}

@test "mkdir, rmdir, mv, chmod and chown of users answer as on the kernel's directories" {
	local user op theirs ours n=0 line
	make_v1 V1
	# shellcheck disable=SC2153
	build_tree "$V1" command
	ctl mkdir /t
	build_tree /t ctl
	while read -r line; do
		read -r user op <<<"$line"
		# shellcheck disable=SC2086
		theirs=$(try_v1 "$user" "$V1" $op)
		# shellcheck disable=SC2086
		ours=$(try_ours "$user" /t $op)
		assert_equal "$ours" "$theirs" "$line"
		((n += 1))
	done < <(operations)
	assert_equal "$(tree_ours /t)" "$(tree_v1 "$V1")" "what there is afterwards"
	echo "$n operations"
}

@test "owner and mode of what is made, with umask and mode, as in a directory of the kernel" {
	local mask mode i=0 name file
	make_v1 V1
	chmod 0777 "$V1"
	ctl mkdir -m 0777 /t
	for mask in 0022 0077 0002 0777; do
		for mode in '' 0444 0000 0755 1777; do
			name=d$((i += 1))
			# shellcheck disable=SC2016
			as "$ALICE" bash -c 'umask "$1"; mkdir ${2:+-m "$2"} "$3/$4"; shift 4
				"$@"' - "$mask" "$mode" "$V1" "$name" true
			# shellcheck disable=SC2016
			as "$ALICE" bash -c 'umask "$1"; "$4" --instance "$5" mkdir ${2:+-m "$2"} "/t/$3"' - \
				"$mask" "$mode" "$name" "$GRPCTL" "$INSTANCE"
			assert_equal "$(inode "/t/$name")" \
				"$(stat -c '%u %g %a' "$V1/$name" | awk '{ printf "%d %d %04d\n", $1, $2, $3 }')" \
				"umask $mask mode $mode"
			for file in tasks cgroup.procs cpuacct.usage cpuacct.stat notify_on_release; do
				assert_equal "$(inode "/t/$name" "$file")" \
					"$(stat -c '%u %g %a' "$V1/$name/$file" |
						awk '{ printf "%d %d %04d\n", $1, $2, $3 }')" "$file of it"
			done
			rmdir "$V1/$name"
		done
	done
}

@test "mkdir -p makes parents that can be used, as mkdir(1)" {
	make_v1 V1
	# shellcheck disable=SC2016
	bash -c 'umask 0777; mkdir -p "$1/p/q"; umask 0077; mkdir -p -m 0711 "$1/r/s"' - "$V1"
	# shellcheck disable=SC2016
	bash -c 'umask 0777; "$1" --instance "$2" mkdir -p /t/p/q; umask 0077
		"$1" --instance "$2" mkdir -p -m 0711 /t/r/s' - "$GRPCTL" "$INSTANCE"
	assert_equal "$(ctl --json tree /t | jq -r '.[1:][] | .mode' | xargs printf '%o\n')" \
		"$(stat -c %a "$V1/p" "$V1/p/q" "$V1/r" "$V1/r/s")" modes
}

@test "owner and mode of a file, and what they decide, as in a directory of the kernel" {
	local mode user ours theirs
	make_v1 V1
	ctl mkdir /t
	chown "$ALICE:$TEAM" "$V1/tasks"
	ctl chown "$ALICE:$TEAM" /t tasks
	for mode in 0644 0600 0444 0000 0040 0004 0220; do
		chmod "$mode" "$V1/tasks"
		as "$ALICE" "$GRPCTL" --instance "$INSTANCE" chmod "$mode" /t tasks
		assert_equal "$(inode /t tasks)" "$ALICE $TEAM $mode" "mode"
		for user in "$ALICE" "$BOB" "$BOB,$TEAM" "$ALICE,$TEAM" 0; do
			ours=ok theirs=ok
			ctl_as "$user" get /t tasks >/dev/null 2>&1 || ours=no
			as "$user" cat "$V1/tasks" >/dev/null 2>&1 || theirs=no
			assert_equal "$ours" "$theirs" "$user reads $mode"
			ours=ok theirs=ok
			# an id that is none: who may write hears of that
			ctl_as "$user" set /t tasks 4194305 2>&1 | grep -q '(ESRCH)' || ours=no
			[[ $(as "$user" "$SUPPORT/try" open "$V1/tasks" wronly) == 0 ]] || theirs=no
			assert_equal "$ours" "$theirs" "$user writes $mode"
		done
	done
	refused_as "$ALICE" EINVAL chmod 4755 /t tasks
}
