#!/bin/bash
# qc-filter: both presets, every threshold, the numbers of the report and the table of cells.
. "$SRC/tests/tool.sh"
. "$SRC/tests/bin-src/corpus.sh"
qc=(qc-filter --tables "$tmp/tables" --out "$tmp/q.h5ad" --report "$tmp/q.json" --cells "$tmp/q.tsv")
verdicts() { tail -n +2 "$tmp/q.tsv" | cut -f10 | sort | uniq -c | awk '{ printf "%s%s %s", s, $1, $2; s = ", " }'; }

is 'the samples are imported'        corpus_files
t 'the rules of the paper'           0 '8 of 9 cells kept' "${qc[@]}" "$tmp/h.h5ad"
is 'the cell of 100 genes goes'      test "$(verdicts)" = '1 P1, 8 kept'
is 'and has no z'                    grep -qP '^cell9\t\d+\t\d+\t\d+\t-\t-\t-\t\d+\t\d+\tP1\th$' "$tmp/q.tsv"
is 'the report says how many'        test "$(number "$tmp/q.json" kept)" = 8
is 'core genes are counted'          test "$(number "$tmp/q.json" genes_core)" = 280
cp "$tmp/q.h5ad" "$tmp/raw.h5ad"
t 'of a mapped file'                 0 '' homolog-map "$tmp/h.h5ad" --tables "$tmp/tables" --out "$tmp/hm.h5ad"
t 'the same cells'                   0 '' "${qc[@]}" "$tmp/hm.h5ad"
is 'are the same bytes'              cmp "$tmp/q.h5ad" "$tmp/raw.h5ad"
t 'a lower bound of the total'       0 '7 of 9' "${qc[@]}" "$tmp/h.h5ad" --z-max 2.5
is 'drops the cell with more counts' test "$(verdicts)" = '1 P1, 7 kept, 1 z_total'
t 'fewer genes are enough'           0 '9 of 9' "${qc[@]}" "$tmp/h.h5ad" --min-genes 50
t 'more coding genes'                0 '0 of 9' "${qc[@]}" "$tmp/h.h5ad" --min-coding 281
t 'a larger sample'                  0 'no cell is left' "${qc[@]}" "$tmp/h.h5ad" --min-cells 9
is 'drops it whole'                  test "$(verdicts)" = '1 P1, 8 P2'
t 'less mitochondrial'               0 '' "${qc[@]}" "$tmp/h.h5ad" --mito-max 0
is 'drops cells with any'            grep -qw P4 "$tmp/q.tsv"
t "the authors' script"              0 '9 of 9' "${qc[@]}" "$tmp/h.h5ad" --preset official-code
is 'has no P1'                       test "$(verdicts)" = '9 kept'
grep -v MT-5 "$tmp/h.csv" >"$tmp/n.csv"
is 'cells without mitochondrial genes' import "$tmp/n.csv" --species human --sample n --out "$tmp/n.h5ad"
t 'are all lost to the script'       0 'no cell is left' "${qc[@]}" "$tmp/n.h5ad" --preset official-code
t 'but not when z is 0'              0 '9 of 9' "${qc[@]}" "$tmp/n.h5ad" --preset official-code --constant-z zero
t 'nor by the paper'                 0 '8 of 9' "${qc[@]}" "$tmp/n.h5ad"
t 'who could lose them too'          0 '0 of 9' "${qc[@]}" "$tmp/n.h5ad" --constant-z nan
t 'only core genes'                  0 '' "${qc[@]}" "$tmp/h.h5ad" --core-only
is 'make a smaller file'             test "$(stat -c %s "$tmp/q.h5ad")" -lt "$(stat -c %s "$tmp/raw.h5ad")"

t 'an unknown preset'                2 'preset'       "${qc[@]}" "$tmp/h.h5ad" --preset strict
t 'z of nothing'                     2 'z-max'        "${qc[@]}" "$tmp/h.h5ad" --z-max 0
t 'a share of two'                   2 'mito-max'     "${qc[@]}" "$tmp/h.h5ad" --mito-max 2
t 'minus two genes'                  2 'min-genes'    "${qc[@]}" "$tmp/h.h5ad" --min-genes -2
t 'a file of other tables'           3 'not in the tables' bash -c "grep -v ENSG00000000005 $tmp/tables/genes.tsv | grep -v 'g5\s' >$tmp/genes.tsv; qc-filter --tables $tmp $tmp/hm.h5ad --out $tmp/x"
is 'and nothing was written'         test ! -e "$tmp/x"
t 'a full disk'                      1 'cannot write' qc-filter "$tmp/h.h5ad" --tables "$tmp/tables" --out "$tmp/y" --cells /dev/full
t 'and for the report'               1 'cannot write' qc-filter "$tmp/h.h5ad" --tables "$tmp/tables" --out "$tmp/y" --report /dev/full
end
