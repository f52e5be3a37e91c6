"""Pages of HTML that stand alone: one file, which loads nothing and runs nothing but its own script."""
