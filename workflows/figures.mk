# The figures of the paper that exist here. Each is a folder below $R with its data as tables.
#
#   fig1   maps of the cells by type, species and sample, of the model, of random weights and of counts (1d);
#          what quality control left of each sample, cells and tokens per species
#   fig3   fig3.mk
# Profile full only says what they would need: manifests/figures.tsv, and GPU-hours by the formulas of
# `make plan`.
ifeq ($(PROFILE),full)
figure_names := fig1 fig3
$(figure_names): $B/bin/plan $R/plan/gpu.tsv reference/plan.tsv reference/figure3-plan.tsv
	@awk -F '\t' -v f=$@ 'NR == 1 || $$1 == f || $$1 == "all" { printf "  %-6s %-28s %-72s %s  %s\n", \
		$$1, $$2, $$3, $$4, $$5 }' manifests/figures.tsv
	@if [ -n '$(plan_from)' ]; then d=$$(mktemp -d); trap 'rm -r "$$d"' EXIT; \
		awk 'FNR > 1 || NR == 1' reference/plan.tsv reference/figure3-plan.tsv >"$$d/plan.tsv"; \
		$B/bin/plan --from $(plan_from) --rates $R/plan/gpu.tsv $(plan_rates) --formulas "$$d/plan.tsv" \
			--quiet --out "$$d/out.tsv" >/dev/null; \
		awk -F '\t' '$$2 ~ /_gpu_hours/ { printf "  %-28s %16.0f %-6s %s\n", $$2, $$3, $$4, $$5 }' "$$d/out.tsv"; \
	 else echo '  GPU-hours: no corpus to take rates from: `./run corpus PROFILE=small` makes one'; fi
	@echo '  nothing was fetched or computed: PROFILE=small makes the figure from what is at hand'
else
params/fig1 := --profile $(PROFILE)
$R/fig1/MANIFEST.tsv: $R/report/MANIFEST.tsv $R/corpus-ledger/MANIFEST.tsv $R/tokenize/MANIFEST.tsv \
		$R/fig1/params | $(closer)
	$(open_stage)
	$Qfor f in $R/report/map*.svg; do if [ -e "$$f" ]; then cp "$$f" "$(@D)/fig1d-$${f##*/}"; fi; done; \
	 for s in map map-random map-counts; do if [ -e $R/$$s/map.tsv ]; then \
		cp $R/$$s/map.tsv $(@D)/fig1d-$$s.tsv; fi; done; cp $R/report/qc.svg $(@D)/fig1-corpus.svg; \
	 cp $R/corpus-ledger/ledger.tsv $(@D)/fig1-corpus.tsv; \
	 awk -F '\t' -v OFS='\t' 'NR == 1 { for (i = 1; i <= NF; i++) col[$$i] = i; next } { \
		s = $$col["species"]; n[s]++; t[s] += $$col["length"] } END { print "species", "cells", "tokens"; \
		split("human mouse", w, " "); for (i = 1; i <= 2; i++) print w[i], n[w[i]] + 0, t[w[i]] + 0 }' \
		$R/tokenize/cells.tsv >$(@D)/fig1-tokens.tsv
	$(close_stage)
fig1: $R/fig1/MANIFEST.tsv
	@ls -d $R/fig1/*.svg
fig3: $R/fig3/figures/MANIFEST.tsv
	@ls -d $R/fig3/figures/*.svg
endif

##@ Results
figures: fig1 fig2 fig3 fig5 fig6 ## the figures of the paper that exist here: fig1 fig2 fig3 fig5 fig6
.PHONY: figures fig1 fig3
