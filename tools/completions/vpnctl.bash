# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Completion for bash. What there is to say, 'vpnctl complete' and the usage of
# vpnd say; here is only what a shell has to do with it.

_vpnctl_offer()
{
	local word

	while IFS= read -r word; do
		case $word in
		FILE)	compopt -o filenames; mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$1") ;;
		FOLDER)	compopt -o filenames; mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -d -- "$1") ;;
		*)	COMPREPLY+=("$word") ;;
		esac
	done
}

# A colon, as in HOST:PORT, is no end of a word here.
_vpnctl()
{
	local cur cword words

	COMPREPLY=()
	if declare -F _get_comp_words_by_ref >/dev/null; then
		_get_comp_words_by_ref -n : cur cword words
	else
		words=("${COMP_WORDS[@]}") cword=$COMP_CWORD cur=${COMP_WORDS[COMP_CWORD]}
	fi
	_vpnctl_offer "$cur" < <("$1" complete -- "${words[@]:1:cword}" 2>/dev/null)
	if declare -F __ltrim_colon_completions >/dev/null; then
		__ltrim_colon_completions "$cur"
	fi
}

_vpnd()
{
	COMPREPLY=()
	case $2 in
	-*)	mapfile -t COMPREPLY < <(compgen -W \
			"$("$1" --help 2>/dev/null | grep -oE '^ .*  ' | grep -oE -- '--[a-z-]+')" -- "$2") ;;
	*)	_vpnctl_offer "$2" <<<FILE ;;
	esac
}

complete -F _vpnctl vpnctl
complete -F _vpnd vpnd
