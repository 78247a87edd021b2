# SPDX-License-Identifier: MIT
# Prints the Makefile's own account of itself: targets marked "##", variables "#?".

BEGIN { print "Labyrinth: make TARGET, one of" }

/^[a-z-]+:.*## / {
	name = $0; sub(/:.*/, "", name)
	text = $0; sub(/.*## /, "", text)
	printf "  %-18s  %s\n", name, text
}

/^#\? / { variables = variables sprintf("  %s\n", substr($0, 4)) }

END { printf "\nVariables, as in `make run BOOT=uefi MEM=2G`\n%s", variables }
