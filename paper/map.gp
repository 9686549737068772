# A dot per cell. $points: x y group (from 0); group g has the colour word(key_colours, g + 1).
# Groups are drawn in order, so that a later, smaller group lies on top; the last n_grey hold what
# has no colour and are drawn first. The first n_numbers groups have their number on the map
# at number_x1 number_y1 and so on, unless they have no cell on it.
key_columns = key_columns_wanted
set lmargin at screen px(8)
set rmargin at screen px(width - 8)
set tmargin at screen py(8)
set bmargin at screen py(key_top - 14)
set xrange [-20:1020]
set yrange [-20:1020]
unset tics
do for [i = 1:n_keys] {
	set object i rect from screen px(key_x(i)), py(key_y(i)) to screen px(key_x(i) + 10), py(key_y(i) + 10) \
		fc rgb word(key_colours, i) fs solid 1 noborder front
	set label i word(keys, i) at screen px(key_x(i) + 16), py(key_y(i) + 5) left front
}
# White, with letters of a fixed colour: these two do not change with the page.
do for [i = 1:n_numbers] {
	if (exists(sprintf("number_x%d", i))) {
		nx = value(sprintf("number_x%d", i))
		ny = value(sprintf("number_y%d", i))
		set object 1000 + i circle at first nx, ny size first number_radius \
			fc rgb '#ffffff' fs solid 1 border lc rgb '#888888' front
		set label 1000 + i sprintf("%d", i) at first nx, ny center front font ',10' tc rgb '#1c2126'
	}
}
drawn(i) = (i - n_grey + n_keys) % n_keys
plot for [i = 0:n_keys - 1] $points using ($3 == drawn(i) ? $1 : NaN):2 with dots \
	lc rgb word(key_colours, drawn(i) + 1)
