package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"ownmap/pipeline/state"
)

// linkBook is what links to approve read and write.
type linkBook interface {
	Linked(ctx context.Context, scope state.LinkScope, now time.Time) (state.Linked, error)
	UseLink(ctx context.Context, use state.LinkUse) (state.Linked, []state.Approval, error)
}

// linkPage shows what a link to approve would approve. It changes nothing: programs that
// look whether links in mails are dangerous get here first.
func (s *server) linkPage(w http.ResponseWriter, r *http.Request) error {
	scope, err := s.linkScope(r)
	if err != nil {
		return s.linkFault(w, r, state.Linked{}, err)
	}
	l, err := s.Book.Linked(r.Context(), scope, s.Now())
	if err != nil {
		return s.linkFault(w, r, l, err)
	}
	if !s.mayLink(r) {
		return s.askLogin(w, r)
	}
	if err := l.Err(); err != nil {
		return s.linkFault(w, r, l, err)
	}
	return s.show(w, r, http.StatusOK, "link", s.linkView(r, l, linkAsks))
}

// approveByLink approves what a link names, on the press of the button.
func (s *server) approveByLink(w http.ResponseWriter, r *http.Request) error {
	scope, err := s.linkScope(r)
	if err != nil {
		return s.linkFault(w, r, state.Linked{}, err)
	}
	if !s.mayLink(r) {
		return s.askLogin(w, r)
	}
	use := state.LinkUse{Scope: scope, Seen: r.PostFormValue("seen"), Who: identity(r), At: s.Now()}
	if err := s.readUse(r, &use); err != nil {
		return s.linkAgain(w, r, scope, err)
	}
	l, granted, err := s.Book.UseLink(r.Context(), use)
	if err != nil {
		return s.linkFault(w, r, l, err)
	}
	v := s.linkView(r, l, linkApproved)
	v.Granted = granted
	return s.show(w, r, http.StatusOK, "link", v)
}

// linkScope returns what the token of a request approves.
func (s *server) linkScope(r *http.Request) (state.LinkScope, error) {
	if s.Links == nil || s.LinkMode != state.LinksOn && s.LinkMode != state.LinksLogin {
		return state.LinkScope{}, missing("There is no such page.")
	}
	return s.Links.Open(r.PathValue("token"))
}

// mayLink says whether who makes a request may approve by a link that is good.
func (s *server) mayLink(r *http.Request) bool {
	return s.LinkMode == state.LinksOn || identity(r).Role.May(state.Admin)
}

// askLogin has somebody sign in who may approve.
func (s *server) askLogin(w http.ResponseWriter, r *http.Request) error {
	if identity(r).Role == state.Nobody {
		s.unknown(w, r)
		return nil
	}
	return &fault{Status: http.StatusForbidden, Text: "Your role, " + string(identity(r).Role) + ", may only read.", Hint: "An admin can approve this, or give you the role."}
}

// longReason is how long a reason gets, in characters.
const longReason = 400

// readUse reads what was typed.
func (s *server) readUse(r *http.Request, use *state.LinkUse) error {
	var err error
	if use.Reason, err = field(r, "reason", longReason); err != nil {
		return err
	}
	until, err := field(r, "until", 40)
	if err != nil {
		return err
	}
	use.Until, err = s.until(until)
	return err
}

// linkAgain shows the page once more, with what is wrong in the form.
func (s *server) linkAgain(w http.ResponseWriter, r *http.Request, scope state.LinkScope, wrong error) error {
	var known *fault
	if !errors.As(wrong, &known) {
		return wrong
	}
	l, err := s.Book.Linked(r.Context(), scope, s.Now())
	if err == nil {
		err = l.Err()
	}
	if err != nil {
		return s.linkFault(w, r, l, err)
	}
	v := s.linkView(r, l, linkAsks)
	v.Fault, v.Hint, v.Reason, v.Until = known.Text, known.Hint, state.OneLine(r.PostFormValue("reason"), longReason), state.OneLine(r.PostFormValue("until"), 40)
	return s.show(w, r, known.Status, "link", v)
}

// linkFault answers where a link approves nothing: with what is there, or with one and the
// same page for all that are not good.
func (s *server) linkFault(w http.ResponseWriter, r *http.Request, l state.Linked, err error) error {
	switch {
	case errors.Is(err, state.ErrLinkGone):
		return s.show(w, r, http.StatusGone, "link", s.linkView(r, state.Linked{}, linkGone))
	case errors.Is(err, state.ErrLinkDone):
		return s.show(w, r, http.StatusOK, "link", s.linkView(r, l, linkDone))
	case errors.Is(err, state.ErrLinkChanged) && l.Err() != nil:
		return s.show(w, r, http.StatusConflict, "link", s.linkView(r, l, linkChanged))
	case errors.Is(err, state.ErrLinkChanged): // since the page was looked at, and no more than a message may outlive
		v := s.linkView(r, l, linkAsks)
		v.Fault, v.Hint = "What listens has changed while this page was open, and nothing was approved.", "This is how it is now."
		v.Reason, v.Until = state.OneLine(r.PostFormValue("reason"), longReason), state.OneLine(r.PostFormValue("until"), 40)
		return s.show(w, r, http.StatusConflict, "link", v)
	}
	return err
}
