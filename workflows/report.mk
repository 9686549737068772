# report: one page, its figures and numbers.tex, from what all stages left.
#
#   $R/report/index.html   open it in a browser; it needs nothing beside it
#
# The page says by itself what has not run. So a page of a part of the stages is one command:
#   $B/bin/report $R --out $R/report
report_stages ?= fetch tables vocab median tokenize knowledge knowledge-report pretrain map map-random map-counts \
	annotate zero-shot ledger corpus-ledger
# Shown where they have run, by then or in the same call; other folders come into nothing, so that a stage made
# later changes no byte of the page. What is shown is brought up to date; `make report report_also=` shows none.
report_optional := authors cross-species homology perturb perturb-down networks dose dosage profile-drug perturb-predict fig2 \
	fig3/figures fig4b fig4c fig4d fig4e fig5 fig6
report_goals := $(MAKECMDGOALS) $(if $(filter fig3 figures,$(MAKECMDGOALS)),fig3/figures) \
	$(if $(filter figures,$(MAKECMDGOALS)),fig2 fig6) $(if $(filter fig4,$(MAKECMDGOALS)),fig4b fig4c fig4d fig4e)
report_also ?= $(patsubst $R/%/MANIFEST.tsv,%,$(wildcard $(report_optional:%=$R/%/MANIFEST.tsv))) \
	$(filter $(report_optional),$(report_goals))
# A stage that stands in both lists (a profile may ask for cross-species always) is read once.
report_all := $(sort $(report_stages) $(report_also))
report_reads := $(report_all:%=$R/%/MANIFEST.tsv) $(call each_sample,import) \
	$(call each_sample,homolog-map) $(call each_sample,qc-filter)
# Behind these, but read by none of the page's own: only their manifests are shown, where they are.
report_behind := simulate dnabert peca median-part embed embed-random
empty :=
space := $(empty) $(empty)
comma_list = $(subst $(space),$(comma),$(strip $(1)))
params/report := --profile $(PROFILE) --stages $(call comma_list,$(sort $(foreach s,$(report_all) import homolog-map \
	qc-filter $(report_behind),$(firstword $(subst /, ,$(s))))))
$R/report/MANIFEST.tsv: $(report_reads) $(sort $(wildcard paper/*.gp)) paper/report.css \
		reference/claims.tsv $B/bin/pretrain $B/bin/grn $B/bin/report $R/report/params | $(closer)
	$(open_stage)
	$Q$(tool)report $R --out $(@D) --templates paper --claims reference/claims.tsv --quiet $(params/report)
	$(close_stage)

##@ Results
report: $R/report/MANIFEST.tsv ## a page with figures and numbers.tex of the profile's results
	@echo '$R/report/index.html'
.PHONY: report
