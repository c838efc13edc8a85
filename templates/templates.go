// Package templates holds what the reports look like: the embedded defaults of
// every HTML report. It is a package of its own because go:embed cannot reach
// out of a package's directory.
package templates

import "embed"

// FS holds the templates, each room's in a folder of its name: site for the
// static archive, shared for the pieces that several rooms use.
//
//go:embed site shared
var FS embed.FS
