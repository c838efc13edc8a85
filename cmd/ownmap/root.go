package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// app is one call of the program: its streams, its environment and the flags
// that every command has.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	env            func(string) string
	now            func() time.Time
	resolver       *net.Resolver // of the names of channels; nil: the system's

	replace func(program string, args, env []string) error // the process; nil: it is not this call's alone

	configFile string
	stateDir   string
	noColor    bool
	verbose    bool
}

// main runs the command line and returns the exit code.
func (a *app) main(ctx context.Context, args []string) int {
	root := a.rootCommand()
	root.SetArgs(args)
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	cmd, err := root.ExecuteContextC(ctx)
	var usage *usageError
	if errors.As(err, &usage) {
		usage.command = cmd.CommandPath()
	}
	return a.exit(ctx, err)
}

// usageArgs makes the errors of all argument checks usage errors that show how
// the command is called.
func usageArgs(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return usagef("%w; usage: %s", err, strings.TrimSuffix(cmd.UseLine(), " [flags]"))
			}
			return nil
		}
	}
	for _, sub := range cmd.Commands() {
		usageArgs(sub)
	}
}

// noSuchCommand refuses the arguments of the root command, which takes none:
// they are commands that are not there.
func noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	near := cmd.SuggestionsFor(args[0])
	if len(near) == 0 {
		return usagef("unknown command %q", args[0])
	}
	return usagef("unknown command %q; did you mean %s?", args[0], strings.Join(near, " or "))
}

func (a *app) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "ownmap",
		Short: "Scan the hosts you own, every night; see what changed and what nobody approved",
		Long: `OwnMap scans the hosts you own with nmap, remembers every host and port, and
tells what changed and what nobody has approved.

Exit codes: 0 done; 1 different (diff, and run or status with --exit-code);
2 trouble or wrong usage; 3 the run finished in part; 4 another run holds the
lock; 130 interrupted.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },

		SuggestionsMinimumDistance: 2,
	}
	flags := root.PersistentFlags()
	flags.StringVar(&a.configFile, "config", "", "config `FILE` (default: $OWNMAP_CONFIG, ./ownmap.yaml, /etc/ownmap/ownmap.yaml)")
	flags.StringVar(&a.stateDir, "state-dir", "", "`DIR` for the private database and the archive")
	flags.BoolVar(&a.noColor, "no-color", false, "no colour, as with $NO_COLOR")
	flags.BoolVarP(&a.verbose, "verbose", "v", false, "log what is done to stderr")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err: err} })
	root.AddCommand(
		a.runCommand(), a.serveCommand(), a.workerCommand(), a.cancelCommand(), a.statusCommand(), a.runsCommand(), a.showCommand(), a.reportCommand(),
		a.portsCommand(), a.hostCommand(), a.diffCommand(), a.importCommand(), a.exportCommand(),
		a.approveCommand(), a.revokeCommand(), a.auditCommand(), a.verifyCommand(), a.targetsCommand(), a.hostkeysCommand(),
		a.snoozeCommand(), a.deliveriesCommand(), a.notifyCommand(),
		a.passwdCommand(), a.usersCommand(), a.tokensCommand(), a.keysCommand(),
		a.siteCommand(), a.checkCommand(), a.configCommand(), a.dbCommand(), a.versionCommand(), a.docsCommand(), a.initCommand(),
	)
	usageArgs(root)
	root.Args = noSuchCommand
	return root
}

// log returns the logger of this call: to stderr, quiet unless --verbose.
func (a *app) log() *slog.Logger {
	level := slog.LevelWarn
	if a.verbose {
		level = slog.LevelDebug
	}
	return slog.New(a.logHandler(level))
}

// terminal says whether a stream is one, and how wide it is; 0 is unknown.
func terminal(w io.Writer) (width int, ok bool) {
	f, isFile := w.(*os.File)
	if !isFile || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		width = 0
	}
	return width, true
}

// color says whether stdout takes colour (https://no-color.org).
func (a *app) color() bool {
	_, tty := terminal(a.stdout)
	return tty && !a.noColor && a.env("NO_COLOR") == "" && a.env("TERM") != "dumb"
}
