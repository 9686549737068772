#!/bin/bash
# tokenize and shard-dump: the whole way from counts to tokens, against the golden ones where they are.
. "$SRC/tests/tool.sh"
. "$SRC/tests/bin-src/corpus.sh"
is 'the samples are imported'        corpus_files
for s in h m; do
	t "sample $s passes"             0 '' qc-filter "$tmp/$s.h5ad" --tables "$tmp/tables" --out "$tmp/$s.q.h5ad"
done
t 'a dictionary'                     0 '' vocab --tables "$tmp/tables" --out "$tmp/v.tsv"
t 'medians'                          0 '' median "$tmp/h.q.h5ad" "$tmp/m.q.h5ad" --out "$tmp/med.tsv"
tok=(tokenize "$tmp/h.q.h5ad" "$tmp/m.q.h5ad" --vocab "$tmp/v.tsv" --medians "$tmp/med.tsv")
t 'shards'                           0 '13 cells' "${tok[@]}" --out "$tmp/s" --report "$tmp/s.json"
is 'with what they were made of'     bash -c "cmp $tmp/v.tsv $tmp/s/vocab.tsv && cmp $tmp/med.tsv $tmp/s/medians.tsv"
is 'and a line per cell'             test "$(cut -f2,4 "$tmp/s/cells.tsv" | sort | uniq -c | awk '{ printf "%s %s %s;", $1, $2, $3 }')" = '8 h human;5 m mouse;1 sample species;'
t 'a dump'                           0 '' shard-dump "$tmp/s" --out "$tmp/d.tsv"
is 'has every token'                 test "$(($(wc -l <"$tmp/d.tsv") - 1))" = "$(number "$tmp/s.json" n_tokens)"
is 'values never rise in a cell'     awk 'NR > 1 && $2 > 0 && $4 + 0 > v { bad = 1 } { v = $4 + 0 } END { exit bad }' "$tmp/d.tsv"
is 'mouse cells have human tokens'   bash -c "tail -3 $tmp/d.tsv | awk '\$3 < 282 { n++ } END { exit n == 0 }'"
t 'one thread, small shards'         0 '' "${tok[@]}" --out "$tmp/s1" --threads 1 --cells-per-shard 3
is 'are five files'                  test "$(find "$tmp/s1" -name 'shard-*' | wc -l)" = 5
t 'dumped'                           0 '' shard-dump "$tmp/s1" --out "$tmp/d1.tsv.gz"
is 'the same tokens'                 bash -c "zcat $tmp/d1.tsv.gz | cmp - $tmp/d.tsv"
t 'three threads'                    0 '' "${tok[@]}" --out "$tmp/s3" --threads 3
is 'the same bytes'                  diff -r "$tmp/s" "$tmp/s3"
t 'over a folder with more shards'   0 '' "${tok[@]}" --out "$tmp/s1"
is 'none of the old ones is left'    diff -r "$tmp/s" "$tmp/s1"
t 'cut at 10'                        0 'cells cut at 10' "${tok[@]}" --out "$tmp/s10" --max-length 10
t 'dumped'                           0 '' shard-dump "$tmp/s10" --out "$tmp/d10.tsv"
is 'the first 10 of each'            diff <(awk '$2 == "rank" || $2 < 10' "$tmp/d.tsv") "$tmp/d10.tsv"

t 'values by depth'                  0 '' "${tok[@]}" --out "$tmp/sd" --normalize depth
t 'dumped'                           0 '' shard-dump "$tmp/sd" --out "$tmp/dd.tsv"
is 'have the same tokens'            diff <(cut -f1-3 "$tmp/d.tsv") <(cut -f1-3 "$tmp/dd.tsv")
is 'and other values'                bash -c "! diff -q <(cut -f4 $tmp/d.tsv) <(cut -f4 $tmp/dd.tsv) >/dev/null"
# 2^v - 1 is count / median, and by depth count / median * 10000 / total: one factor a cell.
is 'one factor a cell'               awk 'NR == FNR { v[FNR] = $4; next } FNR > 1 { if ($2 == 0) delete c[$1]; f = (2 ^ $4 - 1) / (2 ^ v[FNR] - 1); if (($1 in c) && (f / c[$1] > 1.0001 || f / c[$1] < 0.9999)) bad = 1; c[$1] = f; n++ } END { exit bad || n < 1000 }' "$tmp/d.tsv" "$tmp/dd.tsv"
t 'depth without totals'             3 "no obs column 'total'" tokenize "$tmp/h.h5ad" --vocab "$tmp/v.tsv" --medians "$tmp/med.tsv" --out "$tmp/x" --normalize depth
t 'cells of preset official-code'    0 '' qc-filter "$tmp/h.h5ad" --tables "$tmp/tables" --preset official-code --out "$tmp/o.h5ad"
t 'are ranked too'                   0 '9 cells' tokenize "$tmp/o.h5ad" --vocab "$tmp/v.tsv" --medians "$tmp/med.tsv" --out "$tmp/so"
t 'raw names have no token'          0 '0 tokens' tokenize "$tmp/h.h5ad" --vocab "$tmp/v.tsv" --medians "$tmp/med.tsv" --out "$tmp/sr"

