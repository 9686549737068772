#!/bin/bash
# plan: rates and formulas to numbers, each with where it comes from; and rates from the logs of a run.
. "$SRC/tests/tool.sh"
cd "$tmp" || exit 1
row() { awk -F '\t' -v OFS='\t' -v n="$1" '$2 == n { print $3, $4 }' "$2" | tr '\t' ' '; }

# --- made-up rates ---
rates() { printf 'name\tvalue\tunit\tsource\n'; printf '%s\t%s\t%s\ta book\n' "$@"; }
formulas() { printf 'name\tunit\tformula\tsource\n'; printf '%s\t%s\t%s\t-\n' "$@"; }
rates bytes_per_cell 5000 B cells_per_s 250 cells/s >r.tsv
formulas cells cells 1000000 bytes B 'cells * bytes_per_cell' hours core-h 'cells / cells_per_s / 3600' \
	all B '2 * bytes + 3 * cells - 1 * 4' >f.tsv
t 'a plan'                           0 '' plan --rates r.tsv --formulas f.tsv --out p.tsv
is 'products'                        test "$(row bytes p.tsv)" = '5e+09 B'
is 'quotients, from the left'        test "$(row hours p.tsv)" = '1.11111 core-h'
is 'sums of them'                    test "$(row all p.tsv)" = '1.0003e+10 B'
is 'rates stand in it too'           test "$(row bytes_per_cell p.tsv)" = '5000 B'
t 'for people'                       0 '' plan --rates r.tsv --formulas f.tsv
is 'with formulas'                   grep -qE '^  bytes +5 GB  = cells \* bytes_per_cell' "$tmp/.stdout"
is 'and sources'                     grep -qE '^  bytes_per_cell +5 kB  a book$' "$tmp/.stdout"
rates cells_per_s 500 cells/s >r2.tsv
t 'later rates win'                  0 '' plan --rates r.tsv r2.tsv --formulas f.tsv --out p2.tsv --rates-out used.tsv
is 'over earlier ones'               test "$(row hours p2.tsv)" = '0.555556 core-h'
t 'the rates that were used'         0 '' plan --rates used.tsv --formulas f.tsv --out p3.tsv
is 'make the same plan'              cmp p2.tsv p3.tsv

bad() { # sentence pattern formula
	formulas cells cells 10 x B "$3" >b.tsv
	t "$1" 3 "'b.tsv': row 'x': $2" plan --rates r.tsv --formulas b.tsv --out x
}
bad 'a name that is not there'       "there is no rate 'speed'" 'cells * speed'
bad 'its own name'                   "there is no rate 'x'"     'x * 2'
bad 'a division by nothing'          'a division by 0'          'cells / 0'
bad 'less than nothing'              'it gives -3'              '7 - cells'
bad 'more than a double holds'       'it gives inf'             '1e300 * 1e300'
bad 'half a formula'                 'the formula ends too early' 'cells *'
bad 'two numbers side by side'       "'cells' is not"           '2 cells'
bad 'another operator'               "'\^ 2' is not"            'cells ^ 2'
bad 'no formula'                     'the formula ends too early' ' '
formulas x B 1 x B 2 >b.tsv
t 'a row twice'                      3 "a row of that name already" plan --rates r.tsv --formulas b.tsv
formulas Cells B 1 >b.tsv
t 'a name with a capital'            3 'no name of a row'       plan --rates r.tsv --formulas b.tsv
rates cells_per_s fast cells/s >b.tsv
t 'a rate that is no number'         3 "'fast' is no number"    plan --rates b.tsv --formulas f.tsv
rates cells_per_s 0 cells/s >b.tsv
t 'a rate of nothing'                3 'not a number above 0'   plan --rates b.tsv --formulas f.tsv
t 'a table without a column'         3 "no column 'formula'"    plan --rates r.tsv --formulas r.tsv
t 'no rates at all'                  2 'wants --from or --rates' plan --formulas f.tsv
t 'a full disk'                      1 'cannot write'           plan --rates r.tsv --formulas f.tsv --out /dev/full
is 'and nothing was written'         test ! -e x

