# Profile full: only variables.
