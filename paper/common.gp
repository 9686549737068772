# Read before every template: size, type and the quiet frame of all figures.
# `width` and `height` (px) come from the tool; words come as marks (lib/io/gnuplot.h).
set terminal svg size width,height dynamic rounded noenhanced font 'sans-serif,12'
set datafile missing 'nan'
unset key
unset title
set style fill solid 1 noborder
set border lw 0.8 lc rgb '#888888'
set tics scale 0.5 textcolor rgb '#000000'

# Pixels from the left and from the top, as page makers count.
px(x) = (x) / (1.0 * width)
py(y) = 1.0 - (y) / (1.0 * height)

# Legend: `n_keys`, `keys` (words), `key_colours`, drawn from px `key_top` in `key_columns` columns.
key_columns = 1
key_cell(i) = width / (1.0 * key_columns)
key_x(i) = 12 + ((i - 1) % key_columns) * (width - 12) / key_columns
key_y(i) = key_top + ((i - 1) / key_columns) * 18

# Lines of text under a figure: `n_notes`, `notes` (words), from px `notes_top`.
if (exists("n_notes")) {
	do for [i = 1:n_notes] {
		set label 5000 + i word(notes, i) at screen px(12), py(notes_top + (i - 1) * 17 + 8) left
	}
}
