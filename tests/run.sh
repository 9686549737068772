#!/bin/bash
# Runs test programs and scripts, prints what failed or was skipped, adds up.
#   BIN=build/bin TESTS=build/tests tests/run.sh [PROGRAM | SCRIPT.t.sh | 'PROGRAM ARG...']...
# The last line is `N passed, N failed, N skipped`. A program that dies, or that ends without its
# own such line, counts as one failure. V=1 prints everything.
set -uo pipefail
passed=0 failed=0 skipped=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for job in "$@"; do
	start=$(date +%s%N)
	status=0
	case $job in
	*.t.sh) bash "$job" >"$log" 2>&1 </dev/null || status=$? ;;
	# shellcheck disable=SC2086  # a program and its arguments
	*) eval "$job" >"$log" 2>&1 </dev/null || status=$? ;;
	esac
	line=$(grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$log" | tail -n 1)
	p=0 f=1 s=0
	if [ -n "$line" ]; then
		read -r p f s < <(tr -cs '0-9\n' ' ' <<<"$line")
		# Died after a good last line, e.g. a leak found at exit.
		if [ "$f" = 0 ] && [ "$status" != 0 ]; then f=1; fi
	elif [ "$status" = 77 ]; then
		f=0 s=1
	fi
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	ms=$((($(date +%s%N) - start) / 1000000))
	printf '%-44s %4d passed %3d failed %3d skipped  %6d ms\n' "${job##*/}" "$p" "$f" "$s" "$ms"
	if [ "${V:-0}" = 1 ]; then
		cat "$log"
	elif [ "$f" != 0 ]; then
		if [ -z "$line" ]; then echo "  ended with status $status:"; fi
		grep -vE '^ok ' "$log" | tail -n 60 | sed 's/^/  /'
	fi
	grep -E '^ok [0-9]+ # SKIP' "$log" | sed 's/^ok [0-9]* # SKIP/  skipped:/' || true
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] || exit 4
