package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"

	"ownmap/pipeline/state"
)

// keyOf returns the bytes of a secret.
func keyOf(secret state.Secret) ([]byte, error) {
	const (
		prefix                      = "whsec_"
		shortest, longest, shortRaw = 24, 64, 16
	)
	text := strings.TrimSpace(secret.Reveal())
	encoded, standard := strings.CutPrefix(text, prefix)
	if !standard {
		if len(text) < shortRaw {
			return nil, errors.New("has less than 16 bytes; `openssl rand -base64 32` makes one")
		}
		return []byte(text), nil
	}
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, errors.New("is not base64 after whsec_")
	}
	if len(key) < shortest || len(key) > longest {
		return nil, errors.New("has not 24 to 64 bytes in base64 after whsec_")
	}
	return key, nil
}

// sign returns one signature for each key, with a space between them.
func sign(keys [][]byte, id, timestamp string, body []byte) string {
	signatures := make([]string, len(keys))
	for i, key := range keys {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + timestamp + "."))
		mac.Write(body)
		signatures[i] = "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
	return strings.Join(signatures, " ")
}
