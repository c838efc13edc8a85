package enrich

import (
	"bytes"
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/sync/errgroup"

	"ownmap/pipeline/enrich/login"
	"ownmap/pipeline/state"
)

//go:embed look.sh
var script string

// Options say how hosts are looked inside. Zero values are the defaults.
type Options struct {
	Login    login.Options
	Parallel int           // hosts at once; 16
	Timeout  time.Duration // patience with one host, all tries together; 30 s
	Pause    time.Duration // before a host is looked at again; 5 s
	Log      *slog.Logger
	// Progress is told how far Look has come, one call at a time; nil: nobody watches.
	Progress func(state.ScanProgress)
}

// The defaults.
const (
	defaultParallel = 16
	defaultTimeout  = 30 * time.Second
	defaultPause    = 5 * time.Second
)

// Insider looks inside hosts; it implements pipeline.Insider. Make it with New.
type Insider struct {
	options Options
	opener  *login.Opener
}

// New returns an insider.
func New(o Options) *Insider {
	if o.Parallel == 0 {
		o.Parallel = defaultParallel
	}
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	if o.Pause == 0 {
		o.Pause = defaultPause
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Insider{o, login.New(o.Login)}
}

// Look looks inside hosts, some of them at once, and returns what came of each, in
// their order. A host that cannot be looked inside is data, and so is one that is
// left when ctx ends.
func (i *Insider) Look(ctx context.Context, subjects []state.Subject) []state.Look {
	looks := make([]state.Look, len(subjects))
	done := i.counter(len(subjects))
	var group errgroup.Group
	group.SetLimit(i.options.Parallel)
	for n, subject := range subjects {
		group.Go(func() error {
			looks[n] = i.host(ctx, subject)
			done()
			if !looks[n].Complete() {
				i.options.Log.InfoContext(ctx, "not looked inside", "host", subject.Login.Address, "reason", looks[n].Reason, "detail", looks[n].Detail)
			}
			return nil
		})
	}
	_ = group.Wait() // nobody fails
	return looks
}

// counter returns what tells that one more of so many hosts is done.
func (i *Insider) counter(hosts int) func() {
	var mu sync.Mutex
	n := 0
	return func() {
		mu.Lock()
		defer mu.Unlock()
		n++
		if i.options.Progress != nil {
			i.options.Progress(state.ScanProgress{
				Work: state.WorkInside, Hosts: hosts, HostsDone: n, Shards: hosts, ShardsDone: n, Fraction: float64(n) / float64(hosts),
			})
		}
	}
}

// host looks inside one host. A fault of ours is its fault alone.
func (i *Insider) host(ctx context.Context, subject state.Subject) (look state.Look) {
	look = state.Look{HostID: subject.HostID, Address: subject.Login.Address, Status: state.NotScanned}
	if !answered(subject) {
		look.Reason = state.InsideHostSilent
		return look
	}
	defer func() {
		if fault := recover(); fault != nil {
			i.options.Log.ErrorContext(ctx, "looking inside failed", "host", subject.Login.Address, "fault", fault, "stack", string(debug.Stack()))
			look = state.Look{HostID: subject.HostID, Address: subject.Login.Address, Status: state.NotScanned, Reason: state.SSHFault, Detail: "internal error"}
		}
	}()
	v, err := i.ask(ctx, subject.Login)
	var failed *login.Error
	switch {
	case errors.As(err, &failed):
		look.Reason, look.Detail = failed.Reason, failed.Detail
		if failed.Reason == state.SSHKeyChanged {
			look.Findings = []state.Finding{keyChanged(subject, failed.Detail)}
		}
	case err != nil:
		look.Reason, look.Detail = state.SSHFault, state.Clean(err.Error())
	default:
		look.Status, look.Root, look.Listeners = state.Answered, v.root, v.listeners
		look.Findings = join(subject, v)
	}
	return look
}

// answered says whether a host answered the scan from any vantage.
func answered(subject state.Subject) bool {
	for _, h := range subject.Outside {
		if h.State == state.Up || h.Status() == state.Answered {
			return true
		}
	}
	return len(subject.Outside) == 0
}

// keyChanged is the finding that a host has another key than it is known for.
func keyChanged(subject state.Subject, detail string) state.Finding {
	f := state.Finding{
		Kind: state.HostKeyChanged, Severity: state.HostKeyChanged.Severity(), HostID: subject.HostID, Vantage: state.DefaultVantage,
		Address: subject.Login.Address, Name: subject.Name, Detail: state.Clean(detail),
	}
	if len(subject.Outside) > 0 {
		f.Vantage = subject.Outside[0].Vantage
	}
	return f
}

// Check looks inside one host as a run would, for `ownmap check`; the outside of the
// subject is not read.
func (i *Insider) Check(ctx context.Context, l state.Login) state.Look {
	return i.host(ctx, state.Subject{Login: l})
}

// ask logs in and asks, and does so once more after a fault that may pass.
func (i *Insider) ask(ctx context.Context, l state.Login) (view, error) {
	if ctx.Err() != nil {
		return view{}, &login.Error{Reason: state.InsideInterrupted, Err: ctx.Err()}
	}
	ctx, cancel := context.WithTimeout(ctx, i.options.Timeout)
	defer cancel()
	v, err := i.once(ctx, l)
	var failed *login.Error
	if err == nil || ctx.Err() != nil || errors.As(err, &failed) && !passing(failed.Reason) {
		return v, err
	}
	select {
	case <-ctx.Done():
		return v, err
	case <-time.After(time.Second):
	}
	again, other := i.once(ctx, l)
	if other != nil && ctx.Err() != nil {
		return v, err // no time was left for it
	}
	return again, other
}

// passing says whether a fault may be another one the next time.
func passing(reason string) bool {
	switch reason {
	case state.SSHNoAnswer, state.SSHRefused, state.SSHTimeout, state.SSHIncomplete, state.SSHFault, state.SSHJumpFailed:
		return true
	}
	return false
}

// once logs in and asks: as root by sudo if that is wanted, else with the rights of
// the login.
func (i *Insider) once(ctx context.Context, l state.Login) (view, error) {
	conn, err := i.opener.Open(ctx, l)
	if err != nil {
		return view{}, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, conn.Close)()

	commands := []string{"sh -s"}
	if l.Sudo && conn.Client().User() != "root" {
		commands = []string{"sudo -n sh -s", "sh -s"}
	}
	for _, command := range commands {
		v, heard, err := i.run(ctx, conn.Client(), command, l.Hash)
		if heard || err == nil || errors.Is(err, errTooMuch) || ctx.Err() != nil {
			return v, err
		}
	}
	return i.windows(ctx, conn.Client())
}

// run sends the script to a shell of the host. heard says that it was run there, to
// its end or not.
func (i *Insider) run(ctx context.Context, client *ssh.Client, command string, hash bool) (v view, heard bool, err error) {
	nonce := newNonce()
	words := ""
	if hash {
		words = "hash"
	}
	text, runErr := execute(ctx, client, command, "n="+nonce+" f="+words+"\n"+script)
	a := readAnswer(nonce, text)
	if a.system == "" {
		return v, false, refused(ctx, runErr, len(text))
	}
	if runErr != nil {
		return v, true, refused(ctx, runErr, len(text))
	}
	v = viewOf(a)
	switch {
	case !a.whole:
		return v, true, &login.Error{Reason: state.SSHIncomplete, Detail: "the answer ends before its end", Err: io.ErrUnexpectedEOF}
	case len(v.listeners) > maxListeners:
		return v, true, &login.Error{Reason: state.SSHTooMuch, Detail: fmt.Sprintf("%d listeners", len(v.listeners)), Err: errTooMuch}
	case !v.complete && len(v.listeners) == 0:
		return v, true, &login.Error{Reason: state.SSHNothingToAsk, Detail: "neither /proc/net nor ss, netstat, sockstat or lsof on " + a.system, Err: io.EOF}
	case !v.complete:
		return v, true, &login.Error{Reason: state.SSHIncomplete, Detail: "a list of sockets ends before its end", Err: io.ErrUnexpectedEOF}
	}
	return v, true, nil
}

// windows asks the one thing that Windows without a POSIX shell can tell.
func (i *Insider) windows(ctx context.Context, client *ssh.Client) (view, error) {
	nonce := newNonce()
	command := fmt.Sprintf(`cmd.exe /c "echo %[1]s hello Windows 1&echo %[1]s begin windows&netstat -ano&echo %[1]s end windows 0&echo %[1]s done"`, nonce)
	text, err := execute(ctx, client, command, "")
	v := viewOf(readAnswer(nonce, bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))))
	if err == nil && v.complete {
		return v, nil
	}
	return view{}, refused(ctx, err, len(text))
}

func newNonce() string {
	var bits [12]byte
	_, _ = rand.Read(bits[:]) // never fails
	return hex.EncodeToString(bits[:])
}
