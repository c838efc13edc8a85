package export

import (
	"io"

	"ownmap/pipeline/state"
)

type linkKeyJSON struct {
	Key      string  `json:"key"` // its name
	Made     *string `json:"made"`
	Until    *string `json:"until"` // null: it signs new links
	Messages int     `json:"messages"`
}

// LinkKeysJSON writes the keys that sign links to approve, without anything secret of them.
func LinkKeysJSON(w io.Writer, list []state.LinkKey) error {
	keys := make([]linkKeyJSON, len(list))
	for i, k := range list {
		keys[i] = linkKeyJSON{Key: k.Name, Made: utc(&k.Made), Until: utc(k.Until), Messages: k.Messages}
	}
	return write(w, keys)
}
