#!/bin/bash
# gene-cosines: facts of three vectors by hand, every kind of file, refusals, the published array.
. "$SRC/tests/tool.sh"
printf 'gene,1,2\nA,1,0\nB,0,2\nC,3,3\n' >"$tmp/v.csv"
t 'a table of three genes' 0 '' gene-cosines "$tmp/v.csv" --top 4 --threshold 0.5 --out "$tmp/a"
fact() { awk -F'\t' -v k="$1" '$1 == k { print $2 }' "$tmp/a"; }
is 'has nine pairs: three of 1, four of 0.707107, two of 0' test "$(fact pairs) $(fact cosine_mean) $(fact cosine_least)" = '9 0.647603 0.000000'
is 'the fourth largest, and what reaches it' test "$(fact top_cosine) $(fact top_share)" = '0.707107 0.777778'
is 'what reaches the threshold' test "$(fact threshold_share)" = 0.777778
t 'to stdout' 0 '' gene-cosines "$tmp/v.csv" --top 4 --threshold 0.5
is 'the same' cmp "$tmp/.stdout" "$tmp/a"
t 'more than there are: all' 0 '' gene-cosines "$tmp/v.csv" --out "$tmp/a"
is 'and the least of them' test "$(fact top) $(fact top_cosine)" = '9 0.000000'

cp "$SRC/tests/fuzz/npy/f8-columns" "$tmp/m.npy"
t 'by its name' 0 '' gene-cosines "$tmp/m.npy" --out "$tmp/a"
is '0 1 2 and 3 4 5 by hand' test "$(fact genes) $(fact width) $(fact cosine_least)" = '2 3 0.885438'
printf 'A\nB\n' >"$tmp/names"
printf 'A\nB\nC\n' >"$tmp/three"
t 'with names' 0 '' gene-cosines "$tmp/m.npy,$tmp/names" --out "$tmp/x"
t 'with too many' 3 'names 3 genes for 2 vectors' gene-cosines "$tmp/m.npy,$tmp/three" --out "$tmp/x"
printf 'A\nA\n' >"$tmp/names"
t 'with one twice' 3 "line 2: gene 'A' is there twice" gene-cosines "$tmp/m.npy,$tmp/names" --out "$tmp/x"
cp "$SRC/tests/fuzz/npy/objects" "$tmp/objects.npy"
t 'an array of objects' 3 'not read' gene-cosines "$tmp/objects.npy"
head -c 150 "$tmp/m.npy" >"$tmp/cut.npy"
t 'a cut one' 3 'not what its shape says' gene-cosines "$tmp/cut.npy"
t 'no top' 2 'out of range' gene-cosines "$tmp/v.csv" --top 0
t 'no file' 3 '' gene-cosines "$tmp/none.csv"

f=$SHARED/data/benchmarks/beeline_hesc_genecompass/GeneCompass-emb-0708.npy
if [ -n "$SHARED" ] && [ -f "$f" ]; then
	t 'the published vectors' 0 '' gene-cosines "$f" --out "$tmp/a"
	is 'mean 0.900, SD 0.104, least 0.438' test "$(fact cosine_mean) $(fact cosine_sd) $(fact cosine_least)" = '0.900199 0.104335 0.437979'
	is 'the 500,000th is 0.9940, of 19.98 %' test "$(fact top_cosine) $(fact top_share)" = '0.994040 0.199782'
	is '0.4 connects all' test "$(fact threshold_share)" = 1.000000
	is 'the least one is what the table of claims has' test "$(awk -F'\t' '$1 == "CosLeast" { print $5 }' "$SRC/reference/claims.tsv")" = "$(fact cosine_least)"
else
	skip 'the published vectors' 'not on this machine'
fi
end
