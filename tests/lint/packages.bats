#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# .ci/packages with a made-up dpkg-query and apt-get: nothing is installed here.

# shellcheck disable=SC2016 # text for other shells

bats_require_minimum_version 1.5.0

setup() {
	PACKAGES=$BATS_TEST_DIRNAME/../../.ci/packages
	BIN=$BATS_TEST_TMPDIR/bin
	export CALLS=$BATS_TEST_TMPDIR/calls MISSING=''
	mkdir "$BIN"
	: >"$CALLS"
	PATH=$BIN:$PATH
	fake dpkg-query <<-'END'
		shift 3
		for p; do
			case " $MISSING " in *" $p "*) ;; *) echo "installed $p" ;; esac
		done
		[ -z "$MISSING" ]
	END
	fake apt-get <<-'END'
		echo "$DEBIAN_FRONTEND $*" >>"$CALLS"
		[ -e /usr/sbin/policy-rc.d ] && exit "${APT_STATUS:-0}"
		exit 99
	END
	fake systemctl <<<'echo "systemctl $*" >>"$CALLS"'
	fake update-rc.d <<<'echo "update-rc.d $*" >>"$CALLS"'
}

fake() {
	{
		echo '#!/bin/sh'
		cat
	} >"$BIN/$1"
	chmod +x "$BIN/$1"
}

need_root() {
	((EUID == 0)) || skip "writes /usr/sbin/policy-rc.d: needs root"
}

@test "nothing missing: no apt, no output" {
	run -0 "$PACKAGES" --all
	[ -z "$output" ]
	[ ! -s "$CALLS" ]
}

@test "groups" {
	export MISSING='gcc curl bats'
	run -0 "$PACKAGES" --build-only --list
	[ "$output" = gcc ]
	run -0 "$PACKAGES" --list
	[ "$output" = $'gcc\ncurl' ]
	run -0 "$PACKAGES" --all --list
	[ "$output" = $'gcc\ncurl\nbats' ]
	run -2 "$PACKAGES" --everything
}

@test "only the missing are installed, without recommended ones" {
	need_root
	MISSING='gcc bats' run -0 "$PACKAGES" --all
	run -0 cat "$CALLS"
	[[ $output == "noninteractive "*" install --no-install-recommends gcc bats" ]]
}

@test "a daemon is not left enabled, and services may start again afterwards" {
	need_root
	local before after
	before=$(cat /usr/sbin/policy-rc.d 2>/dev/null || echo none)
	MISSING=prometheus run -0 "$PACKAGES" --all
	after=$(cat /usr/sbin/policy-rc.d 2>/dev/null || echo none)
	[ "$before" = "$after" ]
	grep -qx 'systemctl disable prometheus.service' "$CALLS"
}

@test "apt fails: status 1, the packages are named, lists were fetched once" {
	need_root
	MISSING=gcc APT_STATUS=100 run -1 "$PACKAGES"
	[[ ${lines[-1]} == "packages: apt-get"* ]]
	[ "$(grep -c update "$CALLS")" -eq 1 ]
}
