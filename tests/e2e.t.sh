#!/bin/bash
# The main job from the simulator to the page, three times: at once; with one thread and one job;
# broken off by Ctrl-C and by SIGKILL again and again. Every stage must end in the same bytes.
. "$SRC/tests/tool.sh"
. "$SRC/tests/bin-src/audit-fake.sh"
unset PROFILE R V CACHE MIRROR THREADS
if ! command -v gnuplot >/dev/null; then skip 'the main job' 'the package gnuplot-nox is not installed'; end; fi
old=()
for tool in "$B"/bin/*; do old+=(-o "$tool"); done
job() { # R WORD...
	make -C "$SRC" --no-print-directory "${old[@]}" B="$B" R="$1" CACHE="$1.cache" PROFILE=test demo "${@:2}"
}
manifests() { (cd "$1" && find . -name MANIFEST.tsv | sort | xargs sha256sum); }

t 'the main job, two at a time' 0 '' job "$tmp/a" -j2
is 'ends with the path of the page' test "$(tail -n 1 "$tmp/.stdout")" = "$tmp/a/report/index.html"
is 'which is there' test -s "$tmp/a/report/index.html"
manifests "$tmp/a" >"$tmp/a.sums"
is 'a stage of each kind is closed' test "$(wc -l <"$tmp/a.sums")" -ge 26
t 'a repeat' 0 '' job "$tmp/a"
is 'runs no stage' bash -c "! grep STAGE '$tmp/.stdout' >&2"
for f in embed/cells.h5ad annotate/metrics.tsv map/map.tsv map-counts/map.tsv report/numbers.tex; do
	is "there is $f" test -s "$tmp/a/$f"
done
macro() { sed -n "s/.*gc$1}{\([0-9,]*\)}.*/\1/p" "$tmp/a/report/numbers.tex" | tr -d ,; }
is 'the page says how many cells were read' test "$(macro CellsRead)" = \
	"$(grep -h '"n_cells"' "$tmp"/a/import/*/report.json | tr -dc '0-9\n' | awk '{ n += $1 } END { print n }')"
is 'and how many passed: those on the map' test "$(macro CellsKept)" = $(($(wc -l <"$tmp/a/map/map.tsv") - 1))

t 'with one thread and one job, elsewhere' 0 '' job "$tmp/b" -j1 THREADS=1
manifests "$tmp/b" >"$tmp/b.sums"
is 'gives the same manifests' diff "$tmp/a.sums" "$tmp/b.sums"

# What was made can be checked elsewhere, and made again: scores, page, maps, vectors, weights.
mkdir "$tmp/elsewhere"; cp -r "$tmp/a" "$tmp/elsewhere/a"
t 'an audit elsewhere, with everything done again' 0 ' 0 fail' audit "$tmp/elsewhere/a" --level 3 \
	--source "$SRC" --cache "$tmp/a.cache/test" --out "$tmp/audit"
for what in report map map-counts zero-shot pretrain; do
	is "$what comes out with the same bytes" grep -q "^repeat	$what	holds" "$tmp/audit/audit.tsv"
done
is 'scores are those of the predictions' test "$(grep -c '^scores	annotate.*	holds' "$tmp/audit/audit.tsv")" = 3
is 'vectors of the reference, names from them, lie within their bounds' \
	test "$(grep -c '^tolerance	.*	holds' "$tmp/audit/audit.tsv")" = 5
is 'every raw input is at hand' test -z "$(grep '^raw.*	open' "$tmp/audit/audit.tsv")"
# One bit in one file of each kind, by the end of its name, and each has its name told.
(cd "$tmp/elsewhere/a" && find . -type f ! -name '*.log' ! -name MANIFEST.tsv -size +0 -printf '%P\n' | LC_ALL=C sort |
	awk '{ k = $0; sub(/.*\//, "", k); if (k ~ /\./) sub(/.*\./, "", k) } !n[k]++') >"$tmp/kinds"
while IFS= read -r f; do change_byte "$tmp/elsewhere/a/$f"; done <"$tmp/kinds"
t 'one byte changed in each kind of file' 4 'checks fail' audit "$tmp/elsewhere/a" --level 0
grep '	fails	changed' "$tmp/.stdout" | cut -f 2 | LC_ALL=C sort | LC_ALL=C comm -23 "$tmp/kinds" - >"$tmp/unnamed"
is 'is found and named' diff /dev/null "$tmp/unnamed"
is "in $(wc -l <"$tmp/kinds") kinds" test "$(wc -l <"$tmp/kinds")" -ge 12

# Vectors of others under this name: a draw of a few cells is enough to tell.
rm -rf "$tmp/elsewhere/a"; cp -r "$tmp/a" "$tmp/elsewhere/a"
t 'an audit of some cells by the reference' 0 ' 0 fail' audit "$tmp/elsewhere/a" --level 2 --cells 30 --draw mine \
	--source "$SRC" --out "$tmp/audit.some"
is 'says how many' grep -q "^tolerance	embed	open	30 of [0-9]* cells were looked at, drawn by hash with the word 'mine'" "$tmp/audit.some/audit.tsv"
is 'and holds them to the same bounds' test "$(grep -c '^tolerance	.*	holds' "$tmp/audit.some/audit.tsv")" = 4
cp "$tmp/a/embed-random/cells.h5ad" "$tmp/elsewhere/a/embed/cells.h5ad"
audit "$tmp/elsewhere/a" --level 2 --cells 30 --draw mine >"$tmp/forged" 2>/dev/null
is 'vectors of other weights fail' grep -q '^tolerance	embed	fails	largest difference' "$tmp/forged"

