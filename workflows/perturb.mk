# perturb: what deletions of regulators find. Figures 2b-g, S3 and S4a of the paper, on cells that can be
# had.
#
#   perturb-sim/SEED   the simulator, where every wire is known: a model of its own per seed, all regulators
#                      deleted, beside random weights, the published procedure, correlation and co-expression
#   perturb-real       cells of the profile and its model: regulators of public lists deleted (sample:regulators),
#                      their targets by TRRUST, CollecTRI and DoRothEA against housekeeping and all other genes
#                      and pairs of them, for targets that two share
#   perturb-state      genes raised in cells of one label, to their median and to the highest: how much nearer
#                      they come to those of another, beside matched random genes (sample:from:to:genes).
#                      Figure 6b
#   perturb-down       genes at a half, a quarter and nothing of their number, in cells that have them in the
#                      upper half of their list (sample:from:to:genes). Figure S10a
#   perturb-screen     every gene raised to the highest: which move cells of one label towards two others
#                      (sample:from:to,to). Figure 6c
#   perturb            the rows of all, metrics.tsv
# Deletions are compared with matched random ones; --help of perturb and grn-recognition say how.
perturb_sim_seeds ?= 1 2 3 4 5
# cells, genes and regulators of a species, width, layers and genes read of the model, steps, controls, cells asked
perturb_sim_sizes ?= 1200 800 32 48 2 192 300 5 100
perturb_real ?=
perturb_states ?=
perturb_downs ?=
perturb_screens ?=
perturb_controls ?= 20
perturb_max_cells ?= 100
perturb_state_controls ?= 20
perturb_down_controls ?= 5
# A gene is screened when so many of the cells have it in their list.
perturb_screen_options ?= --max-cells 10 --least-cells 8 --controls 4 --top 50
grn_lists := trrust=prior_knowledge/grn/trrust_rawdata.human.tsv collectri=prior_knowledge/grn/collectri_human.csv \
	dorothea=prior_knowledge/grn/dorothea_hs_ABCD.tsv
housekeeping := gene_reference/UbiquitouslyExpressedGenes.txt
perturb_real_options := --controls $(perturb_controls) --max-cells $(perturb_max_cells) --seed $(seed) --backend $(BACKEND)
params/perturb-real := $(perturb_real_options) $(if $(strip $(perturb_real)),cells: $(perturb_real))

perturb_tools := $(addprefix $B/bin/,simulate gene-tables import homolog-map qc-filter vocab median tokenize \
	pretrain perturb grn-recognition)
define perturb_sim_rule
params/perturb-sim/$(1) := $(perturb_sim_sizes)
$R/perturb-sim/$(1)/MANIFEST.tsv: $(perturb_tools) $R/perturb-sim/$(1)/params workflows/perturb-sim.sh | $$(closer)
	$$(open_stage)
	$$Q$$(RUN) bash workflows/perturb-sim.sh $B/bin $$(@D) $(1) $(perturb_sim_sizes) $$(THREADS)
	$$(close_stage)
endef
$(foreach s,$(perturb_sim_seeds),$(eval $(call perturb_sim_rule,$(s))))