# --- the logs of a run: two samples, one that could not be had ---
stage() { # folder report cpu file bytes
	mkdir -p "r/$1"
	echo "$2" >"r/$1/report.json"
	printf 'tool\t9.0\t%s\t1000\n' "$3" >"r/$1/time.log"
	[ -z "$4" ] || head -c "$5" /dev/zero >"r/$1/$4"
	manifest "r/$1" --quiet --stage "$1"
}
stage import/a '{"n_cells": 100, "bytes": 7000}' 0.5 cells.h5ad 3000
stage import/b '{"n_cells": 300, "bytes": 5000}' 1.5 cells.h5ad 1000
mkdir -p r/import/gone && manifest r/import/gone --quiet --stage import/gone
stage homolog-map/a '{"n_cells": 100}' 1 cells.h5ad 500
stage qc-filter/a '{"cells_in": 100, "kept": 50}' 2 cells.h5ad 500
stage median-part/a '{"n_cells": 50}' 0.25 cells.median 100
stage median '{"n_cells": 50}' 0.5 medians.tsv 100
stage tokenize '{"n_cells": 50, "n_tokens": 5500}' 0.75 shard-00000.h5 1000
t 'rates from logs'                  0 '' plan --from r --formulas f.tsv --rates r.tsv --out p.tsv
is 'bytes to fetch a cell'           test "$(row source_bytes_per_cell p.tsv)" = '30 B'
is 'bytes of an imported cell'       test "$(row import_bytes_per_cell p.tsv)" = '10 B'
is 'time of one'                     test "$(row import_cpu_s_per_cell p.tsv)" = '0.005 s'
is 'filtering is paid for all cells' test "$(row filter_cpu_s_per_cell p.tsv)" = '0.02 s'
is 'and what it leaves lies on disk' test "$(row filter_bytes_per_cell p.tsv)" = '10 B'
is 'tokens of a cell'                test "$(row tokens_per_cell p.tsv)" = '110 tokens'
is 'shards'                          test "$(row tokenize_bytes_per_cell p.tsv)" = '20 B'
is 'with the cells and the logs they come from' grep -qP '^rate\timport_cpu_s_per_cell\t.*\t2 s for 400 cells in 2 stages, logs of r/import$' p.tsv
is 'SHA-256 was measured'            awk -F '\t' '$2 == "sha256_bytes_per_s" && $3 > 1e7 { n++ } END { exit n != 1 }' p.tsv
rates gpu_built_cells_per_s 100 cells/s gpu_target_cells_per_s 200 cells/s >gpu.tsv
t 'the plan of this project'         0 '' plan --from r --rates gpu.tsv --formulas "$SRC/reference/plan.tsv" --out p.tsv
# By hand: 126,000,000 cells at 0.005 s; 3 passes of 101,768,420 cells at 100 a second.
is 'core-hours'                      test "$(row import_core_hours p.tsv)" = '175 core-h'
is 'bytes'                           test "$(row source_bytes p.tsv)" = '3.78e+09 B'
is 'GPU-hours'                       test "$(row train_gpu_hours_built p.tsv)" = '848.07 GPU-h'
is 'and every row has a source or a formula' awk -F '\t' 'NR > 1 && ($5 == "" || ($1 == "rate" && $6 == "")) { bad = 1 } END { exit bad }' p.tsv
# -o: programs as they are, for building them with these flags is another matter.
make_plan() { make -C "$SRC" --no-print-directory -o "$B/bin/plan" -o "$B/bin/manifest" plan PROFILE=full B="$B" R="$tmp/full" "$@"; }
t 'make plan'                        0 '' make_plan plan_from="$tmp/r" plan_rates="$tmp/gpu.tsv"
is 'prints it'                       grep -qE '^  train_gpu_hours_built +848.1 GPU-h  = cells_kept \* epochs / gpu_built_cells_per_s / 3600' "$tmp/.stdout"
is 'and closes the stage'            test -s full/plan/plan.tsv -a -s full/plan/rates.tsv -a -s full/plan/MANIFEST.tsv
t 'without a measured GPU'           0 '' make_plan plan_from="$tmp/r"
is 'it says where the number is from' grep -qE 'gpu_target_cells_per_s +[0-9]+ cells/s  .*modelled in docs/gpu-plan.txt, not measured' "$tmp/.stdout"
t 'a folder without a corpus'        2 "has no closed stage 'import'" make_plan plan_from="$tmp"
rm -r r/tokenize
t 'a corpus that is not done'        3 "'r' has no closed stage 'tokenize'" plan --from r --formulas f.tsv
stage tokenize '{"n_tokens": 5500}' 0.75 shard-00000.h5 1000
t 'a report without cells'           3 "has no number 'n_cells'" plan --from r --formulas f.tsv
echo 'tool	fast' >r/import/a/time.log
t 'a log that is none'               3 'line 1 is no cost' plan --from r --formulas f.tsv
end
