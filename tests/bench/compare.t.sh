#!/bin/bash
# bench/compare.sh: which round counts, which way a ratio points, what a missing peer leaves.
. "$SRC/tests/tool.sh"
compare="$SRC/bench/compare.sh"
# A program that prints its arguments one after the other, one a call, as the rate of a line of JSON.
cat >"$tmp/tell" <<'END'
#!/bin/bash
state=$1.$2 name=$2
shift 2
n=$(cat "$state" 2>/dev/null || echo 0)
echo $((n + 1)) >"$state"
args=("$@")
echo '{"x": "y", "rate": {"all": 1, "total": '"${args[n]}"'}, "peak_rss_mb": '"${args[n]}"', "half": 0.5, "sum": "'$name'"}'
END
chmod +x "$tmp/tell"
run() { bash "$compare" --out "$tmp/o.tsv" "$@"; }
cell() { awk -F '\t' -v c="$2" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == c) k = i } NR == r { print $k }' r="$1" "$tmp/o.tsv"; }

t 'two programs in turn' 0 '' run --line a --keys 'rate.total peak_rss_mb rate.total/half' --rounds 2 -- \
	"$tmp/tell" "$tmp/s" ours 30 20 -- "$tmp/tell" "$tmp/s" peer 10 15
is 'the largest rate of each counts' test "$(cell 2 ours) $(cell 2 peer) $(cell 2 ratio)" = '30 15 2.000'
is 'and the smallest memory' test "$(cell 3 ours) $(cell 3 peer) $(cell 3 ratio)" = '20 10 2.000'
is 'a quotient of two keys' test "$(cell 4 ours) $(cell 4 peer)" = '60 30'
is 'all rounds are kept' test "$(cell 2 ours_all)/$(cell 2 peer_all)" = '30 20/10 15'
rm -f "$tmp"/s.* "$tmp/o.tsv"
t 'a peer that fails is named' 0 '' run --line a --keys rate.total --rounds 1 -- "$tmp/tell" "$tmp/s" ours 3 -- \
	bash -c 'echo no such module >&2; exit 1'
is 'and its cells are empty' test "$(cell 2 ours)/$(cell 2 peer)/$(cell 2 note)" = '3//the peer failed: no such module'
rm -f "$tmp"/s.* "$tmp/o.tsv"
t 'a peer left out' 0 '' run --line a --keys rate.total --rounds 1 --skip 'no PyTorch' -- "$tmp/tell" "$tmp/s" ours 3 -- false
is 'with the reason' test "$(cell 2 note)" = 'no PyTorch'
rm -f "$tmp"/s.* "$tmp/o.tsv"
t 'a program of ours that fails ends it' 4 'ours failed' run --line a --keys rate.total --rounds 1 -- false -- true
t 'one that cannot run here is left out' 0 'a: left out: no such processor' run --line a --keys rate.total --rounds 1 -- \
	bash -c 'echo no such processor >&2; exit 77' -- true
is 'without a row' test ! -e "$tmp/o.tsv"
t 'so does a key that it does not print' 4 "no 'speed'" run --line a --keys speed --rounds 1 -- "$tmp/tell" "$tmp/s" ours 3
rm -f "$tmp"/s.* "$tmp/o.tsv"
t 'and results that differ' 4 "'sum' is 'ours' here and 'peer' there" run --line a --keys rate.total --rounds 1 \
	--same sum -- "$tmp/tell" "$tmp/s" ours 3 -- "$tmp/tell" "$tmp/s" peer 3
end
