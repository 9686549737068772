# report: one page, its figures and numbers.tex, from what all stages left.
#
#   $R/report/index.html   open it in a browser; it needs nothing beside it
#
# The page says by itself what has not run. So a page of a part of the stages is one command:
#   $B/bin/report $R --out $R/report
report_stages ?= fetch tables vocab median tokenize knowledge knowledge-report pretrain map map-random map-counts \
	annotate zero-shot
report_reads := $(report_stages:%=$R/%/MANIFEST.tsv) $(call each_sample,import) \
	$(call each_sample,homolog-map) $(call each_sample,qc-filter)
params/report := --profile $(PROFILE)

$R/report/MANIFEST.tsv: $(report_reads) $(sort $(wildcard paper/*.gp)) paper/report.css \
		$B/bin/report $R/report/params | $(closer)
	$(open_stage)
	$Q$(tool)report $R --out $(@D) --templates paper --quiet $(params/report)
	$(close_stage)

##@ Results
report: $R/report/MANIFEST.tsv ## a page with figures and numbers.tex of the profile's results
	@echo '$R/report/index.html'
.PHONY: report
