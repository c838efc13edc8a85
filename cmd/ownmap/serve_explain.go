package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"ownmap/pipeline/persist"
	"ownmap/reports/web/access"
)

// explain turns an error into what the page says: a status of HTTP, a sentence and the
// remedy. Status 0 is an error that nobody there can do anything about.
func (h *house) explain(err error) (status int, text, hint string) {
	var noRun *persist.NoRunError
	var plan *planError
	var changed *persist.ChangedError
	var closed *persist.NotOpenError
	var unknown *persist.UnknownHostError
	var ambiguous *persist.AmbiguousHostError
	var connect *pgconn.ConnectError
	var refused *access.RefusedError
	var broken net.Error
	switch {
	case errors.As(err, &refused):
		return refused.Status, refused.Text, refused.Hint
	case errors.As(err, &noRun):
		return http.StatusNotFound, sentence(noRun.Error()), "The list of runs has those that there are."
	case errors.As(err, &changed):
		return http.StatusConflict, sentence(changed.Error()), ""
	case errors.As(err, &closed):
		return http.StatusConflict, sentence(closed.Error()), "Look again at what is open there."
	case errors.As(err, &unknown):
		return http.StatusNotFound, sentence(unknown.Error()), "The list of hosts has those that are known."
	case errors.As(err, &ambiguous):
		return http.StatusConflict, sentence(ambiguous.Error()), ""
	case errors.Is(err, persist.ErrScopeEmpty):
		return http.StatusUnprocessableEntity, sentence(persist.ErrScopeEmpty.Error()), ""
	case errors.As(err, &plan):
		return http.StatusUnprocessableEntity, sentence(plan.Error()), ""
	case errors.As(err, &connect), errors.As(err, &broken), isShutdown(err):
		return http.StatusServiceUnavailable, "The database does not answer.", "Nothing is lost. Try again in a moment; `ownmap check` says what is wrong."
	case errors.Is(err, context.DeadlineExceeded):
		return http.StatusServiceUnavailable, "That took too long.", "Try again, or ask for less."
	}
	return 0, "", ""
}

// isShutdown says whether the server of the database ended the connection (PostgreSQL,
// appendix A, class 57).
func isShutdown(err error) bool {
	var code *pgconn.PgError
	return errors.As(err, &code) && strings.HasPrefix(code.Code, "57P")
}

// sentence makes a sentence of the words of an error.
func sentence(words string) string {
	words = strings.ReplaceAll(strings.TrimSpace(words), "\n", "; ")
	if words == "" {
		return ""
	}
	words = strings.ToUpper(words[:1]) + words[1:]
	if !strings.HasSuffix(words, ".") && !strings.HasSuffix(words, "?") {
		words += "."
	}
	return words
}
