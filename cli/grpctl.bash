# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Completion for grpctl: verbs, options, groups and control files. Verbs and options are asked from
# grpctl itself, the rest from the agent; without one there is nothing to offer. _grpctl declares
# what the others share: words, cword, verb, position, and call, the grpctl to ask.

# The strings of a key in the JSON that grpctl prints (one member a line), one each line.
_grpctl_strings() {
	sed -nE "s/^ *\"$1\": \"(.*)\",?\$/\\1/p" | sed -E 's/\\(["\\/])/\1/g'
}

# What help says to $1: verbs when empty, else long options.
_grpctl_words() {
	if [[ -z $1 ]]; then
		grpctl --help 2>/dev/null | sed -nE 's/^  ([a-z]+) {2,}.*/\1/p'
	else
		grpctl help "$1" 2>/dev/null | sed -nE 's/^ .*(--[a-z-]+) .*/\1/p'
		printf '%s\n' --help --instance
	fi
}

# Groups that may begin with $1. Only one level is asked for.
_grpctl_groups() {
	local word=$1 parent=${1%/*}/

	case $word in
	*/*)
		"${call[@]}" ls --json -- "$parent" 2>/dev/null | _grpctl_strings group |
			while IFS= read -r group; do
				printf '%s%s\n' "$parent" "${group##*/}"
			done
		;;
	*)
		"${call[@]}" hierarchies --json 2>/dev/null | _grpctl_strings name | sed 's|$|:/|'
		[[ -n $word ]] || echo /
		;;
	esac
}

# Keeps the candidates of stdin that begin with $1; COMPREPLY has them as the shell reads them.
_grpctl_offer() {
	local word=$1 candidate
	COMPREPLY=()
	while IFS= read -r candidate; do
		[[ $candidate == "$word"* ]] || continue
		printf -v candidate %q "$candidate"
		COMPREPLY+=("$candidate")
	done
}

# Groups, also behind a comma. The rest of the list stays in front.
_grpctl_offer_groups() {
	local word=$1 list="" i
	if [[ $word =~ ^(.*,)(([A-Za-z0-9_.-]+:)?(/.*)?)$ ]]; then
		list=${BASH_REMATCH[1]}
		word=${BASH_REMATCH[2]}
	fi
	_grpctl_offer "$word" < <(_grpctl_groups "$word")
	for i in "${!COMPREPLY[@]}"; do
		COMPREPLY[i]=$list${COMPREPLY[i]}
	done
	[[ ${COMPREPLY[*]} == *[:/] ]] && compopt -o nospace 2>/dev/null
	return 0
}

# The shell splits words at colons; what stands in front of the last one is there already.
_grpctl_trim_colons() {
	local word=$1 i
	[[ $word == *:* && $COMP_WORDBREAKS == *:* ]] || return 0
	for i in "${!COMPREPLY[@]}"; do
		COMPREPLY[i]=${COMPREPLY[i]#"${word%:*}:"}
	done
}

# Sets words, cword: as typed, with those put together that were split at a colon or =.
_grpctl_join_words() {
	local i
	words=()
	cword=0
	for ((i = 0; i <= COMP_CWORD; i++)); do
		if ((i > 0)) && [[ ${COMP_WORDS[i]} == [:=]* || ${words[cword]} == *[:=] ]] &&
			[[ $COMP_LINE == *"${words[cword]}${COMP_WORDS[i]}"* ]]; then
			words[cword]+=${COMP_WORDS[i]}
		else
			cword=$i
			((i == 0)) || cword=${#words[@]}
			words[cword]=${COMP_WORDS[i]}
		fi
	done
}

# Sets verb and position (of the current word among the verb's, from 0), and the call of grpctl.
_grpctl_find_verb() {
	local i
	verb=""
	position=-1
	call=(grpctl)
	for ((i = 1; i < cword; i++)); do
		case ${words[i]} in
		--instance)
			call+=(--instance "${words[++i]-}")
			;;
		--instance=*) call+=("${words[i]}") ;;
		-m | -o | -s | --mode | --options | --signal | --from | --user | --cpus | --mems) ((i++)) ;;
		-*) ;;
		*)
			[[ -n $verb ]] || verb=${words[i]}
			((position += 1))
			;;
		esac
	done
}

# The value of an option that takes one. False: the word before is no such option.
_grpctl_offer_value() {
	case $1 in
	-s | --signal) _grpctl_offer "$2" < <(compgen -A signal | sed -n 's/^SIG//p') ;;
	--user) _grpctl_offer "$2" < <(compgen -u) ;;
	--from) _grpctl_offer_groups "$2" ;;
	-o | --options)
		_grpctl_offer "$2" < <("${call[@]}" subsystems --json 2>/dev/null | _grpctl_strings name && printf "%s\n" all none noprefix clone_children release_agent=)
		;;
	--subsys) _grpctl_offer "$2" < <("${call[@]}" subsystems --json 2>/dev/null | _grpctl_strings name) ;;
	--cpus) _grpctl_offer "$2" < <(printf '%s\n' all node: package: core:) ;;
	-m | --mode | --mems | --instance) COMPREPLY=() ;;
	*) return 1 ;;
	esac
}

_grpctl_offer_argument() {
	local word=$1
	case $verb:$position in
	get:1 | set:1 | chown:2 | chmod:2)
		_grpctl_offer "$word" < <("${call[@]}" stat --json -- "${words[cword - 1]}" 2>/dev/null |
			_grpctl_strings name)
		;;
	chown:0) _grpctl_offer "$word" < <(compgen -u) ;;
	umount:0 | remount:0)
		_grpctl_offer "$word" < <("${call[@]}" mounts --json 2>/dev/null | _grpctl_strings name)
		;;
	help:0) _grpctl_offer "$word" < <(_grpctl_words "") ;;
	apply:0 | diff:0) _grpctl_offer "$word" < <(compgen -f -- "$word") ;;
	which:* | clone:0 | attach:[1-9]*) _grpctl_offer "$word" < <(cd /proc && compgen -G '[0-9]*') ;;
	exec:[1-9]* | legacy:*) _grpctl_offer "$word" < <(compgen -c -- "$word") ;;
	mkdir:* | rmdir:* | mv:* | ls:0 | tree:0 | stat:0 | watch:0 | attach:0 | exec:0 | ps:0 | get:0 | set:0 | \
		usage:0 | kill:0 | wait:0 | shield:0 | chown:1 | chmod:1) _grpctl_offer_groups "$word" ;;
	*) COMPREPLY=() ;;
	esac
}

_grpctl() {
	local words cword verb position call word
	_grpctl_join_words
	_grpctl_find_verb
	word=${words[cword]-}
	COMPREPLY=()
	if _grpctl_offer_value "${words[cword - 1]-}" "$word"; then
		:
	elif [[ $word == -* ]]; then
		if [[ -n $verb ]]; then
			_grpctl_offer "$word" < <(_grpctl_words "$verb")
		else
			_grpctl_offer "$word" < <(printf '%s\n' --instance --json --help --version)
		fi
	elif [[ -z $verb ]]; then
		_grpctl_offer "$word" < <(_grpctl_words "")
	else
		_grpctl_offer_argument "$word"
	fi
	_grpctl_trim_colons "$word"
}

complete -F _grpctl grpctl
