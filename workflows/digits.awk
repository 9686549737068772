# The text of the paper types no number: each is a macro that `paper` takes from the results. Prints every
# line of the TeX files that has a digit, or a number as a word, outside of what is none:
#
#   awk -f workflows/digits.awk paper/words.txt paper/*.tex
#
# None are comments; arguments that are not printed (labels, citations, files, what \gctable and its
# relatives look up); names of the first file, one a line. Status 4 when there is any such line.
BEGIN {
	unseen = "label|ref|pageref|cite|input|bibliography|bibliographystyle|usepackage|documentclass|" \
		"begin|end|gcpart|gctable|gcscores|gcversus|gcfigures"
	said = "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|twenty|thirty|fifty|hundred|" \
		"thousand|million|billion|half|twice|percent"
}
FNR == 1 { file++ }
file == 1 {
	if ($0 !~ /^#/ && $0 != "")
		name[$0]
	next
}
{
	line = $0
	gsub(/\\%/, " ", line)
	sub(/%.*/, "", line)
	# A command, its options and all braces that follow at once.
	while (match(line, "\\\\(" unseen ")\\*?(\\[[^]]*\\])?(\\{[^{}]*\\})+"))
		line = substr(line, 1, RSTART - 1) " " substr(line, RSTART + RLENGTH)
	n = split(line, word, /[^A-Za-z0-9-]+/)
	for (i = 1; i <= n; i++) {
		w = word[i]
		sub(/^-+/, "", w)
		sub(/-+$/, "", w)
		if (w in name)
			continue
		if (w ~ /[0-9]/ || tolower(w) ~ "^(" said ")(-.*)?$") {
			printf "%s:%d: '%s' is typed: %s\n", FILENAME, FNR, w, $0
			bad = 1
		}
	}
}
END { exit bad ? 4 : 0 }
