#!/bin/bash
# corpus-ledger: every promise of the plan, and an account of cells that adds up.
. "$SRC/tests/tool.sh"
cd "$tmp" || exit 1
sum=0d729bd7a9e4d8f5a8ccc167f222530f4ece8d334b939d21b796bd77daf967f2
head='sample\taccession\tspecies\ttissue\tsource\tkind\twhere\tbytes\tsha256\tlicence\tchemistry\tnote'
good=("lung GSE1 human lung GEO counts inputs:a/lung.csv 5 $sum CC0 10x -"
	'brain E-MTAB-25 mouse brain ArrayExpress counts inputs:b - - CC0 indrop -'
	'reads SRR123456 human - SRA reads SRR123456_SRR123457 - - CC0 10xv2 -'
	'pairs CRA000123 human - CNCB reads https://h.invalid/1_https://h.invalid/2 10 - CC0 10xv3 -'
	'web 01234567-89ab-cdef-0123-456789abcdef mouse - CELLxGENE counts https://h.invalid/x 7 - CC0 - -'
	'later GSM12 human - GEO accession - - - CC0 - -')
# A blank ends a field of the arrays above; inside a field `_` stands for one.
table() { # row...
	printf "$head\n"
	printf '%s\n' "$@" | awk -v OFS='\t' '{ $1 = $1; gsub("_", " ", $7); print }'
}
table "${good[@]}" >plan.tsv
t 'a good plan'                          0 '6 samples: 3 of counts, 2 of reads, 1 of which only' corpus-ledger plan.tsv
t 'its sizes are added'                  0 '22 bytes and 3 samples of unknown size' corpus-ledger plan.tsv
t 'an empty plan is one'                 0 '0 samples' corpus-ledger

bad() { # sentence pattern field value [row]
	table "${good[@]}" | awk -F '\t' -v OFS='\t' -v f="$3" -v v="$4" -v r="${5:-1}" 'NR == r + 1 { $f = v } 1' >bad.tsv
	t "$1" 3 "$2" corpus-ledger bad.tsv
}
bad 'a sample with a slash'              "'bad.tsv': row 1, column 'sample': .*'a/b'"   1 a/b
bad 'a sample that stands twice'         "row 2, column 'sample': stands twice"         1 lung 2
bad 'an accession of another archive'    "row 1, column 'accession': .*'SRP00001'"      2 SRP00001
bad 'a run is no accession of GEO'       "column 'accession'"                           2 SRR123456
bad 'an accession without digits'        "column 'accession'"                           2 GSE
bad 'an accession with a tail'           "column 'accession'"                           2 GSE1x
bad 'ArrayExpress with another form'     "row 2, column 'accession'"                    2 E-mtab-25 2
bad 'a UUID that is cut'                 "row 5, column 'accession'"                    2 01234567-89ab-cdef-0123-456789abcde 5
bad 'no accession, in an archive'        "row 6, column 'accession': not as"            2 - 6
table 'later - human - other accession - - - CC0 - -' >bad.tsv
t 'neither files nor an accession'       3 "row 1, column 'accession': neither"         corpus-ledger bad.tsv
bad 'an unknown species'                 "column 'species': .*'rat'"                    3 rat
bad 'an empty tissue'                    "column 'tissue': empty"                       4 ''
bad 'an unknown archive'                 "column 'source': no such archive: 'Attic'"    5 Attic
bad 'an unknown kind'                    "column 'kind': .*'cells'"                     6 cells
bad 'counts at a run'                    "column 'where': counts lie"                   7 SRR123456
bad 'counts at no place'                 "column 'where': counts lie"                   7 -
bad 'a URL of another protocol'          "column 'where'"                               7 ftp://h.invalid/x 5
bad 'a URL without a host'               "column 'where'"                               7 https:///x 5
bad 'reads at a page and a run'          "row 3, column 'where': reads are"             7 'SRR123456 https://h.invalid/x' 3
bad 'an odd number of read files'        "row 4, column 'where': reads come in pairs"   7 https://h.invalid/1 4
bad 'an accession with two pages'        "row 6, column 'where': an accession has one"  7 'https://h.invalid/1 https://h.invalid/2' 6
bad 'a size with a unit'                 "column 'bytes': .*'5MB'"                      8 5MB
bad 'a size of nothing'                  "column 'bytes': .*'0'"                        8 0
bad 'a size beyond belief'               "column 'bytes'"                               8 99999999999999999
bad 'a size of files that are not named' "row 6, column 'bytes': no files are listed"   8 5 6
bad 'a short sum'                        "column 'sha256': not a SHA-256"               9 abc
bad 'a sum of two files'                 "row 4, column 'sha256': a sum is of one"      9 $sum 4
bad 'a sum without a size'               "row 2, column 'sha256': a sum is of one"      9 $sum 2
bad 'no licence'                         "column 'licence'"                             10 -
bad 'an unknown chemistry'               "column 'chemistry': no such .*'10xv9'"        11 10xv9
bad 'reads of a chemistry without a layout' "row 3, column 'chemistry': reads cannot be counted with 'smartseq'" 11 smartseq 3
bad 'reads without a chemistry'          "row 3, column 'chemistry'"                    11 - 3
cut -f1-10,12 plan.tsv >bad.tsv
t 'a column is missing'                  3 "no column 'chemistry'" corpus-ledger bad.tsv
{ cat plan.tsv; printf 'x\ty\n'; } >bad.tsv
t 'a row with too few fields'            3 "line 8 has 2 fields" corpus-ledger bad.tsv
t 'no such table'                        3 "none.tsv" corpus-ledger none.tsv

