# A table of shares as squares: rows (labels) from the top, columns (predictions) from the left.
# row_names, column_names, axes: words. $shares: row column grey (0 is black: all cells of the row).
left = 170
top = 24
at_x(c) = left + (c - 0.5) * cell
at_y(r) = top + (r - 0.5) * cell
set lmargin at screen px(left)
set rmargin at screen px(left + n_columns * cell)
set tmargin at screen py(top)
set bmargin at screen py(top + n_rows * cell)
set xrange [0.5:n_columns + 0.5]
set yrange [n_rows + 0.5:0.5]
unset xtics
unset ytics
do for [r = 1:n_rows] {
	set label r word(row_names, r) at screen px(left - 6), py(at_y(r)) right
}
do for [c = 1:n_columns] {
	set label n_rows + c word(column_names, c) at screen px(at_x(c)), py(top + n_rows * cell + 8) rotate by -60 left
}
set label 1000 word(axes, 1) at screen px(left - 6), py(12) right
set label 1001 word(axes, 2) at screen px(left), py(12) left
# Whole numbers for each channel: a fraction of green would be blue.
shade(g) = int(g) * 65536 + int(80 + g * 175 / 255) * 256 + int(140 + g * 115 / 255)
plot $shares using 2:1:($2 - 0.47):($2 + 0.47):($1 - 0.47):($1 + 0.47):(shade($3)) with boxxyerror lc rgb variable
