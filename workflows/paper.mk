# paper: a PDF by LaTeX whose every number is a macro from the results (docs/audit.md).
#
#   $R/paper/paper.pdf     the text of paper/*.tex; figures are the SVG files of the stages
#   $R/paper/numbers.tex   the numbers in it, each with file, line and sum of where it stands
#   $R/paper/claims/       verdicts about the claims of the original paper, as of these results
#
# A part of the text whose stage has not run says so; which stages there are is seen when make runs. So what
# shall be in it comes first: `make fig3 perturb`, then `make paper`; fig1, which is made from the page, is brought up to it. It is no part of `demo`: the bytes of a PDF
# depend on the versions of LaTeX and rsvg-convert, which are in programs.tsv.
# PDF=no leaves out what needs LaTeX: the numbers of the text alone.
PDF ?= yes
paper_text := $(sort $(wildcard paper/*.tex)) paper/gcpaper.sty paper/references.bib
paper_numbers := workflows/digits.awk paper/words.txt $(filter %.tex,$(paper_text))

$R/paper/MANIFEST.tsv: $B/bin/paper $B/bin/claims $B/bin/pretrain $(paper_text) workflows/digits.awk paper/words.txt \
		reference/claims.tsv $R/report/MANIFEST.tsv $R/corpus-ledger/MANIFEST.tsv $(wildcard $R/fig1/MANIFEST.tsv) \
		FORCE | $(closer)
	@awk -f $(paper_numbers) >&2
	$(open_stage)
	$Q$(tool)claims $R --claims reference/claims.tsv --out $(@D)/claims --threads $(THREADS) --quiet
	$Q$(tool)paper $R --text paper --out $(@D) $(if $(filter no,$(PDF)),--no-pdf) --quiet
	$Q$(closer) $(@D) --quiet --stage $(stage) $(patsubst %,--input %,$(filter-out $B/% FORCE $R/%,$^)) --base $R . \
		$$(find $R -name MANIFEST.tsv ! -path '$R/crate/*' ! -path '$(@D)/*' -printf '--input %p\n' | LC_ALL=C sort)

##@ Results
paper: $R/paper/MANIFEST.tsv ## a PDF by LaTeX, every number of which is taken from the results
	@echo '$R/paper/$(if $(filter no,$(PDF)),numbers.tex,paper.pdf)'
.PHONY: paper
