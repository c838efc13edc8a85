package enrich

import (
	_ "embed"
	"strings"
)

// helperPath is where the recipe puts the only command that OwnMap's user can run.
const helperPath = "/usr/local/sbin/ownmap-look"

//go:embed recipe.sh
var recipe string

// Recipe returns a shell script that gives a host a user who can be logged in with a
// key, is told what listens, and can do nothing else: one who owns no file, whose key
// is bound to a helper of root's (sshd(8), restrict and command=), which sudo allows
// alone. The script is to be read and then run as root on the host. publicKey is a
// line of authorized_keys; user must be the name of a user.
func Recipe(user, publicKey string) string {
	return strings.NewReplacer(
		"@USER@", user, "@KEY@", strings.ReplaceAll(strings.TrimSpace(publicKey), "'", `'\''`), "@HELPER@", helperPath, "@LOOK@\n", script,
	).Replace(recipe)
}
