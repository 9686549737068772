#!/bin/bash
# genecompass TOOL, from a build and from an installation.
. "$SRC/tests/tool.sh"

t 'a tool is reached by its name' 0 '' genecompass manifest --help
is 'with its own help' diff <(manifest --help) "$tmp/.stdout"
t 'the tool gets the words as they are, and its status comes back' 2 "manifest: .*'--no such'" \
	genecompass manifest '--no such'
t 'help lists the tools' 0 '' genecompass --help
is 'with what each says of itself' grep -qE '^  manifest  +[A-Z][a-z].*' "$tmp/.stdout"
t 'no word at all: the same list, as a wrong call' 2 '' genecompass
t 'an unknown tool' 2 "no tool 'nothing'" genecompass nothing
t 'a path is no tool' 2 "no tool '../bin/manifest'" genecompass ../bin/manifest
t 'nor is itself' 2 "no tool 'genecompass'" genecompass genecompass
t 'nor an option' 2 "no tool '--quiet'" genecompass --quiet
t 'its version' 0 '' genecompass --version
is 'is the one of the sources' grep -qxF \
	"genecompass $(sed -n 's/.*GC_VERSION "\(.*\)"/\1/p' "$SRC/lib/base/version.h")" "$tmp/.stdout"
is 'a full disk is told' bash -c 'genecompass --help >/dev/full; [ $? = 1 ]'

mkdir -p "$tmp/a b/bin" "$tmp/a b/libexec/genecompass"
cp "$BIN/genecompass" "$tmp/a b/bin/"
cp "$BIN/manifest" "$tmp/a b/libexec/genecompass/"
t 'an installed tool is found beside it' 0 '' "$tmp/a b/bin/genecompass" manifest --version
t 'a name that is not there' 2 "no tool 'import'" "$tmp/a b/bin/genecompass" import
end
