#!/bin/sh
# Draws docs/pictures/pipeline.svg: docs/pictures/pipeline.sh > docs/pictures/pipeline.svg
# Boxes stand in a row, with an arrow between each two. All lengths are pixels.
set -eu

WIDTH=850 HEIGHT=150
BOX=190 TALL=110 GAP=120 TOP=20 LEFT=20

# box N TITLE LINE...: the Nth box, from 0
box() {
	x=$((LEFT + $1 * (BOX + GAP))) title=$2
	shift 2
	echo "  <rect class=\"box\" x=\"$x\" y=\"$TOP\" width=\"$BOX\" height=\"$TALL\" rx=\"8\"/>"
	echo "  <text class=\"title\" x=\"$((x + BOX / 2))\" y=\"$((TOP + 30))\">$title</text>"
	y=$((TOP + 54))
	for line; do
		echo "  <text class=\"line\" x=\"$((x + BOX / 2))\" y=\"$y\">$line</text>"
		y=$((y + 20))
	done
}

# arrow N WHO WHAT: from the Nth box to the next; who does it stands above, with what below
arrow() {
	from=$((LEFT + $1 * (BOX + GAP) + BOX + 8)) middle=$((TOP + TALL / 2))
	to=$((from + GAP - 16))
	echo "  <path class=\"arrow\" d=\"M$from $middle H$((to - 7))\" marker-end=\"url(#head)\"/>"
	echo "  <text class=\"who\" x=\"$(((from + to) / 2))\" y=\"$((middle - 10))\">$2</text>"
	echo "  <text class=\"small\" x=\"$(((from + to) / 2))\" y=\"$((middle + 20))\">$3</text>"
}

cat <<-END
	<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 $WIDTH $HEIGHT" width="$WIDTH" height="$HEIGHT" role="img">
	  <title>A Rust crate becomes a Go package by rsyso build, and a static program by go build</title>
	  <style>
	    text { font-family: -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; text-anchor: middle; fill: #24292f }
	    .title { font-size: 16px; font-weight: 600 }
	    .line, .small { font-size: 13px }
	    .who { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: 13px; font-weight: 600 }
	    .small { fill: #57606a }
	    .box { fill: #f6f8fa; stroke: #8c959f }
	    .arrow { stroke: #57606a; stroke-width: 2; fill: none }
	    .head { fill: #57606a }
	    @media (prefers-color-scheme: dark) {
	      text { fill: #e6edf3 }
	      .small { fill: #9198a1 }
	      .box { fill: #161b22; stroke: #656d76 }
	    }
	  </style>
	  <marker id="head" viewBox="0 0 10 10" refX="5" refY="5" markerWidth="5" markerHeight="5" orient="auto">
	    <path class="head" d="M0 0 L10 5 L0 10 z"/>
	  </marker>
END
box 0 "A Rust crate" "any crate, with std," "threads, C and panics"
arrow 0 "rsyso build" "by its author"
box 1 "A Go package" "foo_linux_amd64.syso" "foo_linux_amd64.s" "foo.go"
arrow 1 "go build" "by every user"
box 2 "A static program" "no cgo, no C compiler," "no Rust, no .so"
echo "</svg>"
