# A dot per cell. $points: x y group (from 0); group g has the colour word(key_colours, g + 1).
# Groups are drawn in order, so that a later, smaller group lies on top; with has_rest the last one
# holds what has no colour and is drawn first.
key_columns = key_wide ? 1 : 2
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
drawn(i) = (i - has_rest + n_keys) % n_keys
plot for [i = 0:n_keys - 1] $points using ($3 == drawn(i) ? $1 : NaN):2 with dots \
	lc rgb word(key_colours, drawn(i) + 1)
