#!/bin/bash
# homolog-map: names to ids, homologs summed, what is of no gene counted.
. "$SRC/tests/tool.sh"
. "$SRC/tests/bin-src/corpus.sh"

is 'the samples are imported'        corpus_files
t 'human cells are mapped'           0 'of no gene dropped' homolog-map "$tmp/h.h5ad" --tables "$tmp/tables" --out "$tmp/hm.h5ad" --report "$tmp/h.json"
is 'one column is of no gene'        test "$(number "$tmp/h.json" columns_unmatched)" = 1
is 'an older name is known'          test "$(number "$tmp/h.json" genes_mapped)" = 300
t 'mouse cells are mapped'           0 '' homolog-map "$tmp/m.h5ad" --tables "$tmp/tables" --out "$tmp/mm.h5ad" --report "$tmp/m.json"
is 'with 250 homologs'               test "$(number "$tmp/m.json" columns_homolog)" = 250
is 'two of which are one gene'       test "$(number "$tmp/m.json" columns_merged)" = 1
gzip -kf "$tmp/tables/genes.tsv"; mkdir "$tmp/gz"; mv "$tmp/tables/genes.tsv.gz" "$tmp/gz"; cp "$tmp/tables/aliases.tsv" "$tmp/gz"
t 'tables may be compressed'         0 '' homolog-map "$tmp/m.h5ad" --tables "$tmp/gz" --out "$tmp/mz.h5ad"
is 'and give the same bytes'         cmp "$tmp/mm.h5ad" "$tmp/mz.h5ad"
t 'a file that is mapped'            3 'is mapped already' homolog-map "$tmp/mm.h5ad" --tables "$tmp/tables" --out "$tmp/x"
t 'no tables'                        2 'tables is missing' homolog-map "$tmp/m.h5ad" --out "$tmp/x"
t 'no --out'                         2 'out is missing'    homolog-map "$tmp/m.h5ad" --tables "$tmp/tables"
t 'a folder without tables'          3 'neither genes.tsv' homolog-map "$tmp/m.h5ad" --tables "$tmp" --out "$tmp/x"
t 'a file that is no h5ad'           3 'cannot read'       homolog-map "$tmp/m.csv" --tables "$tmp/tables" --out "$tmp/x"
t 'a file that is not there'         3 'No such file'      homolog-map "$tmp/none" --tables "$tmp/tables" --out "$tmp/x"
is 'and nothing was written'         test ! -e "$tmp/x"
t 'a full disk'                      1 ''                  homolog-map "$tmp/m.h5ad" --tables "$tmp/tables" --out "$tmp/y" --report /dev/full
t 'help'                             0 ''                  homolog-map --help
end
