package web

import (
	"errors"
	"net/http"

	"ownmap/pipeline/persist"
)

// explained is what the program says of errors of the book.
func explained(err error) (status int, text, hint string) {
	var changed *persist.ChangedError
	var unknown *persist.UnknownHostError
	switch {
	case errors.As(err, &changed):
		return http.StatusConflict, changed.Error(), ""
	case errors.As(err, &unknown):
		return http.StatusNotFound, unknown.Error(), ""
	}
	return 0, "", ""
}
