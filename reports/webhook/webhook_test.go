package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"ownmap/pipeline/lab/demo"
	"ownmap/pipeline/state"
)

const (
	oldSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" // of the specification's examples
	newSecret = "canary-secret-of-our-own"
	path      = "/canary-path?token=canary-token"
)

func message() state.Message {
	report := demo.Nights(49).At(49)
	return state.Message{ID: "run-49.ops.1", Kind: state.MessageChanges, At: demo.Night(49), Report: &report, Links: state.MessageLinks{Run: "https://ownmap.example.org/run/49.html"}}
}

// receiver checks calls as the specification tells receivers to, with a secret of its own.
type receiver struct {
	secret string
	now    time.Time
	answer func(http.ResponseWriter)
	calls  []http.Header
	bodies []string
	fault  error
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	r.fault = errors.Join(err, r.verify(request.Header, body))
	if request.Method != http.MethodPost || request.Header.Get("Content-Type") != "application/json" {
		r.fault = errors.Join(r.fault, fmt.Errorf("%s of %s", request.Method, request.Header.Get("Content-Type")))
	}
	r.calls, r.bodies = append(r.calls, request.Header), append(r.bodies, string(body))
	if r.answer != nil {
		r.answer(w)
	}
}

func (r *receiver) verify(header http.Header, body []byte) error {
	var seconds int64
	if _, err := fmt.Sscan(header.Get("webhook-timestamp"), &seconds); err != nil {
		return err
	}
	if age := r.now.Sub(time.Unix(seconds, 0)).Abs(); age > 5*time.Minute {
		return fmt.Errorf("%s old", age)
	}
	key := []byte(r.secret)
	if text, ok := strings.CutPrefix(r.secret, "whsec_"); ok {
		key, _ = base64.StdEncoding.DecodeString(text)
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%d.%s", header.Get("webhook-id"), seconds, body)
	want := []byte(base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	for part := range strings.SplitSeq(header.Get("webhook-signature"), " ") {
		if version, signature, _ := strings.Cut(part, ","); version == "v1" && subtle.ConstantTimeCompare([]byte(signature), want) == 1 {
			return nil
		}
	}
	return errors.New("no signature matches")
}

func channel(t *testing.T, address string, options Options) *Channel {
	t.Helper()
	options.URL, options.Client = state.NewSecret(address+path), new(http.Client)
	if options.Secrets == nil {
		options.Secrets = []state.Secret{state.NewSecret(newSecret), state.NewSecret(oldSecret)}
	}
	c, err := New(options)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSignatures(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 18, 3, 0, 0, 0, time.UTC)
	for _, secret := range []string{oldSecret, newSecret} {
		r := &receiver{secret: secret, now: now}
		server := httptest.NewServer(r)
		defer server.Close()
		clock := now
		c := channel(t, server.URL, Options{Now: func() time.Time { clock = clock.Add(time.Minute); return clock }})
		for range 2 {
			if err := c.Send(t.Context(), message()); err != nil || r.fault != nil {
				t.Fatalf("%v, %v", err, r.fault)
			}
		}
		if r.bodies[0] != r.bodies[1] || r.calls[0].Get("Webhook-Id") != "run-49.ops.1" || r.calls[1].Get("Webhook-Id") != "run-49.ops.1" {
			t.Error("the second try is of another message")
		}
		if a, b := r.calls[0].Get("Webhook-Timestamp"), r.calls[1].Get("Webhook-Timestamp"); a != "1794970860" || b != "1794970920" {
			t.Errorf("tries at %s and %s", a, b)
		}
		// What somebody in between changes, or sends again later, is not taken.
		altered, other := r.calls[0].Clone(), r.calls[0].Clone()
		altered.Set("Webhook-Timestamp", "1794970861")
		other.Set("Webhook-Id", "run-50.ops.1")
		late := *r
		late.now = now.Add(time.Hour)
		stranger := *r
		stranger.secret = "another secret of ours"
		for name, err := range map[string]error{
			"body": r.verify(r.calls[0], []byte(r.bodies[0]+" ")), "time": r.verify(altered, []byte(r.bodies[0])), "id": r.verify(other, []byte(r.bodies[0])),
			"late": late.verify(r.calls[0], []byte(r.bodies[0])), "secret": stranger.verify(r.calls[0], []byte(r.bodies[0])),
		} {
			if err == nil {
				t.Errorf("%s: an altered call is taken", name)
			}
		}
	}
	// The example of the specification's own library.
	key, err := keyOf(state.NewSecret(oldSecret))
	if err != nil {
		t.Fatal(err)
	}
	if got := sign([][]byte{key}, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", []byte(`{"test": 2432232314}`)); got != "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" {
		t.Error(got)
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 18, 3, 0, 0, 0, time.UTC)
	type verdict struct{ permanent, unreachable bool }
	again, down, never, gone := verdict{}, verdict{false, true}, verdict{true, false}, verdict{true, true}
	for status, want := range map[int]verdict{
		300: again, 301: again, 302: again, 304: again, 308: again, 400: never, 401: gone, 403: gone, 404: gone, 405: never, 408: again, 410: gone, 413: never, 415: never, 422: never, 425: again, 429: down,
		500: again, 501: again, 502: down, 503: down, 504: down, 599: again,
	} {
		for header, after := range map[string]time.Duration{
			"": 0, "7": 7 * time.Second, "Wed, 18 Nov 2026 03:01:30 GMT": 90 * time.Second, "Wed, 18 Nov 2026 02:00:00 GMT": 0, "soon": 0, "-5": 0, "99999999999999999999999": 24 * time.Hour, "Fri, 18 Nov 2039 03:01:30 GMT": 24 * time.Hour,
		} {
			if header != "" && status != 404 && status != 429 && status != 503 {
				continue
			}
			r := &receiver{secret: newSecret, now: now, answer: func(w http.ResponseWriter) {
				w.Header().Set("Location", path)
				if header != "" {
					w.Header().Set("Retry-After", header)
				}
				w.WriteHeader(status)
				io.WriteString(w, path)
			}}
			server := httptest.NewServer(r)
			err := channel(t, server.URL, Options{Now: func() time.Time { return now }}).Send(t.Context(), state.Message{ID: "test-1", Kind: state.MessageTest})
			server.Close()
			var failure *state.SendError
			if !errors.As(err, &failure) || r.fault != nil || len(r.calls) != 1 {
				t.Fatalf("%d: %v, %v", status, err, r.fault)
			}
			if want.permanent {
				after = 0
			}
			if got := (verdict{failure.Permanent, failure.Unreachable}); got != want || failure.After != after {
				t.Errorf("%d %q: %+v, after %s; want %+v, after %s", status, header, got, failure.After, want, after)
			}
			if text := strings.TrimSpace(fmt.Sprintf("webhook: %s answered %d %s", strings.TrimPrefix(server.URL, "http://"), status, http.StatusText(status))); strings.TrimSpace(err.Error()) != text {
				t.Errorf("%q, want %q", err, text)
			}
		}
	}
	for _, status := range []int{200, 201, 202, 204} {
		server := httptest.NewServer(&receiver{secret: newSecret, now: time.Now(), answer: func(w http.ResponseWriter) { w.WriteHeader(status) }})
		if err := channel(t, server.URL, Options{}).Send(t.Context(), message()); err != nil {
			t.Errorf("%d: %v", status, err)
		}
		server.Close()
	}
}

// TestNobody holds that no fault of the network tells a secret, that each is worth
// another try, and that a try has an end.
func TestNobody(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, _, _ := w.(http.Hijacker).Hijack()
		fmt.Fprintf(conn, "%s\r\n", r.RequestURI)
		conn.Close()
	}))
	defer echo.Close()
	cut := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, _ := w.(http.Hijacker).Hijack()
		conn.Close()
	}))
	defer cut.Close()
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx     context.Context
		address string
	}{
		"silent": {t.Context(), "http://" + listener.Addr().String()}, "refused": {t.Context(), "http://" + closed.Addr().String()}, "no HTTP": {t.Context(), echo.URL}, "cut": {t.Context(), cut.URL},
		"no TLS": {t.Context(), strings.Replace(cut.URL, "http:", "https:", 1)}, "cancelled": {cancelled, cut.URL}, "user": {t.Context(), "http://canary-user:canary-word@" + closed.Addr().String()},
	} {
		err := channel(t, c.address, Options{Timeout: 100 * time.Millisecond}).Send(c.ctx, message())
		var failure *state.SendError
		if !errors.As(err, &failure) || failure.Permanent || !failure.Unreachable {
			t.Errorf("%s: %v", name, err)
		}
		if text := fmt.Sprintf("%v %+v %#v", err, err, failure.Err.Error()); strings.Contains(text, "canary") {
			t.Errorf("%s: the error tells a secret: %s", name, text)
		}
	}
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	secrets := []state.Secret{state.NewSecret(newSecret)}
	for want, o := range map[string]Options{
		"webhook: no HTTP client": {URL: state.NewSecret("https://canary.example.org"), Secrets: secrets},
		"webhook: the URL is not valid: it is to begin with https:// and a host":         {URL: state.NewSecret("canary.example.org"), Secrets: secrets, Client: new(http.Client)},
		"webhook: no secret to sign with":                                                {URL: state.NewSecret("https://canary.example.org"), Client: new(http.Client)},
		"webhook: secret 2: is not base64 after whsec_":                                  {URL: state.NewSecret("https://canary.example.org"), Client: new(http.Client), Secrets: append(secrets, state.NewSecret("whsec_canary!"))},
		"webhook: secret 1: has not 24 to 64 bytes in base64 after whsec_":               {URL: state.NewSecret("https://canary.example.org"), Client: new(http.Client), Secrets: []state.Secret{state.NewSecret("whsec_Y2FuYXJ5")}},
		"webhook: secret 1: has less than 16 bytes; `openssl rand -base64 32` makes one": {URL: state.NewSecret("https://canary.example.org"), Client: new(http.Client), Secrets: []state.Secret{state.NewSecret("canary")}},
	} {
		if _, err := New(o); err == nil || err.Error() != want {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	for _, address := range []string{"https://canary host", "https://h/%zzcanary", "file:///canary", "https:///canary", "canary"} {
		if _, err := New(Options{URL: state.NewSecret(address), Secrets: secrets, Client: new(http.Client)}); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", address, err)
		}
	}
}