inputs() { # path bytes sum
	printf 'path\tbytes\tsha256\tneed\tlicence\tsources\tnote\n'
	printf '%s\t%s\t%s\toptional\tCC0\t-\t-\n' "$@"
}
other=${sum//0/1}
inputs a/lung.csv 5 $sum b/x 3 $sum b/y 4 $sum >in.tsv
t 'inputs as the plan has them'          0 '' corpus-ledger plan.tsv --inputs in.tsv
inputs a/lung.csv 6 $sum b/x 3 $sum >in.tsv
t 'an input of another size'             3 "column 'bytes': 5, but the inputs have 6" corpus-ledger plan.tsv --inputs in.tsv
inputs a/lung.csv 5 "$other" b/x 3 $sum >in.tsv
t 'an input of another sum'              3 "row 1, column 'sha256'" corpus-ledger plan.tsv --inputs in.tsv
inputs a/lung.csv 5 $sum bb/x 3 $sum >in.tsv
t 'a folder that is not among the inputs' 3 "row 2, column 'where': no such input: 'b'" corpus-ledger plan.tsv --inputs in.tsv

samples() { printf 'sample\tpath\tspecies\tlabels\tlabel_column\tprofiles\tnote\n'; printf '%s\t%s\t%s\t-\t-\t%s\t-\n' "$@"; }
samples lung a/lung.csv human demo away x human - >s.tsv
t 'samples as the plan has them'         0 '' corpus-ledger plan.tsv --samples s.tsv
samples away x human demo >s.tsv
t 'a sample that is not planned'         3 "row 1: sample 'away' is not in the plan" corpus-ledger plan.tsv --samples s.tsv
samples lung a/lung.csv mouse demo >s.tsv
t 'a sample of another species'          3 "row 1, column 'species'" corpus-ledger plan.tsv --samples s.tsv
samples lung a/lung.h5 human demo >s.tsv
t 'a sample at another path'             3 "row 1, column 'where'" corpus-ledger plan.tsv --samples s.tsv

# --- the account ---
printf 'what\tcells\tsource\nhuman\t100\tx\nmouse\t20\tx\ntotal\t120\tx\n' >ref.tsv
stage() { # stage sample [report]
	mkdir -p "r/$1/$2"
	: >"r/$1/$2/MANIFEST.tsv"
	if [ -n "${3:-}" ]; then echo "$3" >"r/$1/$2/report.json"; fi
}
filtered() { # sample in P1 P4 kept
	stage qc-filter "$1" "{\"cells_in\": $2, \"dropped\": {\"P1\": $3, \"P4\": $4}, \"kept\": $5}"
}
fresh() {
	rm -rf r
	stage import lung '{"n_source_cells": 12, "n_cells": 10, "species": "human"}'
	filtered lung 10 1 2 7
	stage import brain '{"n_source_cells": 3, "n_cells": 3, "species": "mouse"}'
	filtered brain 3 0 3 0
	stage import web
	stage qc-filter web
	stage import mine '{"n_source_cells": 4, "n_cells": 4, "species": "mouse"}'
	filtered mine 4 0 1 3
	stage import pairs '{"n_source_cells": 4, "n_cells": 4, "species": "human"}'
}
ledger() { corpus-ledger plan.tsv --results r --reference ref.tsv --out l.tsv --sums s.tsv --report l.json; }
row() { grep "^$1	" "$2" | tr '\t' ' '; }
fresh
t 'a ledger'                             0 'total: 2 samples kept, 2 lost, 3 open; 10 of 21 cells kept; the paper has 120, distance -110' ledger
is 'cells after each rule'               test "$(row lung l.tsv)" = 'lung GSE1 human kept 12 10 9 7 7 -'
is 'a sample that lost all says by which rule' test "$(row brain l.tsv)" = 'brain E-MTAB-25 mouse lost 3 3 3 0 0 rule P4 took the last of its cells'
is 'one whose input could not be had'    test "$(row web l.tsv | cut -d' ' -f4-)" = 'lost 0 0 0 0 0 its input could not be had'
is 'one whose files nobody listed'       test "$(row later l.tsv | cut -d' ' -f4-)" = 'open 0 0 0 0 0 its files are not listed yet'
is 'one that this run did not take'      test "$(row reads l.tsv | cut -d' ' -f4-)" = 'open 0 0 0 0 0 not part of this run'
is 'one that is on its way'              test "$(row pairs l.tsv | cut -d' ' -f4-)" = 'open 4 4 0 0 0 imported, not filtered yet'
is 'one of our own'                      test "$(row mine l.tsv)" = 'mine - mouse kept 4 4 4 3 3 -'
is 'sums by species'                     test "$(row human s.tsv), $(row mouse s.tsv)" = \
	'human 1 0 3 16 14 9 7 7 100 -93, mouse 1 2 0 7 7 7 3 3 20 -17'
is 'and in all'                          test "$(row total s.tsv)" = 'total 2 2 3 23 21 16 10 10 120 -110'
filtered lung 10 1 2 8
t 'cells that do not add up'             4 'keeps 8 cells, its rules leave 7' ledger
filtered lung 10 1 12 0
t 'more dropped than there were'         4 "rule 'P4' dropped 12 of 9" ledger
filtered lung 11 1 2 8
t 'a filter that read other cells'       4 'read 11 cells, import left 10' ledger
fresh; rm r/import/lung/report.json
t 'a filter without an import'           4 'no report of import' ledger
fresh; stage import lung '{"n_source_cells": 12, "n_cells": 10, "species": "mouse"}'
t 'cells of another species'             4 'mouse cells, but the plan says human' ledger
fresh; stage import lung '{"n_source_cells": 12, "n_cells": -1}'
t 'a number below nothing'               3 "no number of cells 'n_cells'" ledger
fresh; stage import lung '{"n_source_cells": 12'
t 'a report that is cut'                 3 'import/lung/report.json' ledger
fresh; stage qc-filter brain '{"cells_in": 3, "dropped": {"P4": 0, "P1": 3}, "kept": 0}'
t 'rules in another order'               3 "has rule 'P1' where other samples have 'P4'|has rule 'P4' where other samples have 'P1'" ledger
fresh; sed -i 's/120/121/' ref.tsv
t 'published numbers that do not add up' 3 'do not add up' ledger
t 'a full disk'                          1 'cannot write' corpus-ledger --results r --reference "$SRC/reference/corpus.tsv" --out /dev/full
t 'a ledger without results'             2 'wants --results' corpus-ledger plan.tsv --out x
t 'results without a place for it'       2 'out is missing' corpus-ledger plan.tsv --results r

# --- the project's own ---
t 'the plan of this project'             0 '' corpus-ledger "$SRC"/manifests/corpus/*.tsv --inputs "$SRC"/manifests/inputs/*.tsv --samples "$SRC/manifests/samples.tsv"
t 'its published numbers'                0 'total: .* the paper has 101768420, distance -101768420' \
	corpus-ledger --results none --reference "$SRC/reference/corpus.tsv" --out l.tsv
if [ -n "${SHARED:-}" ] && [ -e "$SHARED/data/SOURCES.tsv" ]; then
	grep -oE '\b(GS[EM]|[SED]R[PSXR])[0-9]+|\bE-[A-Z]{4}-[0-9]+' "$SHARED/data/SOURCES.tsv" | sort -u >known
	cat "$SRC"/manifests/corpus/*.tsv | grep -oE '\b(GS[EM]|[SED]R[PSXR])[0-9]+|\bE-[A-Z]{4}-[0-9]+' | sort -u >planned
	is 'every accession of the shared data is planned' test -z "$(comm -23 known planned)"
	is 'and there are some'              test "$(wc -l <known)" -gt 10
else
	skip 'every accession of the shared data is planned' 'no shared data'
fi
end
