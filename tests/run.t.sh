#!/bin/bash
# `run` on machines that lack things, played by a folder of small stand-ins for cc, apt-get, sudo, id
# and make. Nothing is installed.
. "$SRC/tests/tool.sh"

here="$tmp/a földer"
bin="$tmp/bin"
mkdir -p "$here" "$bin"
cp "$SRC/run" "$here/"
for c in sh bash dirname readlink tr sed cut cat printf nproc find head env getconf; do
	ln -s "$(command -v $c)" "$bin/$c"
done
stand_in() { # name, body
	rm -f "$bin/$1"
	printf '#!/bin/sh\n%s\n' "$2" >"$bin/$1"
	chmod +x "$bin/$1"
}
# A compiler that finds no HDF5 until apt-get was called: it answers what cc -E would.
stand_in cc "[ -e '$tmp/installed' ] || { sed -n 's/^\"\\(libhdf5-dev.*\\)\"\$/\"\\1\"/p'; exit; }"
stand_in apt-get "echo \"apt-get \$*\" >>'$tmp/calls'; case \$* in *install*) : >'$tmp/installed' ;; esac"
stand_in make "printf '[%s]' \"\$@\"; echo; pwd"
stand_in pkg-config 'exit 0'
stand_in g++ 'exit 0'
stand_in python3 'exit 0'
stand_in gnuplot 'exit 0'
stand_in id 'echo 0'
on_machine() { env -u MAKEFLAGS PATH="$bin" "$@"; }
j=-j$(nproc)

t 'a missing library is installed as root' 0 'installing libhdf5-dev' on_machine "$here/run" demo
is 'packages are updated first, then installed by name' test "$(cat "$tmp/calls")" = \
	"apt-get -q update
apt-get -q install -y --no-install-recommends libhdf5-dev"
is 'a second call installs nothing' bash -c "! grep -q . <<<\"\$(PATH='$bin' '$here/run' 2>&1 >'$tmp/out')\""
is 'without words make gets only -j' test "$(head -n 1 "$tmp/out")" = "[$j]"
is 'make runs in the checkout, from any folder' test "$(tail -n 1 "$tmp/out")" = "$here"
on_machine "$here/run" -j7 corpus 'PROFILE=a b' >"$tmp/out"
is 'words reach make as they are' test "$(head -n 1 "$tmp/out")" = '[-j7][corpus][PROFILE=a b]'
PATH="$bin" MAKEFLAGS=' -j3' "$here/run" all >"$tmp/out"
is 'a -j in MAKEFLAGS is left alone' test "$(head -n 1 "$tmp/out")" = '[all]'

rm "$tmp/installed" "$tmp/calls"
stand_in id 'echo 1000'
t 'without root and sudo the command is printed' 1 '^apt-get update && apt-get install -y .*libhdf5-dev$' \
	on_machine "$here/run" demo
is 'and nothing is called' test ! -e "$tmp/calls"
stand_in sudo "case \$1 in -n) exit 1 ;; esac; exec \"\$@\""
t 'a sudo that would ask, without a terminal: the same' 1 '^apt-get update' on_machine "$here/run" demo
stand_in sudo "case \$1 in -n) exit 0 ;; esac; echo sudo >>'$tmp/calls'; exec \"\$@\""
t 'sudo is used where it works' 0 'installing' on_machine "$here/run" demo
is 'for both calls' test "$(grep -c sudo "$tmp/calls")" = 2

rm "$tmp/installed"
stand_in apt-get 'exit 100'
t 'a failed installation ends the run' 1 '' on_machine "$here/run" demo
stand_in apt-get 'exit 0'
t 'a package that brings nothing is told' 1 'still missing: HDF5' on_machine "$here/run" demo
rm "$bin/apt-get"
t 'another system: the library is named' 1 'install first.*: HDF5' on_machine "$here/run" demo
rm "$bin/gnuplot"
t 'a tool is named beside it' 1 'HDF5, gnuplot' on_machine "$here/run" demo
t 'a goal that draws nothing asks for no gnuplot' 1 'headers: HDF5$' on_machine "$here/run" all
t 'the paper alone asks for LaTeX' 1 'HDF5, gnuplot, pdflatex, rsvg-convert, Latin Modern fonts$' on_machine "$here/run" paper
rm "$bin/g++"
t 'a machine without g++ is asked for it' 1 'headers: g\+\+, HDF5$' on_machine "$here/run" all
rm "$bin/cc"
t 'without a compiler every library is named' 1 'cc, g\+\+, the headers of the C library, HDF5, .*zlib' \
	on_machine "$here/run" all
end
