#!/bin/bash
# One line of `make bench`: our program and its peer in turn, --rounds times each, so that both meet
# the same neighbours on this machine; the best round of each counts.
#   compare.sh --out F.tsv --line NAME --keys 'KEY...' [--rounds N] [--skip WHY] [--same KEY]
#              -- OURS... [-- PEER...]
# A program prints a line of JSON. KEY is the name of a number in it, OUTER.INNER of one that is
# inside an object, or KEY/KEY of a quotient. Of keys that name memory or seconds the smallest is best, of all others the
# largest. A ratio above 1 is in our favour for rates; memory and seconds are ours over the peer's.
# Columns of F.tsv, to which rows are added: line, key, ours, peer, ratio, rounds, ours_all,
# peer_all (every round, in order), ours_command, peer_command, note. A peer that cannot run here
# (--skip WHY, or it fails) leaves its cells empty, and the note says why.
# Ours with status 77 cannot run on this machine: no row, and the reason is said.
# --same KEY: a text that both must print alike, or the run ends with status 4.
set -uo pipefail
out='' line='' keys='' rounds=3 skip='' same=''
while [ $# -gt 0 ] && [ "$1" != -- ]; do
	case $1 in
	--out) out=$2 ;;
	--line) line=$2 ;;
	--keys) keys=$2 ;;
	--rounds) rounds=$2 ;;
	--skip) skip=$2 ;;
	--same) same=$2 ;;
	*) echo "compare.sh: what is '$1'?" >&2; exit 2 ;;
	esac
	shift 2
done
shift
ours=() peer=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do ours+=("$1"); shift; done
if [ $# -gt 0 ]; then shift; fi
peer=("$@")
if [ -z "$out" ] || [ -z "$line" ] || [ -z "$keys" ] || [ ${#ours[@]} = 0 ]; then
	echo 'compare.sh: --out, --line, --keys and a program are needed' >&2
	exit 2
fi
if [ ${#peer[@]} = 0 ] && [ -z "$skip" ]; then skip='no peer'; fi

# The number of KEY in a line of JSON; of no such key nothing.
number() { # json key
	local x y
	if [[ $2 == */* ]]; then
		x=$(number "$1" "${2%/*}") y=$(number "$1" "${2#*/}")
		awk -v x="$x" -v y="$y" 'BEGIN { if (x != "" && y + 0) printf "%.6g", x / y }'
		return
	fi
	awk -v key="$2" 'BEGIN { n = split(key, k, ".") }
		{ for (i = 1; i <= n; i++) { at = index($0, "\"" k[i] "\":"); if (!at) exit
			$0 = substr($0, at + length(k[i]) + 3) }
		  sub(/^ */, ""); if (match($0, /^[-+0-9.eE]+/)) print substr($0, 1, RLENGTH); exit }' <<<"$1"
}
text() { sed -n "s/.*\"$2\": *\"\([^\"]*\)\".*/\1/p" <<<"$1"; } # json key
smaller_is_better() { [[ $1 == *rss* || $1 == *seconds* || $1 == *memory* ]]; }
best() { # key numbers...
	local key=$1 order=-rg
	shift
	if smaller_is_better "$key"; then order=-g; fi
	printf '%s\n' "$@" | sort $order | head -n 1
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
declare -A a b
for ((r = 0; r < rounds; r++)); do
	status=0
	json=$("${ours[@]}" 2>"$log" | tail -n 1) || status=$?
	if [ $status = 77 ]; then
		echo "bench: $line: left out: $(tail -n 1 "$log")" >&2
		exit 0
	fi
	if [ $status != 0 ]; then
		echo "bench: $line: ours failed: $(tail -n 1 "$log")" >&2
		exit 4
	fi
	for key in $keys; do a[$key]+=" $(number "$json" "$key")"; done
	told=''
	if [ -n "$same" ]; then told=$(text "$json" "$same"); fi
	if [ -z "$skip" ]; then
		if json=$("${peer[@]}" 2>"$log" | tail -n 1); then
			for key in $keys; do b[$key]+=" $(number "$json" "$key")"; done
			if [ -n "$same" ] && { [ -z "$told" ] || [ "$(text "$json" "$same")" != "$told" ]; }; then
				echo "bench: $line: '$same' is '$told' here and '$(text "$json" "$same")' there" >&2
				exit 4
			fi
		else
			skip="the peer failed: $(tail -n 1 "$log")"
		fi
	fi
done

if [ ! -s "$out" ]; then
	printf 'line\tkey\tours\tpeer\tratio\trounds\tours_all\tpeer_all\tours_command\tpeer_command\tnote\n' >"$out"
fi
for key in $keys; do
	# shellcheck disable=SC2086 # a list of numbers
	x=$(best "$key" ${a[$key]}) y='' ratio=''
	if [ -z "$x" ]; then
		echo "bench: $line: ours printed no '$key'" >&2
		exit 4
	fi
	if [ -z "$skip" ]; then
		# shellcheck disable=SC2086
		y=$(best "$key" ${b[$key]})
		ratio=$(awk -v x="$x" -v y="$y" 'BEGIN { if (y + 0) printf "%.3f", x / y }')
	fi
	printf '%-34s %-30s %12s %12s %8s %s\n' "$line" "$key" "$x" "${y:--}" "${ratio:--}" "$skip"
	# shellcheck disable=SC2086
	printf '%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\t%s\t%s\n' "$line" "$key" "$x" "$y" "$ratio" "$rounds" \
		"$(echo ${a[$key]})" "$(echo ${b[$key]-})" "${ours[*]}" "${peer[*]}" "$skip" >>"$out"
done
