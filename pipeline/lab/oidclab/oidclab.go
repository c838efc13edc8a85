// Package oidclab runs a real provider of OpenID Connect on loopback: zitadel/oidc, which
// the OpenID Foundation has certified, with its own login form and users that a test makes
// up.
package oidclab

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// The client that the provider knows, and the password of all of its users.
const (
	ClientID     = "ownmap"
	ClientSecret = "client-secret-of-the-lab"
	Password     = "password-at-the-provider"
)

// GroupsClaim lists the groups of a user.
const GroupsClaim = "groups"

// User is somebody whom the provider knows, by the part of the address before the @.
type User struct {
	Email      string
	Unverified bool
	Groups     []string
}

func (u User) name() string {
	name, _, _ := strings.Cut(u.Email, "@")
	return name
}

// Provider is a running provider.
type Provider struct {
	Issuer string
}

// Start starts a provider that sends people back to one address. It ends with the test.
func Start(tb testing.TB, redirect string, users ...User) *Provider {
	tb.Helper()
	var inner http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { inner.ServeHTTP(w, r) }))
	tb.Cleanup(server.Close)
	client := storage.WebClient(ClientID, ClientSecret, redirect)
	known := people(users)
	store := &store{storage.NewStorageWithClients(known, map[string]*storage.Client{ClientID: client}), known}
	inner = exampleop.SetupServer(server.URL, store, nil, false)
	return &Provider{Issuer: server.URL}
}

// SignIn signs a user in with the provider's own form, as a browser does that was sent to
// an address of the provider, and returns where the provider then sends it.
func (p *Provider) SignIn(tb testing.TB, address, name string) (back *url.URL) {
	tb.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	at := address
	for range 10 {
		r, err := http.NewRequestWithContext(tb.Context(), http.MethodGet, at, nil)
		if err != nil {
			tb.Fatal(err)
		}
		if r.URL.Path == "/login/username" {
			form := url.Values{"id": {r.URL.Query().Get("authRequestID")}, "username": {name}, "password": {Password}}
			r, _ = http.NewRequestWithContext(tb.Context(), http.MethodPost, at, strings.NewReader(form.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		response, err := client.Do(r)
		if err != nil {
			tb.Fatal(err)
		}
		_ = response.Body.Close()
		next, err := response.Location()
		if err != nil {
			tb.Fatalf("%s answers %s", at, response.Status)
		}
		if at = next.String(); !strings.HasPrefix(at, p.Issuer+"/") {
			return next
		}
	}
	tb.Fatalf("%s leads nowhere", address)
	return nil
}

// people are the users of a provider.
type people []User

// GetUserByID returns a user, as the provider wants it.
func (p people) GetUserByID(id string) *storage.User { return p.GetUserByUsername(id) }

// GetUserByUsername returns a user, as the provider wants it.
func (p people) GetUserByUsername(name string) *storage.User {
	for _, u := range p {
		if u.name() == name {
			return &storage.User{ID: name, Username: name, Password: Password, Email: u.Email, EmailVerified: !u.Unverified}
		}
	}
	return nil
}

// ExampleClientID is wanted by the provider and used for nothing here.
func (people) ExampleClientID() string { return "none" }

func (p people) groups(id string) []string {
	for _, u := range p {
		if u.name() == id {
			return u.Groups
		}
	}
	return nil
}

// store adds groups to what the provider tells of its users.
type store struct {
	*storage.Storage
	people people
}

// SetUserinfoFromRequest fills an ID token.
func (s *store) SetUserinfoFromRequest(ctx context.Context, info *oidc.UserInfo, request op.IDTokenRequest, scopes []string) error {
	err := s.Storage.SetUserinfoFromRequest(ctx, info, request, scopes)
	info.AppendClaims(GroupsClaim, s.people.groups(request.GetSubject()))
	return err
}

// SetUserinfoFromToken fills the answer of the userinfo endpoint.
func (s *store) SetUserinfoFromToken(ctx context.Context, info *oidc.UserInfo, tokenID, subject, origin string) error {
	err := s.Storage.SetUserinfoFromToken(ctx, info, tokenID, subject, origin)
	info.AppendClaims(GroupsClaim, s.people.groups(subject))
	return err
}
