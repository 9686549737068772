# Profile small: only variables.
