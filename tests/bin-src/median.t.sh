#!/bin/bash
# median: exact over several files, whatever the memory and the order.
. "$SRC/tests/tool.sh"
. "$SRC/tests/bin-src/corpus.sh"
is 'the samples are imported'        corpus_files
for s in h m; do
	t "sample $s passes"             0 '' qc-filter "$tmp/$s.h5ad" --tables "$tmp/tables" --out "$tmp/$s.q.h5ad"
done
t 'medians of both'                  0 'in 1 pass$' median "$tmp/h.q.h5ad" "$tmp/m.q.h5ad" --out "$tmp/a.tsv" --report "$tmp/a.json"
t 'in the other order'               0 ''           median "$tmp/m.q.h5ad" "$tmp/h.q.h5ad" --out "$tmp/b.tsv" --threads 3
is 'are the same'                    cmp "$tmp/a.tsv" "$tmp/b.tsv"
is 'by rising id'                    diff <(tail -n +2 "$tmp/a.tsv" | cut -f1) <(tail -n +2 "$tmp/a.tsv" | cut -f1 | LC_ALL=C sort)
# The plain way: counts of the csv, totals over all genes but the one of no name.
plain() { awk -F, 'NR > 1 && $1 != "unheard-of" { for (c = 2; c <= 9; c++) { total[c] += $c; if ($1 == "G10") x[c] = $c } }
	END { for (c = 2; c <= 9; c++) if (x[c]) printf "%.12g\n", x[c] * 10000 / total[c] }' "$tmp/h.csv" | sort -g |
	awk '{ v[NR] = $1 } END { printf "%d\t%.10g\n", NR, (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'; }
t 'medians of the human cells'       0 ''           median "$tmp/h.q.h5ad" --out "$tmp/c.tsv"
is 'agree with a plain sort'         test "$(awk '$1 == "ENSG00000000010" { printf "%d\t%.10g\n", $2, $3 }' "$tmp/c.tsv")" = "$(plain)"
t 'a file without totals'            3 "no obs column 'total'" median "$tmp/h.h5ad" --out "$tmp/x"
t "columns of one gene"              3 'has two columns' bash -c "sed 's/^G12,/G11,/' $tmp/h.csv >$tmp/d.csv; sed -i 's/^G11,/ENSG00000000011.1,/;' $tmp/d.csv; sed -i '0,/ENSG00000000011.1/s//G11/' $tmp/d.csv; import $tmp/d.csv --species human --sample d --out $tmp/d.h5ad --quiet; qc-filter $tmp/d.h5ad --tables $tmp/tables --preset official-code --out $tmp/d.q.h5ad --quiet; median $tmp/d.q.h5ad --out $tmp/x"
t 'no memory allowed'                2 'memory is 1 to'  median "$tmp/h.q.h5ad" --memory 0 --out "$tmp/x"
t 'no input'                         2 'wants'           median --out "$tmp/x"
is 'and nothing was written'         test ! -e "$tmp/x"
t 'a full disk'                      1 'cannot write'    median "$tmp/h.q.h5ad" --out /dev/full
end
