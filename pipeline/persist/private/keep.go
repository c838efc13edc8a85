package private

import (
	"context"
	"time"

	"golang.org/x/sys/unix"
)

// watch is how often Wait looks whether the server lives.
const watch = time.Second

// Wait waits until the server has ended, whoever ended it, or until ctx ends, whose
// error it returns.
func (s *Server) Wait(ctx context.Context) error {
	ticker := time.NewTicker(watch)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
		gone, err := s.gone(ctx)
		if gone || err != nil {
			return err
		}
	}
}

// gone says whether no process of the server is left. To look is to take its lock for a
// moment, which a program that starts it must not run into.
func (s *Server) gone(ctx context.Context) (bool, error) {
	decision, err := acquire(ctx, s.path("start.lock"), unix.LOCK_EX)
	if err != nil {
		return false, err
	}
	defer decision.release()
	return free(s.path("server.lock"))
}

// Shutdown gives back this program's share and stops the server, also for all others
// that use it: they lose their sessions, and the next one of them that calls Start has it
// started again. For whoever keeps the server up for the others. Further calls do nothing.
func (s *Server) Shutdown(ctx context.Context) error {
	if s.share == nil {
		return nil
	}
	decision, err := acquire(ctx, s.path("start.lock"), unix.LOCK_EX)
	s.share.release()
	s.share = nil
	if err != nil {
		return err
	}
	defer decision.release()
	return s.halt(ctx)
}
