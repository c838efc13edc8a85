package private

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Clients returns the directory of pg_dump and pg_restore of a major version of
// PostgreSQL, that of the server: an older pg_dump refuses it, and what a newer one writes
// may be nothing for it. They are looked for where the server's programs are.
func Clients(ctx context.Context, major int) (dir string, err error) {
	for _, dir := range candidates(os.Getenv("OWNMAP_PG_BIN"), os.Getenv("PATH"), "pg_dump", "pg_restore") {
		cmd := exec.CommandContext(ctx, filepath.Join(dir, "pg_dump"), "--version") //nolint:gosec // where PostgreSQL's programs are
		cmd.Env = environment()
		if out, err := cmd.Output(); err == nil && majorIn(string(out)) == major {
			return dir, nil
		}
	}
	if err := ctx.Err(); err != nil {
		return "", fmt.Errorf("look for pg_dump: %w", err)
	}
	return "", fmt.Errorf("%w: no pg_dump and pg_restore of PostgreSQL %d, as the server is: install them (apt-get install postgresql-client-%[2]d), or name their directory in OWNMAP_PG_BIN", ErrNoBinaries, major)
}
