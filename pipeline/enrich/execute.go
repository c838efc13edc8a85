package enrich

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/crypto/ssh"

	"ownmap/pipeline/enrich/login"
	"ownmap/pipeline/state"
)

// How much a host may say, in bytes and in listeners: what has more of these is no
// host that anybody wants to read about.
const (
	maxOutput    = 4 << 20
	maxListeners = 5000
)

// errTooMuch says that a host sends more than anybody reads.
var errTooMuch = errors.New("more output than allowed")

// execute runs a command with this input and returns what it prints. Everything
// ends with ctx, which closes the connection. Agent forwarding, a terminal and an
// environment are not asked for.
func execute(ctx context.Context, client *ssh.Client, command, input string) ([]byte, error) {
	session, err := client.NewSession()
	if err != nil {
		return nil, err
	}
	defer func() { _ = session.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = client.Close() })
	defer stop()
	session.Stdin = strings.NewReader(input)
	out := &limited{client: client}
	session.Stdout = out
	err = session.Run(command)
	if out.over {
		return out.text, errTooMuch
	}
	return out.text, err
}

// limited keeps what fits and hangs up on more. It must have no ReadFrom, as a
// bytes.Buffer does: io.Copy would take that way around the limit.
type limited struct {
	text   []byte
	client *ssh.Client
	over   bool
}

// Write keeps p.
func (l *limited) Write(p []byte) (int, error) {
	if len(l.text)+len(p) > maxOutput {
		l.over = true
		_ = l.client.Close()
		return 0, errTooMuch
	}
	l.text = append(l.text, p...)
	return len(p), nil
}

// refused says why a host did not answer the script, or not well.
func refused(ctx context.Context, err error, heard int) error {
	var exit *ssh.ExitError
	switch {
	case errors.Is(err, errTooMuch):
		return &login.Error{Reason: state.SSHTooMuch, Detail: fmt.Sprintf("more than %d MiB", maxOutput>>20), Err: err}
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return &login.Error{Reason: state.SSHTimeout, Detail: fmt.Sprintf("the answer was not there in time, %d bytes of it were", heard), Err: ctx.Err()}
	case ctx.Err() != nil:
		return &login.Error{Reason: state.InsideInterrupted, Err: ctx.Err()}
	case errors.As(err, &exit):
		return &login.Error{Reason: state.SSHIncomplete, Detail: fmt.Sprintf("the command ended with status %d", exit.ExitStatus()), Err: err}
	case err != nil:
		return &login.Error{Reason: state.SSHIncomplete, Detail: state.Clean(err.Error()), Err: err}
	}
	return &login.Error{Reason: state.SSHIncomplete, Detail: "the command ran and did not answer: is another one forced?", Err: io.ErrUnexpectedEOF}
}
