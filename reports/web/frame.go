package web

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"ownmap/pipeline/state"
)

// bodyLimit is how many bytes of a form or of JSON are read; files have their own.
const bodyLimit = 1 << 20

// frame puts around the pages what holds for each of them, outermost first.
func (s *server) frame() http.Handler {
	var h http.Handler = http.HandlerFunc(s.route)
	h = s.sameOrigin(h)
	h = s.knownHost(h)
	h = s.headers(h)
	if s.base != "" {
		h = s.below(h)
	}
	return s.logged(s.recovered(h))
}

// route finds the page of a request. What has none gets a page that says so, in the
// words of ServeMux: 404, or 405 with the methods that there are.
func (s *server) route(w http.ResponseWriter, r *http.Request) {
	h, pattern := s.router.Handler(r)
	if s.Observe != nil {
		began, out := s.Now(), &watched{ResponseWriter: w}
		w = out
		defer func() {
			_, route, _ := strings.Cut(pattern, " ")
			s.Observe(r.Method, route, out.status, s.Now().Sub(began))
		}()
	}
	if pattern != "" {
		s.router.ServeHTTP(w, r) // which sets the values of the path
		return
	}
	said := &answer{header: http.Header{}}
	h.ServeHTTP(said, r)
	switch said.status {
	case http.StatusMethodNotAllowed:
		w.Header().Set("Allow", said.header.Get("Allow"))
		s.fail(w, r, &fault{Status: said.status, Text: "This address takes " + said.header.Get("Allow") + " only."})
	case http.StatusNotFound:
		s.fail(w, r, &fault{Status: said.status, Text: "There is no such page."})
	default: // the path was not clean
		s.router.ServeHTTP(w, r)
	}
}

// answer catches what ServeMux says, less its words.
type answer struct {
	header http.Header
	status int
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) Write(p []byte) (int, error) { return len(p), nil }
func (a *answer) WriteHeader(status int)      { a.status = status }

// below serves the pages below the path of the external address.
func (s *server) below(h http.Handler) http.Handler {
	inner := http.StripPrefix(s.base, h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == s.base:
			http.Redirect(w, r, s.base+"/", http.StatusMovedPermanently)
		case strings.HasPrefix(r.URL.Path, s.base+"/"):
			inner.ServeHTTP(w, r)
		case r.URL.Path == "/healthz": // for who asks the process, not the site
			h.ServeHTTP(w, r)
		default:
			http.NotFound(w, r)
		}
	})
}

// sameOrigin refuses what a page of somebody else has a browser send, and bodies that
// are too long.
func (s *server) sameOrigin(h http.Handler) http.Handler {
	guard := http.NewCrossOriginProtection()
	if s.External != nil {
		// A proxy may have changed the host of the request, which is what the origin is compared with.
		if err := guard.AddTrustedOrigin((&url.URL{Scheme: s.External.Scheme, Host: s.External.Host}).String()); err != nil {
			s.Log.Warn("external address is no origin", "error", err)
		}
	}
	guard.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, &fault{Status: http.StatusForbidden, Text: "This form was sent from another site, and nothing was done.", Hint: "Open the page itself and send it from there. Behind a proxy, set web.external_url to the address that people use."})
	}))
	guarded := guard.Handler(h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/import") {
			r.Body = http.MaxBytesReader(w, r.Body, bodyLimit)
		}
		guarded.ServeHTTP(w, r)
	})
}

// knownHost refuses requests for a name that is not ours: somebody's name that DNS was
// made to say is this machine.
func (s *server) knownHost(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.isHost(r.Host) {
			s.fail(w, r, &fault{Status: http.StatusMisdirectedRequest, Text: "This page does not go by the name " + state.Clean(r.Host) + ".", Hint: "Set web.external_url to the address that people use."})
			return
		}
		h.ServeHTTP(w, r)
	})
}

func (s *server) isHost(hostport string) bool {
	host := hostport
	if name, _, err := net.SplitHostPort(hostport); err == nil {
		host = name
	}
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return true
	}
	return strings.EqualFold(host, "localhost") || s.External != nil && strings.EqualFold(host, s.External.Hostname()) ||
		slices.ContainsFunc(s.HostNames, func(name string) bool { return strings.EqualFold(host, name) })
}

// policy lets a page load what is its own, and nobody frame it.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

func (s *server) headers(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", policy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		header.Set("Cache-Control", "no-store")
		if r.TLS != nil {
			header.Set("Strict-Transport-Security", "max-age=31536000")
		}
		h.ServeHTTP(w, r)
	})
}

type identityKey struct{}

func withIdentity(r *http.Request, who state.Identity) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), identityKey{}, who))
}

// identity returns who makes the request; the zero Identity is nobody.
func identity(r *http.Request) state.Identity {
	who, _ := r.Context().Value(identityKey{}).(state.Identity)
	return who
}
