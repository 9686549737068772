#!/bin/bash
# ledger: cells that were put in twice are found, whatever their names and the order of their genes.
. "$SRC/tests/tool.sh"
. "$SRC/tests/bin-src/corpus.sh"
is 'the samples are imported'        corpus_files
# The first three human cells again, under other names, genes in another order, a silent gene more.
awk -F, '{ print $1 "," $2 "," $3 "," $4 }' "$tmp/h.csv" | sed '1s/cell/other/g' >"$tmp/part.csv"
{ head -1 "$tmp/part.csv"; tail -n +2 "$tmp/part.csv" | tac; } | sed 's/^OLD7,/ENSG00000000007.3,/' >"$tmp/again.csv"
printf 'barcode\tlabel\nother1\tx\nother2\ty\n' >"$tmp/labels.tsv"
t 'some of them again'               0 '' import "$tmp/again.csv" --species human --sample again --labels "$tmp/labels.tsv" --out "$tmp/again.h5ad"
for s in h m again; do
	t "sample $s is mapped"          0 '' homolog-map "$tmp/$s.h5ad" --tables "$tmp/tables" --out "$tmp/$s.m.h5ad"
done
t 'a ledger'                         0 'set .again.: 3 of 3 cells are in the corpus' ledger "$tmp/h.m.h5ad" "$tmp/m.m.h5ad" --sets "$tmp/again.m.h5ad" --out "$tmp/l" --report "$tmp/l.json"
is 'of the set'                      diff <(printf 'set\tcells\tno_counts\trepeated\tin_corpus\tshare\nagain\t3\t0\t0\t3\t1\n') "$tmp/l/sets.tsv"
is 'and of whom it shares with'      diff <(printf 'kind\ta\tb\tshared\nset\th\tagain\t3\n') "$tmp/l/pairs.tsv"
# The made counts come back after five cells: human cells 6 and 7 are 1 and 2 again.
is 'two cells repeat one of their sample' diff <(printf 'sample\tcells\tno_counts\trepeated\tin_other_samples\tshare\nh\t9\t0\t2\t0\t0\nm\t6\t0\t0\t0\t0\n') "$tmp/l/samples.tsv"
# cells 1, 2, 3, 6 and 7 of the one, and all three of the other
t 'two samples of the same cells'    0 '8 stand in another sample too' ledger "$tmp/h.m.h5ad" "$tmp/again.m.h5ad" --out "$tmp/l2"
is 'are told'                        grep -qP '^sample\th\tagain\t3$' "$tmp/l2/pairs.tsv"
said() { awk -F '\t' -f "$SRC/workflows/ledger.awk" "$tmp/$1/samples.tsv" "$tmp/$1/pairs.tsv" "$tmp/$1/sets.tsv"; }
is 'make ledger prints the sums, and who shares with whom' diff <(said l2) <(printf '  12 cells in the corpus: 2 repeat one of their sample, 8 stand in another sample too\n  h and again share 3 cells\n')
is 'and every set'                   test "$(said l | tail -n 1 | tr -s ' ')" = ' again 3 of 3 labelled cells are in the corpus'
t 'one file twice'                   0 '11 repeat one of their sample' ledger "$tmp/h.m.h5ad" "$tmp/h.m.h5ad" --out "$tmp/l3"
t 'a set without labels'             0 '1 samples of --sets have no labels' ledger "$tmp/h.m.h5ad" --sets "$tmp/m.m.h5ad" --out "$tmp/l4"
t 'cells that were not mapped'       3 "no obs column 'content'" ledger "$tmp/h.h5ad" --out "$tmp/x"
is 'and nothing was written'         test ! -e "$tmp/x"
t 'no input'                         2 'wants' ledger --out "$tmp/x"
end