# A gene that is silent in all cells has no median and needs none.
sed 's/^G20,.*/G20,0,0,0,0,0,0,0,0,0/' "$tmp/h.csv" >"$tmp/z.csv"
is 'a sample with a silent gene'     bash -c "import $tmp/z.csv --species human --sample z --out $tmp/z.h5ad && qc-filter $tmp/z.h5ad --tables $tmp/tables --out $tmp/z.q.h5ad && median $tmp/z.q.h5ad --out $tmp/zm.tsv"
zt=(tokenize "$tmp/z.q.h5ad" --vocab "$tmp/v.tsv")
t 'is ranked'                        0 '' "${zt[@]}" --medians "$tmp/zm.tsv" --out "$tmp/sz" --report "$tmp/sz.json"
is 'without a word on medians'       bash -c "! grep median $tmp/.stderr"
is 'and none is missing'             test "$(number "$tmp/sz.json" columns_without_median)" = 0
sed '/^ENSG00000000010\t/d; /^ENSG00000000011\t/d' "$tmp/zm.tsv" >"$tmp/zm2.tsv"
t 'medians without two of its genes' 0 '2 columns have counts and a token but no median: 1 is used' "${zt[@]}" --medians "$tmp/zm2.tsv" --out "$tmp/sz2" --report "$tmp/sz2.json"
is 'and the report has them'         test "$(number "$tmp/sz2.json" columns_without_median)" = 2

t 'no dictionary'                    2 'vocab is missing'   tokenize "$tmp/h.q.h5ad" --medians "$tmp/med.tsv" --out "$tmp/x"
t 'no medians'                       2 'medians is missing' tokenize "$tmp/h.q.h5ad" --vocab "$tmp/v.tsv" --out "$tmp/x"
t 'no tokens at all'                 2 'max-length is 1'    "${tok[@]}" --out "$tmp/x" --max-length 0
t 'no cells in a shard'              2 'cells-per-shard'    "${tok[@]}" --out "$tmp/x" --cells-per-shard 0
t 'a dictionary that is none'        3 'no column'          tokenize "$tmp/h.q.h5ad" --vocab "$tmp/med.tsv" --medians "$tmp/med.tsv" --out "$tmp/x"
t 'medians that are none'            3 'no column'          tokenize "$tmp/h.q.h5ad" --vocab "$tmp/v.tsv" --medians "$tmp/v.tsv" --out "$tmp/x"
is 'and nothing was written'         test ! -e "$tmp/x"
cp -r "$tmp/s" "$tmp/cut"; truncate -s 3000 "$tmp/cut/shard-00000.h5"
t 'a cut shard'                      3 'cannot read'        shard-dump "$tmp/cut" --out "$tmp/x"
cp "$tmp/s/shard-00000.h5" "$tmp/cut"; sed -i 3d "$tmp/cut/cells.tsv"
t 'another list of cells'            3 'lists 12 cells'     shard-dump "$tmp/cut" --out "$tmp/x"
rm "$tmp/cut/cells.tsv"
t 'no list of cells'                 0 ''                   shard-dump "$tmp/cut" --out "$tmp/ids.tsv"
is 'gives ids'                       grep -qP '^[0-9a-f]{16}\t0\t' "$tmp/ids.tsv"
t 'a folder without shards'          3 'holds no shard'     shard-dump "$tmp/tables" --out "$tmp/x"
t 'a full disk'                      1 'cannot write'       shard-dump "$tmp/s" --out /dev/full
is 'and nothing was written'         test ! -e "$tmp/x"

g=${SHARED:-/nowhere}/golden/corpus
if [ -d "$g/paper" ]; then
	zcat "$g/tables/genes.tsv.gz" | awk 'BEGIN { FS = OFS = "\t"; print "id", "n_nonzero", "median" } NR > 1 && $7 != "-" { print $1, 1, $7 }' >"$tmp/gm.tsv"
	whole() { import "$g/input/baron_mouse1_48.csv.gz" --species mouse --out "$tmp/1" && homolog-map "$tmp/1" --tables "$g/tables" --out "$tmp/2" && qc-filter "$tmp/2" --tables "$g/tables" --out "$tmp/3" --cells "$tmp/3.tsv" && vocab --tables "$g/tables" --out "$tmp/gv.tsv" && tokenize "$tmp/3" --vocab "$tmp/gv.tsv" --medians "$tmp/gm.tsv" --out "$tmp/g" && shard-dump "$tmp/g" --out "$tmp/g.tsv"; }
	is 'golden counts to tokens'         whole
	is 'with the golden verdicts'        diff <(cut -f1-10 "$tmp/3.tsv") <(zcat "$g/paper/baron_mouse1_48.cells.tsv.gz")
	golden() { zcat "$g/paper/baron_mouse1_48.tokens.tsv.gz" | awk -F'\t' 'NR > 1 { n = split($5, t, ","); for (i = 1; i <= n; i++) print $1 "\t" i - 1 "\t" t[i] }'; }
	is 'are the golden tokens'           diff <(tail -n +2 "$tmp/g.tsv" | cut -f1-3) <(golden)
else
	skip 'golden counts to tokens' 'no shared data'
fi
end
