package web

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strconv"

	"ownmap/pipeline/state"
	"ownmap/templates"
)

// Encoders write what the API answers with: the JSON that the command line prints, so
// that a script reads the same from both.
type Encoders struct {
	Status     func(io.Writer, state.Status) error
	Ports      func(io.Writer, []state.HostReport) error
	Host       func(io.Writer, state.HostHistory) error
	Approvals  func(io.Writer, []state.Approval) error
	Audit      func(io.Writer, []state.AuditLine) error
	Runs       func(io.Writer, []state.RunSummary) error
	Report     func(io.Writer, state.Report) error
	Deliveries func(io.Writer, []state.Delivery) error
	Snoozes    func(io.Writer, []state.Snooze) error
}

// encoded is what an encoder wrote, as part of a larger answer.
func encoded[T any](encode func(io.Writer, T) error, v T) (json.RawMessage, error) {
	var out bytes.Buffer
	err := encode(&out, v)
	return out.Bytes(), err
}

// answerWith answers with what an encoder writes, whole or not at all.
func answerWith[T any](s *server, w http.ResponseWriter, encode func(io.Writer, T) error, v T) error {
	text, err := encoded(encode, v)
	if err != nil {
		return err
	}
	s.writeJSON(w, http.StatusOK, text)
	return nil
}

// limits of how many rows an answer of the API has.
const (
	apiRows    = 100
	apiMaxRows = 1000
)

// numberIn reads a whole number of the query, from low to high; missing it is the usual one.
func numberIn(r *http.Request, name string, usual, low, high int) (int, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return usual, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < low || n > high {
		return 0, &fault{Status: http.StatusBadRequest, Text: name + " has to be a whole number from " + strconv.Itoa(low) + " to " + strconv.Itoa(high) + "."}
	}
	return n, nil
}

// idIn reads the number in a path.
func idIn(r *http.Request, what string) (int64, error) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil || id < 1 {
		return 0, missing("There is no such " + what + ".")
	}
	return id, nil
}

// apiDocument answers with the description of the API (OpenAPI 3.0.3).
func (s *server) apiDocument(w http.ResponseWriter, _ *http.Request) error {
	text, err := templates.FS.ReadFile("web/openapi.yaml")
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/yaml")
	_, err = w.Write(text)
	return err
}
