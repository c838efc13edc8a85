package web

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"
)

// field returns what was typed into a field of a form, without the space around it. It
// refuses what is no text and what is too long.
func field(r *http.Request, name string, limit int) (string, error) {
	text := strings.TrimSpace(r.PostFormValue(name))
	switch {
	case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		return "", bad("The field "+name+" holds bytes that are no text.", "")
	case utf8.RuneCountInString(text) > limit:
		return "", bad("The field "+name+" is too long.", "")
	}
	return text, nil
}

// until reads when something ends, as people and date inputs write it: a date, which is
// good to its end, a number of days ("90d"), or a time (RFC 3339); nil for nothing.
func (s *server) until(text string) (*time.Time, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // it has no end
	}
	at, err := s.parseUntil(text)
	if err != nil {
		return nil, err
	}
	if !at.After(s.Now()) {
		return nil, bad("The end, "+text+", is in the past.", "Leave it empty for no end.")
	}
	return &at, nil
}

func (s *server) parseUntil(text string) (time.Time, error) {
	if day, err := time.ParseInLocation(time.DateOnly, text, s.Zone); err == nil {
		return day.AddDate(0, 0, 1), nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, nil
	}
	if days, found := strings.CutSuffix(text, "d"); found {
		if span, err := time.ParseDuration(days + "h"); err == nil && span > 0 && span < 100*366*time.Hour {
			return s.Now().Add(24 * span), nil
		}
	}
	return time.Time{}, bad("The end, "+text+", is no date.", "Write a date (2027-01-31) or a number of days (90d).")
}

// readJSON reads the body of a request to the API: one value, with no key that we do not
// know. Bodies of forms are refused, for a page of somebody else could send those.
func readJSON(r *http.Request, into any) error {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return &fault{Status: http.StatusUnsupportedMediaType, Text: "The body has to be JSON.", Hint: "Content-Type: application/json"}
	}
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		var long *http.MaxBytesError
		if errors.As(err, &long) {
			return err
		}
		return &fault{Status: http.StatusBadRequest, Text: "The body cannot be read: " + err.Error()}
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return &fault{Status: http.StatusBadRequest, Text: "The body holds more than one value."}
	}
	return nil
}