# A list that could not be had is left out; without any there is nothing to compare with, and no table.
listed = $$(for x in $(1); do f=$(CACHE)/view/$${x\#*=}; [ ! -e "$$f" ] || echo "$${x%%=*}=$$f"; done)
$R/perturb-real/MANIFEST.tsv: $B/bin/perturb $B/bin/grn-recognition $R/perturb-real/params $R/fetch/MANIFEST.tsv \
		$(if $(strip $(perturb_real)),$R/pretrain/MANIFEST.tsv) \
		$(foreach p,$(perturb_real),$R/qc-filter/$(firstword $(subst :, ,$(p)))/MANIFEST.tsv) | $(closer)
	$(open_stage)
	$Qset -- $(perturb_real); \
	 lists="$(call listed,$(grn_lists))"; against="$(call listed,housekeeping=$(housekeeping))"; \
	 [ $$# -gt 0 ] || echo '  profile $(PROFILE) deletes nothing in real cells (perturb_real)'; \
	 for x; do \
		name=$${x%%:*}; genes=$${x#*:}; cells=$R/qc-filter/$$name/cells.h5ad; \
		if [ ! -e $$cells ] || [ ! "$$lists" ]; then \
			echo "  $$name: left out, its inputs could not be had"; continue; fi; \
		$(tool)perturb $$cells --model $(trained) --genes $${genes//,/ } $(perturb_real_options) \
			--out $(@D)/$$name/deleted --threads $(THREADS) $(quiet); \
		$(tool)perturb $$cells --model $(trained) --genes $${genes//,/ } --as-released $(perturb_real_options) \
			--controls 0 --out $(@D)/$$name/released --threads $(THREADS) $(quiet); \
		$(tool)perturb $$cells --model $(trained) --genes $${genes//,/ } --pairs $(perturb_real_options) \
			--controls 0 --out $(@D)/$$name/pairs --threads $(THREADS) $(quiet); \
		$(tool)grn-recognition --pairs genecompass=$(@D)/$$name/pairs --effects genecompass=$(@D)/$$name/deleted released=$(@D)/$$name/released \
			--targets $$lists $${against:+--against $$against} --counts $$cells --vocab $(trained)/vocab.tsv \
			--dataset $$name --seed $(seed) --out $(@D)/$$name/grn $(quiet); \
	 done
	$(close_stage)

comma := ,
# A change that concerns no cell is a finding, not a failure: the step is left out, and said to be.
# $(1): perturb's own words; $(2): the step's folder.
perturb_step = if ! $(tool)perturb $(1) --out $(2) --threads $(THREADS) --quiet 2>$(@D)/said; then \
	grep -q 'no cell is concerned' $(@D)/said || { cat $(@D)/said >&2; exit 1; }; \
	sed 's/^/  /' $(@D)/said; rm -r $(2); fi; rm $(@D)/said

# sample:from:to:genes of each line of $(1), $(2) what is done with them.
perturb_lines = set -- $(1); \
	 [ $$\# -gt 0 ] || echo '  profile $(PROFILE) has no cells for $(stage)'; \
	 for x; do \
		IFS=: read -r name from to genes <<<"$$x"; cells=$R/qc-filter/$$name/cells.h5ad; \
		if [ ! -e $$cells ]; then echo "  $$name: left out, its inputs could not be had"; continue; fi; \
		$(2); \
	 done
perturb_cells = $(if $(strip $(1)),$R/pretrain/MANIFEST.tsv) \
	$(foreach p,$(1),$R/qc-filter/$(firstword $(subst :, ,$(p)))/MANIFEST.tsv)
perturb_from_to = $$cells --model $(trained) --source $$from --target $${to//,/ }
# The steps that are there, weakest first.
perturb_steps = steps=; for s in $(1); do [ ! -e $(@D)/$$name/$$s ] || steps="$$steps $$s=$(@D)/$$name/$$s"; done; \
	[ ! "$$steps" ] || $(tool)perturb-steps --steps $$steps --dataset $$name --seed $(seed) \
		--out $(@D)/$$name/steps $(quiet)

perturb_state_options := --per-cell --controls $(perturb_state_controls) --seed $(seed) --backend $(BACKEND)
params/perturb-state := $(perturb_state_options) $(if $(strip $(perturb_states)),cells: $(perturb_states))
$R/perturb-state/MANIFEST.tsv: $B/bin/perturb $B/bin/perturb-steps $R/perturb-state/params \
		$(call perturb_cells,$(perturb_states)) | $(closer)
	$(open_stage)
	$Q$(call perturb_lines,$(perturb_states),for level in low high; do $(call perturb_step,$(perturb_from_to) \
		--sets $$genes --genes $${genes//+/ } --change $$level $(perturb_state_options),$(@D)/$$name/$$level); \
		done; $(call perturb_steps,low high))
	$(close_stage)

perturb_down_options := --top-half --per-cell --controls $(perturb_down_controls) --seed $(seed) --backend $(BACKEND)
params/perturb-down := $(perturb_down_options) $(if $(strip $(perturb_downs)),cells: $(perturb_downs))
$R/perturb-down/MANIFEST.tsv: $B/bin/perturb $B/bin/perturb-steps $R/perturb-down/params \
		$(call perturb_cells,$(perturb_downs)) | $(closer)
	$(open_stage)
	$Q$(call perturb_lines,$(perturb_downs),for level in half:0.5 quarter:0.25 none:0; do \
		$(call perturb_step,$(perturb_from_to) --genes $${genes//$(comma)/ } --change scale \
		--factor $${level#*:} $(perturb_down_options) --report $(@D)/report.json,$(@D)/$$name/$${level%:*}); \
		done; $(call perturb_steps,half quarter none))
	$(close_stage)

params/perturb-screen := $(perturb_screen_options) --seed $(seed) --backend $(BACKEND) \
	$(if $(strip $(perturb_screens)),cells: $(perturb_screens))
$R/perturb-screen/MANIFEST.tsv: $B/bin/perturb $R/perturb-screen/params \
		$(call perturb_cells,$(perturb_screens)) | $(closer)
	$(open_stage)
	$Q$(call perturb_lines,$(perturb_screens),$(tool)perturb $(perturb_from_to) --all-genes --change high --keep 1 \
		$(perturb_screen_options) --seed $(seed) --backend $(BACKEND) --out $(@D)/$$name --threads $(THREADS) $(quiet); \
		rm $(@D)/$$name/effects.tsv)
	$(close_stage)

# Of the regulators of real cells one by one only what claims ask for: targets against housekeeping genes.
perturb_one_by_one = awk -F '\t' -v OFS='\t' 'NR == 1 { for (i = 1; i <= NF; i++) c[$$i] = i; next } \
	$$c["variant"] == "clean" && $$c["method"] == "genecompass" && $$c["split"] ~ /\/housekeeping$$/ { \
	n = $$c["n_targets"] + $$c["n_others"]; s = "grn-recognition" OFS $$c["dataset"] OFS $$c["method"] OFS "clean" OFS \
	$$c["split"] OFS $$c["seed"] OFS "auroc_of_" $$c["name"]; print s, $$c["auroc"], n; print s "_p", $$c["wilcoxon_p"], n }'

perturb_parts := $(perturb_sim_seeds:%=$R/perturb-sim/%/MANIFEST.tsv) $R/perturb-real/MANIFEST.tsv \
	$R/perturb-state/MANIFEST.tsv $R/perturb-down/MANIFEST.tsv
$R/perturb/MANIFEST.tsv: $(perturb_parts) | $(closer)
	$(open_stage)
	$Qprintf 'task\tdataset\tmethod\tvariant\tsplit\tseed\tmetric\tvalue\tn\n' >$(@D)/metrics.tsv; \
	 for f in $(perturb_sim_seeds:%=$R/perturb-sim/%/grn/metrics.tsv) $R/perturb-real/*/grn/metrics.tsv \
			$R/perturb-real/*/{deleted,released}/metrics.tsv $R/perturb-state/*/high/metrics.tsv \
			$R/perturb-{state,down}/*/steps/metrics.tsv; do \
		[ ! -e "$$f" ] || tail -n +2 "$$f" >>$(@D)/metrics.tsv; done; \
	 for f in $R/perturb-real/*/grn/predictions.tsv; do \
		[ ! -e "$$f" ] || $(perturb_one_by_one) "$$f" >>$(@D)/metrics.tsv; done
	$(close_stage)

##@ Results
perturb: $R/perturb/MANIFEST.tsv ## what deletions of regulators find, simulated and real
.PHONY: perturb
