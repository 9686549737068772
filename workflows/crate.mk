# crate: the results in the standards of others (docs/audit.md): RO-Crate, Croissant, CycloneDX, a model card
# and a data sheet.
#
#   $R/crate/*                   all of them, a stage like any other: audit and sign look at it, too
#   $R/ro-crate-metadata.json, $R/README.md    copies of those in $R/crate: they are about the folder they lie in
#   $B/build.tsv                 what the programs are made of, with their sums and that of `make dist`
#
# Made anew each time, and no part of `demo`: it holds the versions of this machine's libraries, where equal
# runs have equal manifests everywhere.
$B/build.tsv: $(tools) workflows/build-facts.sh dist FORCE
	@CC='$(CC)' MAKE='$(MAKE_COMMAND)' bash workflows/build-facts.sh '$(version)' '$B/$(dist).tar.gz' '$(flags)' $(tools) >$@.part; \
	 if cmp -s $@.part $@; then rm $@.part; else mv $@.part $@; fi

# It is about all results: what else was asked for in the same call comes first, whatever the order of the words.
crate_before := $(filter-out crate audit sign verify $R/crate/%,$(MAKECMDGOALS))
$R/crate/MANIFEST.tsv: $B/bin/crate $B/build.tsv $R/report/MANIFEST.tsv FORCE | $(closer) $(crate_before)
	$(open_stage)
	$Q$(tool)crate $R --build $B/build.tsv --out $(@D) --quiet
	$Q$(closer) $(@D) --quiet --stage $(stage) --base $R . \
		$$(find $R -name MANIFEST.tsv ! -path '$(@D)/*' -printf '--input %p\n' | LC_ALL=C sort)
	@for f in README.md ro-crate-metadata.json; do cp $(@D)/$$f $R/$$f.part; mv $R/$$f.part $R/$$f; done

##@ Audit
crate: $R/crate/MANIFEST.tsv ## RO-Crate, Croissant, bill of materials, model card, data sheet of the results
	@echo '$R/crate'
.PHONY: crate
