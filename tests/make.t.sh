#!/bin/bash
# The build itself, in copies of this tree: folders elsewhere, odd paths, a checkout that cannot be
# written, changed flags, archives, installation.
. "$SRC/tests/tool.sh"
built=$B
unset B V WERROR OPT SAN CC PROFILE R # which make would take from the environment
copy_tree() {
	mkdir -p "$1"
	tar -C "$SRC" -c --exclude='./build*' --exclude=./results --exclude=./cache --exclude=./.venv \
		--exclude=./.git . | tar -C "$1" -x
}
says() { grep -qE -e "$1" "$tmp/.stdout"; }
# As a user who owns nothing: permissions bind root too little.
as_nobody() {
	if [ "$(id -u)" = 0 ]; then
		setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
	else
		"$@"
	fi
}

t 'help lists the goals' 0 '' make -C "$SRC" B="$built" help
for goal in all demo test check dist install clean help; do
	is "with $goal" grep -qE "^  $goal +[a-z]" "$tmp/.stdout"
done
t 'a build folder with a blank is refused in a sentence' 2 "B='a b' must be one word" make -C "$SRC" B='a b' help
t 'so is a results folder' 2 "R='a b' must be one word" make -C "$SRC" R='a b' help
t 'an unknown profile: the known ones are named' 2 "no profile 'tset'; there are: .*demo.*test" \
	make -C "$SRC" PROFILE=tset help
for profile in demo test; do
	t "profile $profile uses no variable that is not set" 0 '' \
		make --warn-undefined-variables -C "$SRC" B="$built" PROFILE=$profile -n all
	is 'so make has nothing to warn of' bash -c "! grep 'undefined variable' '$tmp/.stderr'"
done

# An object has two names where the build folder lies in the checkout: whoever gives either sees that a header changed.
copy_tree "$tmp/two"
two() { make -C "$tmp/two" --no-print-directory "$@"; }
for names in "$tmp/two/build build" "build $tmp/two/build"; do
	set -- $names
	two "B=$1" "$1/obj/lib/base/err.o" >/dev/null 2>&1
	sleep 0.1; touch "$tmp/two/lib/base/err.h" # clocks of files have ticks
	t "a header changes, B=${1#"$tmp"} then B=${2#"$tmp"}" 0 '' two "B=$2" "$2/obj/lib/base/err.o"
	is 'and its objects are made again' says 'CC .*err\.o'
done

checkout="$tmp/o'brien's bü cher"
copy_tree "$checkout"
object=obj/lib/base/err.o
t 'a path with blanks, quotes and umlauts builds' 0 '' make -C "$checkout" build/$object
t 'and again is nothing to do' 0 '' make -C "$checkout" build/$object
is 'as make says' says 'is up to date'
copy_tree "$tmp/other"
some=(build/obj/lib/base/err.o build/obj/lib/io/svg.o build/obj/kernels/small_ref.o)
t 'the same sources in another folder' 0 '' make -C "$tmp/other" "${some[@]}"
t 'and under the odd path' 0 '' make -C "$checkout" "${some[@]}"
for f in "${some[@]}"; do
	is "give the same bytes: ${f##*/}" cmp "$tmp/other/$f" "$checkout/$f"
done
rm -rf "$tmp/other"
# Two programs whole, of the layers that they need: the others would take minutes. One folder was copied in
# another year, and its build starts when the other has ended.
places=("$tmp/one" "$tmp/another place")
for place in "${places[@]}"; do
	copy_tree "$place"
	rm -r "$place"/lib/{app,cell,nn,report,tensor} "$place"/kernels/* "$place"/bench "$place"/tests/*/
	rm "$place"/lib/{io,data}/*.c # their headers are read by sources that no such program asks for
	find "$place"/bin-src -type f ! -name manifest.c ! -name genecompass.c -delete
done
find "${places[1]}" -type f -exec touch -d 2001-02-03 {} +
whole=(build/bin/manifest build/bin/genecompass)
for place in "${places[@]}"; do
	t "whole programs, in ${place##*/}" 0 '' make -C "$place" -j2 "${whole[@]}"
done
for f in "${whole[@]}"; do
	is "are the same bytes: ${f##*/}" cmp "${places[0]}/$f" "${places[1]}/$f"
	is 'and start' "${places[0]}/$f" --version
