#!/bin/bash
# median: exact over several files, whatever the memory and the order, at once or joined from parts.
. "$SRC/tests/tool.sh"
. "$SRC/tests/bin-src/corpus.sh"
is 'the samples are imported'        corpus_files
for s in h m; do
	t "sample $s passes"             0 '' qc-filter "$tmp/$s.h5ad" --tables "$tmp/tables" --out "$tmp/$s.q.h5ad"
done
t 'medians of both'                  0 '350 medians from 13 cells with' median "$tmp/h.q.h5ad" "$tmp/m.q.h5ad" --out "$tmp/a.tsv" --report "$tmp/a.json"
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
# A file per sample, joined in any order.
for s in h m; do
	t "a partial of sample $s"       0 "counts in .*bytes" median "$tmp/$s.q.h5ad" --partial "$tmp/$s.median" --report "$tmp/$s.json"
done
t 'both together'                    0 ''           median --merge "$tmp/m.median" "$tmp/h.median" --out "$tmp/j.tsv" --partial "$tmp/j.median" --report "$tmp/j.json"
is 'have the medians of the one run' cmp "$tmp/a.tsv" "$tmp/j.tsv"
is 'and its sums'                    test "$(number "$tmp/j.json" n_cells) $(number "$tmp/j.json" n_values)" = "$(number "$tmp/a.json" n_cells) $(number "$tmp/a.json" n_values)"
t 'one of them, and cells'           0 ''           median "$tmp/h.q.h5ad" --merge "$tmp/m.median" --out "$tmp/k.tsv" --partial "$tmp/k.median" --memory 1
is 'too'                             cmp "$tmp/a.tsv" "$tmp/k.tsv"
t 'a partial of all cells'           0 ''           median "$tmp/m.q.h5ad" "$tmp/h.q.h5ad" --partial "$tmp/l.median"
is 'is the joined one'               bash -c "cmp $tmp/j.median $tmp/l.median && cmp $tmp/k.median $tmp/l.median"
t 'a partial joined with nothing'    0 ''           median --merge "$tmp/h.median" --out "$tmp/n.tsv" --partial "$tmp/n.median"
is 'stays as it was'                 bash -c "cmp $tmp/n.median $tmp/h.median && cmp $tmp/n.tsv $tmp/c.tsv"
t 'no sample at all'                 2 'wants files of cells' median --out "$tmp/x"
t 'medians of the counts'            0 ''           median --merge "$tmp/h.median" --normalize count --out "$tmp/o.tsv"
counts() { awk -F, '$1 == "G10" { for (c = 2; c <= 9; c++) if ($c) print $c }' "$tmp/h.csv" | sort -g |
	awk '{ v[NR] = $1 } END { printf "%d\t%.10g\n", NR, (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'; }
is 'agree with a plain sort'         test "$(awk '$1 == "ENSG00000000010" { printf "%d\t%.10g\n", $2, $3 }' "$tmp/o.tsv")" = "$(counts)"
head -c 100 "$tmp/h.median" >"$tmp/cut.median"
t 'a partial that is cut'            3 'cut.median.: .*ends too early' median --merge "$tmp/m.median" "$tmp/cut.median" --out "$tmp/x"
t 'a file of something else'         3 'is no partial of median' median --merge "$tmp/a.tsv" --out "$tmp/x"
t 'a file that is not there'         3 'cannot open' median --merge "$tmp/none" --out "$tmp/x"
t 'nothing asked for'                2 'out is missing' median "$tmp/h.q.h5ad"
is 'an open file can be the output'  bash -c "median --merge $tmp/m.median $tmp/h.median --out /dev/fd/1 >$tmp/p.tsv && cmp $tmp/a.tsv $tmp/p.tsv"
t 'no memory allowed'                2 'memory is 1 to'  median "$tmp/h.q.h5ad" --memory 0 --out "$tmp/x"
t 'no input'                         2 'wants'           median --out "$tmp/x"
is 'and nothing was written'         test ! -e "$tmp/x" -a -z "$(find "$tmp" -name "median-*")"
t 'a full disk'                      1 'cannot write'    median "$tmp/h.q.h5ad" --out /dev/full
end