# In the words of others.
t 'RO-Crate, Croissant, bill of materials and cards' 0 '' job "$tmp/a" crate
is 'end with their folder' test "$(tail -n 1 "$tmp/.stdout")" = "$tmp/a/crate"
archive=$(echo "$B"/genecompass-*.tar.gz)
is 'with the sum of the archive of make dist' grep -q "^archive	${archive##*/}	-	$(sha256sum <"$archive" | cut -c1-64)" "$tmp/a/crate/build.tsv"
is 'and of the programs that lie there' test "$(awk -F '\t' '$1 == "program" { print $4, "", $2 }' "$tmp/a/crate/build.tsv" | (cd "$B/bin" && sha256sum -c --quiet - 2>&1; echo $?))" = 0
t 'and once more' 0 '' job "$tmp/b" crate -j1 THREADS=1
is 'with the same manifest' cmp "$tmp/a/crate/MANIFEST.tsv" "$tmp/b/crate/MANIFEST.tsv"
"$PYTHON" "$SRC/tests/bin-src/crate-check.py" "$tmp/a" >"$tmp/said" 2>"$tmp/said.err"
right=$?
if [ $right = 77 ]; then
	skip 'the validators of the standards' "python has no package: $(cat "$tmp/said")"
else
	verdict $right 'by the validators of the standards, and by their sources, they are right'
	[ $right = 0 ] || sed 's/^/# /' "$tmp/said" "$tmp/said.err" | head -n 12
fi
t 'an audit makes them again' 0 ' 0 fail' audit "$tmp/a" --level 1 --source "$SRC" --out "$tmp/audit.crate"
is 'with the same bytes' grep -q '^repeat	crate	holds' "$tmp/audit.crate/audit.tsv"

# Figures, which other goals do not draw.
t 'the figures, two at a time' 0 '' job "$tmp/a" fig1 fig3 fig4d fig4e -j2
for f in fig1/fig1d-map-sample.svg fig1/fig1-tokens.tsv fig3/figures/fig3a-04.svg fig3/figures/fig3c-01.svg fig4d/fig4d-01.svg fig4e/fig4e-01.svg; do
	is "there is $f" test -s "$tmp/a/$f"
done
t 'and one at a time' 0 '' job "$tmp/b" fig1 fig3 fig4d fig4e -j1 THREADS=1
for r in a b; do manifests "$tmp/$r" >"$tmp/$r.figures"; done
is 'give the same manifests' diff "$tmp/a.figures" "$tmp/b.figures"
is 'of every model' test "$(grep -c fig3/models "$tmp/a.figures")" = 18
# The text of the paper, whose numbers are all there; without LaTeX, which `test` does not need.
t 'the numbers of the paper'    0 '' job "$tmp/a" paper PDF=no
is 'end with their path' test "$(tail -n 1 "$tmp/.stdout")" = "$tmp/a/paper/numbers.tex"
is 'parts that have run are in it' test "$(grep -c '^.gcset{ran!' "$tmp/a/paper/numbers.tex")" -ge 6
t 'and once more' 0 '' job "$tmp/b" paper PDF=no -j1 THREADS=1
is 'with the same manifest' cmp "$tmp/a/paper/MANIFEST.tsv" "$tmp/b/paper/MANIFEST.tsv"
# Megabytes of pages: each is opened once (tests/page-browser.py).
if command -v chromium >/dev/null; then
	is 'pages with all these figures open in a browser, all links clicked, nothing on the console' \
		"$PYTHON" "$SRC/tests/page-browser.py" "$tmp/a/report"
else
	skip 'pages with all these figures in a browser' 'the package chromium is not installed'
fi
# The page that the paper was made from has the figures, so what was made from the page before is stale.
t 'the crate of that page' 0 '' job "$tmp/a" crate
rm -rf "$tmp/elsewhere/a"; cp -r "$tmp/a" "$tmp/elsewhere/a"
t 'an audit makes page, crate and numbers again, elsewhere' 0 ' 0 fail' audit "$tmp/elsewhere/a" --level 1 --source "$SRC" \
	--cache "$tmp/a.cache/test" --out "$tmp/audit.paper"
for what in report crate paper; do
	is "$what with the same bytes" grep -q "^repeat	$what	holds" "$tmp/audit.paper/audit.tsv"
done

# Each round gets a little further, whatever the machine's speed: a round that closed no stage more
# than the one before gets twice the time.
seconds=1 closed=0 rounds=0 breaks=0
while [ $rounds -lt 40 ]; do
	rounds=$((rounds + 1))
	signal=INT
	[ $((rounds % 2)) = 0 ] && signal=KILL
	# A shell starts what runs in the background with Ctrl-C ignored.
	setsid env --default-signal=INT make -C "$SRC" --no-print-directory "${old[@]}" B="$B" \
		R="$tmp/c" CACHE="$tmp/c.cache" PROFILE=test demo -j2 >"$tmp/log" 2>&1 </dev/null &
	pid=$!
	for ((i = 0; i < seconds * 10; i++)); do
		kill -0 $pid 2>/dev/null || break
		sleep 0.1
	done
	if ! kill -0 $pid 2>/dev/null; then break; fi
	kill -$signal -- -$pid 2>/dev/null
	breaks=$((breaks + 1))
	wait $pid 2>/dev/null
	now=$(find "$tmp/c" -name MANIFEST.tsv 2>/dev/null | wc -l)
	[ "$now" -gt "$closed" ] || seconds=$((seconds * 2))
	closed=$now
done
is "was broken off ($breaks times)" test $breaks -ge 2
t 'and goes on to the end' 0 '' job "$tmp/c" -j2
manifests "$tmp/c" >"$tmp/c.sums"
is 'with the same manifests' diff "$tmp/a.sums" "$tmp/c.sums"
is 'and nothing half-written beside them' test -z "$(find "$tmp/c" -name '*.part')"
end
