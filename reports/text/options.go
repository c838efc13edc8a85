// Package text writes reports for the terminal, in nmap's words and columns.
package text

// Options fit a text to where it is shown.
type Options struct {
	Color bool   // add ANSI colour; signs and words carry the meaning without it
	Width int    // columns of the terminal; 0: unknown, nothing is cut
	HTML  string // where the HTML report of the run is; empty: not told
}
