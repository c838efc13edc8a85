package web

import (
	"errors"
	"net/http"
	"time"

	"ownmap/pipeline/state"
)

// addNote adds a note to a host.
func (s *server) addNote(w http.ResponseWriter, r *http.Request) error {
	address, err := addressIn(r)
	if err != nil {
		return err
	}
	text, err := field(r, "note", 2*state.MaxNote) // a browser counts other characters
	if err == nil && (text == "" || len([]rune(text)) > state.MaxNote) {
		err = bad("A note has 1 to "+number(state.MaxNote)+" characters.", "")
	}
	if err != nil {
		return s.refuseHost(w, r, err, hostTyped{Form: "note", Note: r.PostFormValue("note")})
	}
	if _, err := s.Book.AddNote(r.Context(), address, text, identity(r).Actor()); err != nil {
		return err
	}
	return s.done(w, r, hostAddress(address, r.URL.Query().Get("vantage")), "The note is kept.")
}

// refuseHost shows the page of a host again with what was typed, and what is wrong with it.
func (s *server) refuseHost(w http.ResponseWriter, r *http.Request, err error, typed hostTyped) error {
	var f *fault
	if !errors.As(err, &f) {
		return err
	}
	typed.Error = f.Text
	return s.showHost(w, r, f.Status, typed)
}

// snoozeHost has a host, or ports of it, not spoken of for a while.
func (s *server) snoozeHost(w http.ResponseWriter, r *http.Request) error {
	address, err := addressIn(r)
	if err != nil {
		return err
	}
	typed := hostTyped{Form: "snooze", Ports: r.PostFormValue("ports"), Until: r.PostFormValue("until"), Reason: r.PostFormValue("reason")}
	reason, err := field(r, "reason", maxReason)
	if err == nil && reason == "" {
		err = bad("Say why: whoever meets it later wants to know.", "")
	}
	var until *time.Time
	if err == nil {
		if until, err = s.until(typed.Until); err == nil && until == nil {
			err = bad("A snooze has an end.", "")
		}
	}
	var ports []state.Port
	if err == nil {
		ports, err = typedPorts(typed.Ports)
	}
	if err != nil {
		return s.refuseHost(w, r, err, typed)
	}
	list, err := s.Book.Snooze(r.Context(), address.String(), ports, state.Snooze{Reason: reason, By: identity(r).Name, Via: "web", Until: *until})
	if err != nil {
		return err
	}
	what := address.String()
	if len(ports) > 0 {
		what = counted(len(list), "port", "ports") + " of " + what
	}
	return s.done(w, r, hostAddress(address, r.URL.Query().Get("vantage")), "Snoozed "+what+" until "+until.In(s.Zone).Format("2006-01-02 15:04")+".")
}

// endSnooze ends a snooze before its time.
func (s *server) endSnooze(w http.ResponseWriter, r *http.Request) error {
	address, err := addressIn(r)
	if err != nil {
		return err
	}
	ids, err := idsOf([]string{r.PostFormValue("id")})
	if err != nil {
		return missing("There is no such snooze.")
	}
	ended, err := s.Book.EndSnooze(r.Context(), address, ids[0], identity(r).Actor())
	if err != nil {
		return err
	}
	said := "The snooze is over."
	if !ended {
		said = "That snooze was over already."
	}
	return s.done(w, r, hostAddress(address, r.URL.Query().Get("vantage")), said)
}
