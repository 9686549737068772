# arrow-import, and tokenize --format arrow: refusals here; folders of ours and of others through the
# readers of pyarrow and datasets in tests/arrow-datasets.py.
. "$SRC/tests/tool.sh"
. "$SRC/tests/bin-src/corpus.sh"
golden=$SRC/reference/golden/corpus/arrow

t 'no folder'                    2 'wants DATASET'   arrow-import --out "$tmp/x"
t 'no --out'                     2 'out is missing'  arrow-import "$golden/patch1"
t 'no cells in a shard'          2 'cells-per-shard' arrow-import "$golden/patch1" --out "$tmp/x" --cells-per-shard 0
t 'a folder that is not there'   3 'nothere'         arrow-import "$tmp/nothere" --out "$tmp/x"
t 'a golden dataset'             0 'cells with'      arrow-import "$golden/patch1" --out "$tmp/p" --report "$tmp/p.json"
t 'its tokens'                   0 ''                shard-dump "$tmp/p" --out "$tmp/p.tsv"
is 'are those of the report'     test "$(($(wc -l <"$tmp/p.tsv") - 1))" = "$(number "$tmp/p.json" n_tokens)"
t 'the same again, small shards' 0 ''                arrow-import "$golden/patch1" --out "$tmp/q" --cells-per-shard 1 --threads 1
t 'its tokens'                   0 ''                shard-dump "$tmp/q" --out "$tmp/q.tsv"
is 'are the same'                cmp "$tmp/p.tsv" "$tmp/q.tsv"
t 'two folders'                  0 ''                arrow-import "$golden/patch1" "$golden/patch1" --out "$tmp/two"
is 'have twice the cells'        test "$(wc -l <"$tmp/two/cells.tsv")" = $((2 * $(wc -l <"$tmp/p/cells.tsv") - 1))
copy() { rm -rf "$tmp/c"; cp -r "$golden/patch1" "$tmp/c"; chmod -R u+w "$tmp/c"; }
copy; truncate -s 900 "$tmp"/c/data-00000-of-*.arrow
t 'a cut file'                   3 'data-00000'      arrow-import "$tmp/c" --out "$tmp/x"
copy; rm "$tmp"/c/data-00000-of-*.arrow
t 'a file that is missing'       3 'cannot open'     arrow-import "$tmp/c" --out "$tmp/x"
copy; echo '{"_data_files": [{"filename": "../data.arrow"}]}' >"$tmp/c/state.json"
t 'a name that leads elsewhere'  3 'no plain name'   arrow-import "$tmp/c" --out "$tmp/x"
copy; echo '{' >"$tmp/c/state.json"
t 'a damaged list of files'      3 'state.json'      arrow-import "$tmp/c" --out "$tmp/x"
is 'refusals write nothing'      test ! -e "$tmp/x"
full() { (trap '' XFSZ; ulimit -f 1; exec "$@"); }
t 'a full disk'                  1 'cannot write'    full arrow-import "$golden/patch1" --out "$tmp/x"
is 'leaves nothing'              bash -c "! ls '$tmp/x' 2>/dev/null | grep ."

corpus_files
awk 'BEGIN { print "barcode\tlabel"; for (i = 1; i <= 9; i++) print "cell" i "\t" (i % 2 ? "T cell" : "B\xc3\xa9ta") }' >"$tmp/l.tsv"
q() { import "$tmp/$1.csv" --species "$2" --sample "$1" --labels "$tmp/l.tsv" --out "$tmp/$1.h5ad" --quiet && qc-filter "$tmp/$1.h5ad" --tables "$tmp/tables" --out "$tmp/$1.q.h5ad" --quiet; }
is 'two samples'                 bash -c "$(declare -f q); tmp='$tmp'; q h human && q m mouse"
t 'a dictionary'                 0 '' vocab --tables "$tmp/tables" --out "$tmp/v.tsv"
t 'medians'                      0 '' median "$tmp/h.q.h5ad" "$tmp/m.q.h5ad" --out "$tmp/med.tsv"
tok() { tokenize "${@:2}" --vocab "$tmp/v.tsv" --medians "$tmp/med.tsv" --out "$1" --quiet; }
t 'shards'                       0 '' tok "$tmp/shards" "$tmp/h.q.h5ad" "$tmp/m.q.h5ad"
t 'the same as a dataset'        0 '' tok "$tmp/arrow" "$tmp/h.q.h5ad" "$tmp/m.q.h5ad" --format arrow --labels --cells-per-shard 5
t 'which is read back'           0 '13 cells' arrow-import "$tmp/arrow" --out "$tmp/back"
for s in h m; do
	tok "$tmp/$s" "$tmp/$s.q.h5ad" && shard-dump "$tmp/$s" --out "$tmp/$s.tsv" --quiet
done
t 'dumped'                       0 '' shard-dump "$tmp/back" --out "$tmp/back.tsv"
is 'the same tokens and values'  diff <(tail -qn +2 "$tmp/h.tsv" "$tmp/m.tsv" | cut -f2-) <(tail -n +2 "$tmp/back.tsv" | cut -f2-)
is 'the same labels'             diff <(cut -f4,5,6 "$tmp/shards/cells.tsv") <(cut -f4,5,6 "$tmp/back/cells.tsv")

if "$PYTHON" -c 'import pyarrow, numpy' 2>/dev/null; then
	"$PYTHON" -W ignore "$SRC/tests/arrow-datasets.py" "$BIN" "$tmp" >"$tmp/py.tap" 2>"$tmp/py.err"
	while read -r line; do
		case $line in
		'ok '*'# SKIP '*) skip "$(sed 's/.*# SKIP //; s/: .*//' <<<"$line")" "${line##*: }" ;;
		'ok '*) verdict 0 "${line#* - }" ;;
		'not ok '*) verdict 1 "${line#* - }" ;;
		*' passed, '*) finished=yes ;;
		esac
	done <"$tmp/py.tap"
	is 'pyarrow and datasets came to an end' test "${finished:-no}" = yes
	if [ "${finished:-no}" = no ]; then sed 's/^/# /' "$tmp/py.err"; fi
else
	skip 'pyarrow reads our folder' 'no pyarrow package in .venv (make venv)'
fi
end