done
is 'an archive of objects, too' cmp "${places[0]}/build/libgenecompass.a" "${places[1]}/build/libgenecompass.a"
# The build as a table: the same from both places, with these sums.
for place in "${places[@]}"; do
	(cd "$place" && CC=cc SOURCE_DATE_EPOCH=0 bash workflows/build-facts.sh 1 README.md '' "${whole[@]}") >"$place/facts"
done
is 'and the table of the build' cmp "${places[0]}/facts" "${places[1]}/facts"
is 'which has their sums' grep -q "^program	manifest	1	$(sha256sum <"${places[0]}/build/bin/manifest" | cut -c1-64)	" "${places[0]}/facts"
rm -rf "${places[@]}"
t 'another optimisation makes objects anew' 0 '' make -C "$checkout" build/$object OPT=-O0
is 'as make says' says 'CC +build/obj/lib/base/err.o'
t 'warnings as errors do not' 0 '' make -C "$checkout" build/$object OPT=-O0 WERROR=1
is 'as make says' says 'is up to date'
rm -rf "$checkout/build"

mkdir "$tmp/elsewhere"
chmod -R a-w,a+rX "$checkout"
chmod 755 "$tmp"
chmod 777 "$tmp/elsewhere"
t 'a checkout that cannot be written builds elsewhere' 0 '' \
	as_nobody make -C "$checkout" B="$tmp/elsewhere/b" "$tmp/elsewhere/b/$object"
is 'into that folder' test -s "$tmp/elsewhere/b/$object"
t 'and not into itself' 2 'cannot create|denied|not writable' as_nobody make -C "$checkout" build/$object
chmod -R u+w "$checkout"

# A build folder of links, without the library.
cp -rs "$built" "$tmp/links" && rm -f "$tmp/links/lib/gc-mpi.so"
t 'MPI comes after the programs were built' 0 '' make -n -C "$SRC" B="$tmp/links" MPICC=mpicc all
is 'its library is made' says 'MPICC.*gc-mpi'
t 'when all is built, nothing is to do' 0 '' make -C "$SRC" B="$built" -q all

t 'an archive of sources without git' 0 '' make -C "$checkout" dist
cp "$checkout"/build/genecompass-*.tar.gz "$tmp/one.tar.gz"
touch "$checkout/README.md"
t 'once more, with other times' 0 '' make -C "$checkout" dist
is 'has the same bytes' cmp "$tmp/one.tar.gz" "$checkout"/build/genecompass-*.tar.gz
if [ -e "$SRC/.git" ] && command -v git >/dev/null; then
	for b in d1 d2; do
		t "an archive of the last commit, into $b" 0 '' make -C "$SRC" B="$tmp/$b" dist
	done
	is 'has the same bytes twice' bash -c "cmp '$tmp'/d1/genecompass-*.tar.gz '$tmp'/d2/genecompass-*.tar.gz"
else
	skip 'an archive of the last commit' 'this tree is no checkout of git'
fi
tar -tzf "$tmp/one.tar.gz" >"$tmp/list"
is 'holds the sources' grep -qE '^genecompass-[0-9.]+/lib/base/err.c$' "$tmp/list"
is 'and no build' bash -c "! grep -E '/(build|results|cache)/' '$tmp/list'"

t 'an installation, into a folder with a blank' 0 '' \
	make -C "$SRC" B="$built" install DESTDIR="$tmp/in stall" PREFIX=/opt/gc
t 'starts its tools from there' 0 '' "$tmp/in stall/opt/gc/bin/genecompass" manifest --version
if command -v gnuplot >/dev/null; then
	{
		printf 'task\tdataset\tmethod\tvariant\tsplit\tseed\tmetric\tvalue\tn\n'
		printf 'annotate\tlung\thvg+logistic\tclean\ttest\t%s\tmacro_f1\t0.%s\t40\n' 1 7 2 8
	} >"$tmp/metrics.tsv"
	t 'which draw, wherever they are called' 0 '1 figures' env -C "$tmp" "$tmp/in stall/opt/gc/bin/genecompass" figure \
		metrics.tsv --kind methods --name fig3b --out drawn
else
	skip 'which draw, wherever they are called' 'the package gnuplot-nox is not installed'
fi
end
