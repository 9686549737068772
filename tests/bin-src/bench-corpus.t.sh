#!/bin/bash
# bench-corpus goes from counts to tokens in one reading (lib/app/corpus_stream.h): the same tokens as
# the stages one after the other, for any number of threads.
. "$SRC/tests/tool.sh"
. "$SRC/tests/bin-src/corpus.sh"
PATH=$(dirname "$BIN")/bench:$PATH
if ! command -v bench-corpus >/dev/null; then
	skip 'one reading and the stages give the same tokens' 'bench programs are not part of this build'
	end
fi
corpus_tables
corpus_counts G 1200 >"$tmp/h.csv"
corpus_counts g 300 >"$tmp/m.csv"
for s in h:human m:mouse; do
	x=$tmp/${s%:*}
	t "${s#*:} counts are imported"  0 '' import "$x.csv" --species "${s#*:}" --sample "${s%:*}" --out "$x.h5ad"
	t 'mapped'                       0 '' homolog-map "$x.h5ad" --tables "$tmp/tables" --out "$x.m.h5ad"
	t 'filtered'                     0 '' qc-filter "$x.m.h5ad" --tables "$tmp/tables" --out "$x.q.h5ad"
done
is 'medians, and shards of both'     corpus_tokens "$tmp/h" "$tmp/m"

# Tables with the tokens and medians of those stages, as the script of the peers reads them.
mkdir "$tmp/whole"
cp "$tmp/tables/aliases.tsv" "$tmp/whole"
awk -F '\t' 'BEGIN { OFS = FS }
	FILENAME == ARGV[1] { token[$2] = $1; next }
	FILENAME == ARGV[2] { median[$1] = $3; next }
	FNR > 1 { if ($1 in token) $6 = token[$1]; if ($1 in median) $7 = median[$1] } { print }' \
	"$tmp/v.tsv" "$tmp/med.tsv" "$tmp/tables/genes.tsv" >"$tmp/whole/genes.tsv"

# tokens_of SAMPLE: sha256 of the tokens of its cells as numbers of four bytes, lowest first.
tokens_of() {
	tokenize "$tmp/$1.q.h5ad" --vocab "$tmp/v.tsv" --medians "$tmp/med.tsv" --out "$tmp/s.$1" --quiet &&
		shard-dump "$tmp/s.$1" --out "$tmp/d.$1" --quiet &&
		awk 'NR > 1 { printf "\\x%02x\\x%02x\\x00\\x00\n", $3 % 256, $3 / 256 }' "$tmp/d.$1" >"$tmp/e.$1" &&
		printf '%b' "$(tr -d '\n' <"$tmp/e.$1")" | sha256sum | cut -d' ' -f1
}
text() { grep -o "\"$2\": *\"[^\"]*\"" "$1" | sed 's/.*: *"//; s/"//'; }

for s in h:0 m:1; do
	x=${s%:*}
	want=$(tokens_of "$x")
	for threads in 1 3; do
		t "sample $x on $threads threads" 0 '' bench-corpus --input "$tmp/$x.h5ad" --tables "$tmp/whole" --species "${s#*:}" --threads $threads
		is 'the tokens of the stages' test "$(text "$tmp/.stdout" tokens_sha256)" = "$want"
		is 'of as many cells'         test "$(number "$tmp/.stdout" cells_out)" = "$(($(wc -l <"$tmp/s.$x/cells.tsv") - 1))"
	done
done
is 'cells were lost on the way'      test "$(number "$tmp/.stdout" cells_in)" -gt "$(number "$tmp/.stdout" cells_out)"
t 'the shards as well'               0 '' bench-corpus --input "$tmp/h.h5ad" --tables "$tmp/whole" --shards "$tmp/b"
is 'hold them'                       test "$(cat "$tmp"/b/shard-* | wc -c)" -gt 250000
t 'genes of the other species'       0 '' bench-corpus --input "$tmp/h.h5ad" --tables "$tmp/whole" --species 1
is 'leave no cell'                   test "$(number "$tmp/.stdout" cells_out)" = 0
t 'no such file'                     3 'nowhere' bench-corpus --input "$tmp/nowhere.h5ad" --tables "$tmp/whole"
t 'no tables'                        3 '' bench-corpus --input "$tmp/h.h5ad" --tables "$tmp/x"
t 'no input named'                   2 '' bench-corpus --tables "$tmp/whole"
end
