package state

import (
	"encoding/json"
	"log/slog"
)

// Secret is a text that must not be shown: every way of printing it gives "***",
// or nothing for the empty secret. Only Reveal returns it.
type Secret struct{ text string }

// NewSecret hides a text.
func NewSecret(text string) Secret { return Secret{text} }

const hiddenSecret = "***"

// Reveal returns the secret itself, for the one who has to use it.
func (s Secret) Reveal() string { return s.text }

// String returns "***".
func (s Secret) String() string {
	if s.text == "" {
		return ""
	}
	return hiddenSecret
}

// GoString returns "***", for %#v.
func (s Secret) GoString() string { return s.String() }

// MarshalJSON writes "***".
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }

// MarshalText writes "***"; YAML is written through it too.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue logs "***".
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// IsZero says whether there is no secret, for omitempty.
func (s Secret) IsZero() bool { return s.text == "" }
