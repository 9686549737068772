# trace: from a row, a file or a figure back to the raw bytes, and from a cell on.
. "$SRC/tests/tool.sh"
. "$SRC/tests/bin-src/audit-fake.sh"
cd "$tmp" || exit 1
fake_results "$tmp/r"
sum() { sha256sum <"$1" | cut -c1-64; }
has() { grep -qxF "$1" "$tmp/.stdout" || { echo "no line '$1' in:"; cat "$tmp/.stdout"; false; }; }

t 'a score'                               0 '' trace r/annotate/metrics.tsv:2
is 'is shown field by field'              grep -q '^row	annotate/metrics.tsv:2	-	-	task=annotate dataset=lung method=majority .*value=0.5 n=2$' "$tmp/.stdout"
is 'leads to both predictions behind it'  test "$(grep -c '^prediction	annotate/predictions.tsv:[23]	' "$tmp/.stdout")" = 2
is 'to the weights with their sum'        has "weights	pretrain/step-7/model.safetensors	2000	$(sum r/pretrain/step-7/model.safetensors)	-"
is 'to the shards'                        has "shard	tokenize/shard-00000.h5	3000	$(sum r/tokenize/shard-00000.h5)	-"
is 'to the cells of its sample'           has "cells	import/lung/cells.h5ad	4000	$(sum r/import/lung/cells.h5ad)	-"
is 'to the file from outside, its address and licence' has \
	"source	sc/lung.csv.gz	$(stat -c %s r.cache/view/sc/lung.csv.gz)	$(sum r.cache/view/sc/lung.csv.gz)	https://example.org/lung.csv.gz (licence: MIT)"
is 'and no further file'                  test "$(grep -c '^source' "$tmp/.stdout")" = 1
is 'by stages whose manifests are named'  has "read	tokenize/MANIFEST.tsv	$(stat -c %s r/tokenize/MANIFEST.tsv)	$(sum r/tokenize/MANIFEST.tsv)	--max-length 2048"

t 'a prediction'                          0 '' trace r/annotate/predictions.tsv:3
is 'leads to its cell'                    has 'cell	tokenize/cells.tsv:3	-	-	cell 00000000000000ac: Cell_2 of sample lung'
is 'and the place of its tokens'          grep -q '^shard	tokenize/shard-00000.h5	.*row 1 of its cells, from 0$' "$tmp/.stdout"
t 'a figure'                              0 '' trace r/report/scores-01.svg
is 'leads to all that was fetched'        test "$(grep -c '^source' "$tmp/.stdout")" = 2
is 'and the weights'                      grep -q '^weights' "$tmp/.stdout"
t 'a checkpoint'                          0 '' trace r/pretrain/step-7/model.safetensors
is 'leads to the shards, not to scores'   bash -c "grep -q '^shard' '$tmp/.stdout' && ! grep -q annotate '$tmp/.stdout'"
cp -r r elsewhere
t 'in another folder'                     0 '' trace elsewhere/annotate/predictions.tsv:3
cp "$tmp/.stdout" there
trace r/annotate/predictions.tsv:3 >here
is 'the same lines'                       cmp here there
(cd r/annotate && trace predictions.tsv:3) >within
is 'and from within'                      cmp here within

t 'forward, by the id'                    0 '' trace r --from 00000000000000ac
is 'gives the tokens'                     has 'cell	tokenize/cells.tsv:3	-	-	cell 00000000000000ac: Cell_2 of sample lung'
is 'every line about the cell'            grep -q '^line	annotate/predictions.tsv:3	' "$tmp/.stdout"
is 'no line about another'                test "$(grep -c '^line' "$tmp/.stdout")" = 1
is 'the stages that read it'              bash -c "grep -q '^read-by	report/MANIFEST.tsv' '$tmp/.stdout' && grep -q '^imported-by	import/lung' '$tmp/.stdout'"
is 'and none that did not'                bash -c "! grep -qE 'import/gone|fetch/' '$tmp/.stdout'"
cp "$tmp/.stdout" by-id
t 'or by sample and barcode'              0 '' trace r --from lung/Cell_2
is 'the same'                             cmp by-id "$tmp/.stdout"
t '--rows'                                0 '' trace r/annotate/metrics.tsv:2 --rows 1
is 'shows fewer and counts the rest'      grep -q '^prediction	1 more in annotate/predictions.tsv' "$tmp/.stdout"

change_byte elsewhere/pretrain/step-7/model.safetensors
t 'bytes that are not those of the manifest' 4 'not what its manifest says' trace elsewhere/pretrain/step-7/model.safetensors
is 'are said on the way'                  grep -q '^file	.*is NOT what' "$tmp/.stdout"
t 'a line that there is not'              3 'has no line 99' trace r/annotate/metrics.tsv:99
t 'the header'                            2 'first line below the header' trace r/annotate/metrics.tsv:1
t 'no file'                               3 "no file 'r/none'" trace r/none
t 'a file that no stage made'             3 'is no output' trace r/fetch/time.log
: >loose
t 'a file outside all results'            3 'lies in no stage' trace loose
t 'a cell that there is not'              3 "no cell 'lung/Cell_9'" trace r --from lung/Cell_9
t 'a folder that holds no results'        3 'no folder' trace none --from lung/Cell_2
t '--out'                                 2 'stdout only' trace r/annotate/metrics.tsv --out x
end
