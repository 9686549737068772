# manifest: closes a stage's folder, and looks at it again.
. "$SRC/tests/tool.sh"
R=$tmp/results
mkdir -p "$R/tables" "$R/vocab/sub" && cd "$tmp" || exit 1
printf 'id\tname\n' >"$R/tables/genes.tsv"
printf 'one\n' >"$R/vocab/vocab.tsv"
printf 'two\n' >"$R/vocab/sub/größe mit leer.tsv"
printf '3 s\n' >"$R/vocab/time.log"
printf -- '--max 5 --name x\n' >"$R/vocab/params"

close_vocab() {
	manifest "$R/vocab" --stage vocab --params "$R/vocab/params" --param seed=1 \
		--input "$R/tables/MANIFEST.tsv" --base "$R" "$@"
}
t 'closes a folder'                  0 '' manifest "$R/tables" --stage tables
t 'closes one that read another'     0 '' close_vocab
cp "$R/vocab/MANIFEST.tsv" first.tsv
cat >want.tsv <<END
kind	name	bytes	sha256
stage	vocab	-	-
version	$(manifest --version | cut -d' ' -f2)	-	-
param	seed=1	-	-
param	--max 5 --name x	-	-
input	tables/MANIFEST.tsv	$(stat -c %s "$R/tables/MANIFEST.tsv")	$(sha256sum <"$R/tables/MANIFEST.tsv" | cut -c1-64)
output	sub/größe mit leer.tsv	4	$(printf 'two\n' | sha256sum | cut -c1-64)
output	vocab.tsv	4	$(printf 'one\n' | sha256sum | cut -c1-64)
END
is 'every row is what sha256sum says'  diff want.tsv "$R/vocab/MANIFEST.tsv"
sleep 0.01; touch "$R/vocab/vocab.tsv"; printf '4 s\n' >"$R/vocab/time.log"
t 'runs again later'                 0 '' close_vocab --threads 1
is 'equal runs have equal manifests' cmp first.tsv "$R/vocab/MANIFEST.tsv"
cp -r "$R" "$tmp/moved"
t 'runs in a moved folder' 0 '' manifest "$tmp/moved/vocab" --stage vocab \
	--params "$tmp/moved/vocab/params" --param seed=1 --input "$tmp/moved/tables/MANIFEST.tsv" \
	--base "$tmp/moved"
is 'no absolute path is in it'       cmp first.tsv "$tmp/moved/vocab/MANIFEST.tsv"

t 'a good folder passes --check'     0 '' manifest --check "$R/vocab" --base "$R"
printf 'onE\n' >"$R/vocab/vocab.tsv"; : >"$R/vocab/more"; rm "$R/vocab/sub/"*
t 'a changed folder ends with 4'     4 'differs from its manifest in 3 files' manifest --check "$R/vocab"
manifest --check "$R/vocab" >got 2>/dev/null
printf 'extra\tmore\nmissing\tsub/größe mit leer.tsv\nchanged\tvocab.tsv\n' >want
is 'what differs has its name'       diff want got
printf 'x' >>"$R/tables/MANIFEST.tsv"
manifest --check "$R/vocab" --base "$R" >got 2>/dev/null
is 'an input that changed is named'  grep -q 'changed.tables/MANIFEST.tsv' got
: >"$R/vocab/x.tmp"
t 'excluded files stay out'          0 '' manifest "$R/vocab" --stage vocab --exclude '*.tmp' more
is 'of the manifest'                 test -z "$(grep output "$R/vocab/MANIFEST.tsv" | grep -E 'tmp|more')"
t 'and of its check'                 0 '' manifest --check "$R/vocab"
t 'report holds the counts'          0 '' manifest --check "$R/vocab" --report r.json
is 'as JSON'                         python3 -c 'import json; assert json.load(open("r.json"))["n_files"] == 1'

t 'no folder'                        3 "no folder" manifest "$tmp/none" --stage x
t 'no stage'                         2 'stage is missing' manifest "$R/vocab"
t 'a parameter without ='            2 'KEY=TEXT' manifest "$R/vocab" --stage x --param five
t 'an input below no base'           2 'does not lie below' manifest "$R/vocab" --stage x --input first.tsv --base "$R"
t 'an input that is not there'       3 'cannot open' manifest "$R/vocab" --stage x --input "$R/none" --base "$R"
mkdir "$tmp/bare"
t 'a folder without a manifest'      3 "no manifest in" manifest --check "$tmp/bare"
t '--check beside --stage'           2 'goes with' manifest --check "$tmp/bare" --stage x
printf 'junk\n' >"$tmp/bare/MANIFEST.tsv"
t 'a broken manifest'                3 'is no manifest' manifest --check "$tmp/bare"
ln -s /etc/passwd "$R/vocab/link"
t 'a symbolic link'                  3 'symbolic link' manifest "$R/vocab" --stage x
rm "$R/vocab/link"; mkfifo "$R/vocab/pipe"
t 'a pipe'                           3 'no regular file' manifest "$R/vocab" --stage x
rm "$R/vocab/pipe"
if [ -c /dev/full ]; then
	t 'a full disk for the report'   1 'No space left' manifest "$R/vocab" --stage x --report /dev/full
	is 'the device is still there'   test -c /dev/full
	cp "$R/vocab/MANIFEST.tsv" before
	t 'a full disk for the manifest' 1 'No space left' manifest "$R/vocab" --stage x --out /dev/full
	printf 'onE!\n' >"$R/vocab/vocab.tsv"
	ln -sf /dev/full "$R/vocab/MANIFEST.tsv.part"
	t 'a full disk beside it'        1 'No space left' manifest "$R/vocab" --stage x
	is 'leaves the old one'          cmp before "$R/vocab/MANIFEST.tsv"
	t 'a full disk for stdout'       1 'cannot write stdout' bash -c "manifest --check '$R/vocab' >/dev/full"
else
	skip 'a full disk' 'no /dev/full here'
fi
end
