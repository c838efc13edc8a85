// Package migrations holds the numbered SQL files that make OwnMap's schema, in
// the format of jackc/tern.
package migrations

import "embed"

// Files are the migrations, in order of their names.
//
//go:embed *.sql
var Files embed.FS
