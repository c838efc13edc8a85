package login

import (
	"context"
	"errors"
	"strings"

	"ownmap/pipeline/state"
)

// Error says why a login failed.
type Error struct {
	Reason string // one of state's reasons, as state.SSHKeyUnknown
	Detail string // more of it, with the remedy; cleaned
	Err    error
}

// Error returns the reason and what is known beside it.
func (e *Error) Error() string {
	if e.Detail == "" {
		return e.Reason
	}
	return e.Reason + ": " + e.Detail
}

// Unwrap returns what was wrong.
func (e *Error) Unwrap() error { return e.Err }

func newError(reason string, err error) *Error {
	return &Error{Reason: reason, Detail: state.Clean(err.Error()), Err: err}
}

// handshakeError says why there is a connection and no login.
func handshakeError(ctx context.Context, err error, keys *hostKeys, signers *signers, ear *listener) error {
	if keys.err != nil {
		return keys.err
	}
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return newError(state.InsideInterrupted, err)
	case ctx.Err() != nil:
		return &Error{Reason: state.SSHTimeout, Detail: "the handshake took too long", Err: err}
	case !ear.speaks():
		return newError(state.SSHNoSSH, err)
	case strings.Contains(err.Error(), "unable to authenticate"):
		return &Error{Reason: state.SSHLoginRefused, Detail: state.Clean("tried " + signers.tried()), Err: err}
	}
	return newError(state.SSHFault, err)
}
